// T8, many peers: two hundred peers request the file from one seed. Its memory stays within its bound.
import { join } from "node:path";
import { MAX_INBOUND_REQUESTS } from "../../src/core/torrent/limits.ts";
import { KiB, MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { infoHashOfMagnet } from "../helpers/binary.ts";
import { Flood } from "./lib/flood-peer.ts";
import { extended, frame, handshake, Id, uint32 } from "./lib/frames.ts";
import { type FaultJob, rounded } from "./lib/job.ts";
import { ownMemory, peakMemory, startServe } from "./lib/run.ts";

const PEERS = 200;
const BLOCK = 16 * KiB;
/** The resident set, with 50 MiB of the executable. */
const MAX_RESIDENT = 256 * MiB;

const LOADS = [
  { what: "512 requests each", queue: 512, stalled: 0 },
  { what: "full queues", queue: MAX_INBOUND_REQUESTS, stalled: 0 },
  { what: "more than that", queue: 2 * MAX_INBOUND_REQUESTS, stalled: 0 },
  { what: "half never read", queue: MAX_INBOUND_REQUESTS, stalled: PEERS / 2 },
] as const;

export const manyPeersJob: FaultJob = {
  name: "T8 200 peers",
  async run(trial) {
    const { fixture } = trial;
    const size = 64 * MiB;
    const file = makeBigFile(join(fixture.directory("source"), "disk.img"), size, trial.seed);
    const seed = startServe(fixture, file.path);
    const magnet = await seed.magnet();
    const infoHash = infoHashOfMagnet(magnet);
    await seed.end();
    const opening = () =>
      Buffer.concat([
        handshake(infoHash),
        extended(0, { m: { ut_pex: 1 }, reqq: 2000, v: "flood 1.0" }),
        frame(Id.haveNone),
        frame(Id.interested),
      ]);
    for (const load of LOADS) {
      const requests = Buffer.concat(
        Array.from({ length: load.queue }, () => {
          const block = trial.whole(0, size / BLOCK - 1);
          return frame(Id.request, uint32(Math.floor(block / 16), (block % 16) * BLOCK, BLOCK));
        }),
      );
      const seed = startServe(fixture, file.path);
      await seed.magnet();
      const { host, port } = await seed.waitForEvent("listening");
      const reading = new Flood({ host, port, opening });
      const stalled = new Flood({ host, port, opening, stalled: true });
      await reading.open(PEERS - load.stalled, 10, 30);
      await stalled.open(load.stalled, 10, 30);
      await Bun.sleep(500);
      trial.most("peers", reading.alive + stalled.alive);
      let own = 0;
      const timer = setInterval(() => (own = Math.max(own, ownMemory(seed.pid))), 20);
      for (let turn = 0; turn < trial.times(20, 5); turn++) {
        for (const flood of [reading, stalled]) flood.send(() => requests);
        await Bun.sleep(1_000);
      }
      clearInterval(timer);
      const peak = peakMemory(seed.pid);
      trial.set(`${load.what}: MiB delivered`, Math.round(reading.bytesIn / MiB));
      trial.set(`${load.what}: peak MiB`, rounded(peak / MiB));
      trial.set(`${load.what}: own peak MiB`, rounded(own / MiB));
      trial.expect(peak < MAX_RESIDENT, "too much memory", `${load.what}: ${rounded(peak / MiB)} MiB`);
      trial.expect(!seed.hasExited, "deaths", seed.text("stderr"));
      trial.expect(reading.bytesIn > 0 || load.stalled === PEERS, "nothing delivered", load.what);
      reading.close();
      stalled.close();
      await seed.end();
    }
  },
};
