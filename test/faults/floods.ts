// T8: a thousand silent connections, a thousand that send a byte a second, a hundred thousand requests, few descriptors. The
// seed survives, an honest transfer takes at most twice its time without them, and idle connections cost nothing.
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { infoHashOfMagnet, type P2pfile } from "../helpers/binary.ts";
import { binaryPath } from "../helpers/executable.ts";
import { startFlooded } from "./lib/flooded-seed.ts";
import { Flood } from "./lib/flood-peer.ts";
import { frame, handshake, Id, uint32 } from "./lib/frames.ts";
import { honestTransfer } from "./lib/honest-transfer.ts";
import { type FaultJob, rounded, type Trial } from "./lib/job.ts";
import { cpuSeconds, peakMemory, startServe } from "./lib/run.ts";

const BLOCK = 16 * KiB;
const IDLE_CPU = 0.3;
const MAX_RSS = 256 * MiB;
const OPEN_FILES = 256;

export const floodJob: FaultJob = {
  name: "T8 floods",
  async run(trial) {
    const flooded = await startFlooded(trial);
    if (flooded === undefined) return;
    const { seed, host, port, infoHash } = flooded;
    const transfer = async (name: string, flood: Flood) => {
      await flooded.transfer(name);
      flood.close();
    };

    const silent = new Flood({ host, port });
    await silent.open(1_000);
    trial.count("idle connections", silent.opened);
    await idle(trial, seed, "silent");
    await transfer("silent", silent);

    const introduced = new Flood({ host, port, opening: () => handshake(infoHash) });
    await introduced.open(1_000, 10, 20);
    trial.count("idle connections", introduced.opened);
    trial.set("open after handshake", introduced.alive);
    await idle(trial, seed, "after handshake");
    await transfer("after handshake", introduced);

    const slow = new Flood({ host, port });
    await slow.open(1_000);
    const hello = handshake(infoHash);
    let position = 0;
    const timer = setInterval(() => {
      slow.send(() => hello.subarray(position, position + 1));
      position++;
      void slow.open(Math.min(200, 1_000 - slow.alive));
    }, 1_000);
    await transfer("one byte a second", slow);
    clearInterval(timer);

    await requests(trial, seed, host, port, infoHash, transfer);
    trial.set("peak MiB", rounded(peakMemory(seed.pid) / MiB));
    trial.expect(peakMemory(seed.pid) < MAX_RSS, "too much memory", `${peakMemory(seed.pid)} bytes`);
    await seed.end();
    await fewFiles(trial);
  },
};

/** Ten peers that send ten thousand requests each and never read an answer. */
async function requests(
  trial: Trial,
  seed: P2pfile,
  host: string,
  port: number,
  infoHash: string,
  transfer: (name: string, flood: Flood) => Promise<void>,
): Promise<void> {
  const batch = Buffer.concat(
    Array.from({ length: 500 }, (_, index) =>
      frame(Id.request, uint32(index % 64, (index % 16) * BLOCK, BLOCK)),
    ),
  );
  const flood = new Flood({
    host,
    port,
    stalled: true,
    opening: () => Buffer.concat([handshake(infoHash), frame(Id.haveNone), frame(Id.interested)]),
  });
  await flood.open(10);
  await Bun.sleep(300);
  let sent = 0;
  let alive = flood.alive;
  const timer = setInterval(() => {
    if (sent >= 100_000) return;
    alive = flood.alive;
    flood.send(() => batch);
    sent += alive * 500;
    // Connections that the seed has closed are opened again.
    void flood.open(10 - alive);
  }, 50);
  await transfer("requests", flood);
  clearInterval(timer);
  trial.set("requests", sent);
  trial.set("askers thrown out", flood.refused);
  trial.expect(!seed.hasExited, "deaths", "requests");
  trial.expect(sent >= 100_000, "too few requests", String(sent));
}

async function idle(trial: Trial, seed: P2pfile, name: string): Promise<void> {
  await Bun.sleep(500);
  const [before, begun] = [cpuSeconds(seed.pid), performance.now()];
  await Bun.sleep(3_000);
  const share = (cpuSeconds(seed.pid) - before) / ((performance.now() - begun) / 1000);
  trial.set(`${name} CPU %`, rounded(share * 100));
  trial.expect(share < IDLE_CPU, "busy while idle", `${name}: ${rounded(share * 100)} %`);
}

/** More connections than descriptors: `ulimit -n 256`. */
async function fewFiles(trial: Trial): Promise<void> {
  const { fixture } = trial;
  const file = makeBigFile(join(fixture.directory("source"), "few.img"), 16 * MiB, trial.seed);
  const seed = startServe(fixture, file.path, {
    under: (program) => ["bash", "-c", `ulimit -n ${OPEN_FILES}; exec "$0" "$@"`, binaryPath, ...program],
  });
  const magnet = await seed.magnet();
  const { host, port } = await seed.waitForEvent("listening");
  const flood = new Flood({ host, port, opening: () => handshake(infoHashOfMagnet(magnet)) });
  await flood.open(400);
  await Bun.sleep(500);
  trial.expect(!seed.hasExited, "deaths", `ulimit -n ${OPEN_FILES}: ${seed.text("stderr")}`);
  const [before, begun] = [cpuSeconds(seed.pid), performance.now()];
  await Bun.sleep(2_000);
  const share = (cpuSeconds(seed.pid) - before) / ((performance.now() - begun) / 1000);
  trial.set(`CPU % without descriptors`, rounded(share * 100));
  trial.expect(share < IDLE_CPU, "busy while idle", `without descriptors: ${rounded(share * 100)} %`);
  flood.close();
  const ms = await honestTransfer(trial, magnet, file, 20_000);
  trial.set("after it ms", Math.round(ms ?? Number.NaN));
  await seed.end();
}
