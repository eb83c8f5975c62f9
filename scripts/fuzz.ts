// Longer fuzzing than in the tests: `npm run fuzz -- [TARGET…] [--seconds 60]`. Without a target, each in turn.
//
//   --seconds N    for each target (default 60)
//   --seed N       repeats a run; also P2PFILE_FUZZ_SEED
//   --runs N       mutated inputs at most; also P2PFILE_FUZZ_RUNS
//   --hang-ms N    an input that takes longer, each of three times, is a failure (default 1000)
//   --input FILE   only this input, for one target
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { MiB } from "../src/lib/units.ts";
import { describeFailure, fuzz, HANG_MS } from "../test/fuzz/engine/fuzz.ts";
import { liveBytes } from "../test/fuzz/engine/live-bytes.ts";
import type { Target } from "../test/fuzz/engine/target.ts";
import { allTargets } from "../test/fuzz/targets/all-targets.ts";

/** An input that takes this long counts as one that never returns. */
const STUCK_MS = 30_000;
/** Inputs of a warm-up, so that compiled code and caches do not count as growth. */
const WARM_UP_RUNS = 1_000;
const { P2PFILE_FUZZ_SEED, P2PFILE_FUZZ_RUNS } = process.env;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: P2PFILE_FUZZ_SEED ?? String(Math.floor(Math.random() * 2 ** 32)) },
    runs: { type: "string", default: P2PFILE_FUZZ_RUNS ?? "Infinity" },
    "hang-ms": { type: "string", default: String(HANG_MS) },
    input: { type: "string" },
  },
});

const unknown = positionals.find((name) => !allTargets.some((target) => target.name === name));
const chosen = allTargets.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const [first] = chosen;
if (unknown !== undefined || first === undefined || (values.input !== undefined && chosen.length > 1)) {
  console.error(unknown === undefined ? "--input needs one target" : `there is no target ${unknown}`);
  console.error(`targets: ${allTargets.map(({ name }) => name).join(" ")}`);
  process.exit(2);
}

if (values.input === undefined) {
  let failed = 0;
  for (const target of chosen) failed += (await run(target)) ? 0 : 1;
  process.exit(failed > 0 ? 1 : 0);
}
// Without a catch: the exception is the result.
console.info(await first.check(Uint8Array.from(readFileSync(values.input))));
process.exit(0);

/** @returns false when an input failed. */
async function run(target: Target): Promise<boolean> {
  const seed = Number(values.seed);
  await fuzz(target, { seed: seed + 1, runs: WARM_UP_RUNS });
  const before = liveBytes();
  const { failure, runs, elapsedMs, behaviours, slowestMs } = await fuzz(target, {
    seed,
    runs: Number(values.runs),
    seconds: Number(values.seconds),
    hangMs: Number(values["hang-ms"]),
    stuckMs: STUCK_MS,
  });
  const sum = [
    `${runs} inputs in ${(elapsedMs / 1000).toFixed(1)} s`,
    `${behaviours} behaviours`,
    `slowest ${slowestMs.toFixed(1)} ms`,
    `${((liveBytes() - before) / MiB).toFixed(1)} MiB more`,
    `seed ${seed}`,
  ].join(", ");
  console.info(`${failure === undefined ? "ok    " : "FAILED"}  ${target.name}: ${sum}`);
  if (failure !== undefined) console.info(describeFailure(target, failure));
  return failure === undefined;
}
