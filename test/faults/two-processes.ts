// T13: two processes start the same download at once: one gets it, the other ends with a message within a second. And four
// different downloads share one directory and one state file.
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { type FaultJob, type Trial } from "./lib/job.ts";
import { finalState, partFileIn, startDownload, startServe } from "./lib/run.ts";

const NAME = "disk.img";
const BUSY = 8;
/** Milliseconds from the start to the end of the refused process. */
const LOSER_MS = 1_000;

export const twoProcessesJob: FaultJob = {
  name: "T13 two processes",
  async run(trial) {
    for (const what of ["pairs", "not one winner", "late losers", "corrupt"]) trial.set(what, 0);
    const { fixture } = trial;
    const file = makeBigFile(join(fixture.directory("source"), NAME), 32 * MiB, trial.seed);
    const seed = startServe(fixture, file.path, { flags: ["--upload-limit", "24"] });
    const magnet = await seed.magnet();
    for (let pair = 0; pair < trial.times(60, 20); pair++) {
      const cwd = fixture.directory("pair");
      // Half of the pairs have a working directory each, and share the destination only.
      const isApart = pair % 2 === 1;
      const flags = ["--dir", cwd];
      const begun = performance.now();
      const both = [0, 1].map(() =>
        startDownload(fixture, { magnet, cwd: isApart ? fixture.directory("own") : cwd, flags }),
      );
      const ends = await Promise.all(
        both.map(async (run) => ({ code: await run.waitForExit(30_000), at: performance.now() })),
      );
      trial.count("pairs");
      const codes = ends.map((end) => end.code).toSorted((a, b) => a - b);
      const output = both.map((run) => run.text("stderr")).join("\n");
      trial.expect(codes.join() === `0,${BUSY}`, "not one winner", `${codes.join()}\n${output}`);
      const loser = ends.find((end) => end.code === BUSY);
      if (loser !== undefined) {
        const ms = loser.at - begun;
        trial.most("slowest loser ms", Math.round(ms));
        trial.expect(ms <= LOSER_MS, "late losers", `${Math.round(ms)} ms`);
      }
      trial.expect(!/SQLITE_BUSY|database is locked/i.test(output), "BUSY shown", output);
      const isRight = finalState(join(cwd, NAME), file.sha256) === "right" && partFileIn(cwd) === undefined;
      trial.expect(isRight, "corrupt", `pair ${pair}`);
    }
    await fourAtOnce(trial);
  },
};

async function fourAtOnce(trial: Trial): Promise<void> {
  const { fixture } = trial;
  const source = fixture.directory("source");
  const files = [0, 1, 2, 3].map((index) =>
    makeBigFile(join(source, `file-${index}`), 12 * MiB, trial.seed + 1 + index),
  );
  const seeds = files.map((file) => startServe(fixture, file.path));
  const magnets = await Promise.all(seeds.map((seed) => seed.magnet()));
  for (let turn = 0; turn < trial.times(60, 10); turn++) {
    const cwd = fixture.directory("four");
    const runs = magnets.map((magnet) => startDownload(fixture, { magnet, cwd }));
    const codes = await Promise.all(runs.map((run) => run.waitForExit(30_000)));
    trial.count("fours");
    const output = runs.map((run) => run.text("stderr")).join("\n");
    trial.expect(
      codes.every((code) => code === 0),
      "fours failed",
      `${codes.join()}\n${output}`,
    );
    trial.expect(!/SQLITE_BUSY|database is locked/i.test(output), "BUSY shown", output);
    const allRight = files.every(
      (file, index) => finalState(join(cwd, `file-${index}`), file.sha256) === "right",
    );
    trial.expect(allRight, "corrupt", `four, turn ${turn}`);
  }
  await Promise.all(seeds.map((seed) => seed.end()));
}
