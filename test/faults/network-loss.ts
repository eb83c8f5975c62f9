// T11, the network: packets are lost, or none gets through for a minute, in a network namespace of its own. No process gives
// up, no peer is banned, and little is sent twice.
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { type BigFile, makeBigFile } from "../helpers/big-file.ts";
import { binaryPath } from "../helpers/executable.ts";
import type { P2pfile } from "../helpers/binary.ts";
import { type FaultJob, NotPossible, rounded, type Trial } from "./lib/job.ts";
import { NetworkNamespace } from "./lib/network-namespace.ts";
import { finalState, startDownload, startServe } from "./lib/run.ts";

const NAME = "disk.img";
const LOSSY_SIZE = 32 * MiB;
const PARTED_SIZE = 256 * MiB;
/** MiB/s during the partition test. */
const PARTED_RATE = 32;
const LOSS = 0.05;
/** In each direction: a round trip takes 50 ms. */
const DELAY_MS = 25;
/** Lost packets, at least, of 22,000 or more; some carry two or three segments. */
const LEAST_LOST = 300;
const RESUMED_MS = 45_000;
const DUPLICATE_SHARE = 0.02;
/** After a silence of SNUB_MS the outstanding blocks are requested again, and both answers arrive: 300 ms of the rate. */
const WINDOW = 0.3 * PARTED_RATE * MiB;

export const lossyLinkJob: FaultJob = {
  name: "T11 lossy link",
  async run(trial) {
    const network = await NetworkNamespace.make(trial.fixture);
    network.lose(LOSS);
    try {
      network.delay(DELAY_MS);
    } catch (error) {
      if (!(error instanceof NotPossible)) throw error;
      trial.lacks(error.message);
    }
    const { file, seed, leech } = await transfer(trial, network, LOSSY_SIZE, []);
    const code = await leech.waitForExit(90_000).catch(() => -1);
    trial.set("packets lost", network.lost);
    trial.expect(network.lost > LEAST_LOST, "nothing lost", String(network.lost));
    await checkOutcome(trial, file, seed, leech, code, 0);
  },
};

/** No packet gets through, without any reset or refusal. */
export const partitionJob: FaultJob = {
  name: "T11 partition",
  async run(trial) {
    const network = await NetworkNamespace.make(trial.fixture);
    network.lose(0);
    const { file, seed, leech } = await transfer(trial, network, PARTED_SIZE, [
      "--upload-limit",
      String(PARTED_RATE),
    ]);
    const at = await leech.waitForProgress((snapshot) => snapshot.completed >= 48 * MiB);
    const seconds = trial.times(60, 20);
    trial.set("cut s", seconds);
    network.lose(1);
    await Bun.sleep(seconds * 1000);
    trial.expect(!leech.hasExited && !seed.hasExited, "gave up", leech.text("stderr").slice(-500));
    network.lose(0);
    const begun = performance.now();
    await leech
      .waitForProgress((snapshot) => snapshot.completed >= at.completed + 16 * MiB, 0, RESUMED_MS)
      .catch(() => trial.expect(false, "not resumed", leech.text("stderr").slice(-500)));
    trial.set("resumed after ms", Math.round(performance.now() - begun));
    await checkOutcome(trial, file, seed, leech, await leech.waitForExit(30_000).catch(() => -1), WINDOW);
  },
};

async function transfer(trial: Trial, network: NetworkNamespace, size: number, flags: readonly string[]) {
  const { fixture } = trial;
  const under = (program: readonly string[]) => network.inside([binaryPath, ...program]);
  const file = makeBigFile(join(fixture.directory("source"), NAME), size, trial.seed);
  const seed = startServe(fixture, file.path, { under, flags });
  const magnet = await seed.magnet();
  const leech = startDownload(fixture, {
    magnet,
    cwd: fixture.directory("leech"),
    under,
    flags: ["--debug"],
  });
  return { file, seed, leech };
}

async function checkOutcome(
  trial: Trial,
  file: BigFile,
  seed: P2pfile,
  leech: P2pfile,
  code: number,
  allowedTwice: number,
): Promise<void> {
  const isRight = code === 0 && finalState(join(leech.cwd, NAME), file.sha256) === "right";
  trial.expect(isRight, "corrupt", `${code} ${leech.text("stderr").slice(-500)}`);
  trial.expect(!leech.text("stderr").includes("hashMismatch"), "bans", leech.text("stderr"));
  // The seed's next progress event has the bytes that it has sent.
  await Bun.sleep(1_200);
  const twice = (seed.snapshot()?.uploaded ?? 0) - file.size;
  trial.set("sent twice MiB", rounded(twice / MiB));
  trial.expect(
    twice <= DUPLICATE_SHARE * file.size + allowedTwice,
    "too much sent twice",
    `${rounded(twice / MiB)} MiB`,
  );
  await seed.end();
}
