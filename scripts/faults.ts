// Injects faults into the real executable and counts the outcomes: `npm run test:faults` (15 minutes at most), `npm run soak`
// (more of each, and longer). One line per job; the last line is `N passed, N failed, N skipped`.
//
//   [NAME…]      only jobs whose name contains one of these: `npm run test:faults -- T4`
//   --full       the counts of the soak
//   --seed N     repeats the random choices of a run (not its timing)
//   --record     appends a line of JSON per job to test/faults/results.jsonl, for scripts/promises-doc.ts
//   --verbose    every failure, and what the jobs print
//
// P2PFILE_BINARY runs another build.
import { appendFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import type { FaultJob } from "../test/faults/lib/job.ts";
import { staleness } from "../test/helpers/executable.ts";
import { FAULT_RESULTS, type FaultResult } from "./promises-doc.ts";

const FAILURES_SHOWN = 5;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: "boolean", default: false },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
    record: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

const stale = staleness();
if (stale !== undefined) {
  console.error(`${stale}: run \`npm run build\``);
  process.exit(2);
}
// Imported here, because these modules refuse a stale executable.
const { allJobs } = await import("../test/faults/all-jobs.ts");
const { NotPossible, Trial } = await import("../test/faults/lib/job.ts");
const { TestFixture } = await import("../test/helpers/test-directory.ts");

const chosen = allJobs.filter(
  ({ name, soakOnly }) =>
    (flags.full || positionals.length > 0 || soakOnly !== true) &&
    (positionals.length === 0 || positionals.some((part) => name.toLowerCase().includes(part.toLowerCase()))),
);
if (chosen.length === 0) {
  console.error(`no such job; there are: ${allJobs.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const say = (line: string) => process.stdout.write(`${line}\n`);
if (!flags.verbose) console.info = () => {};

type Verdict = FaultResult["verdict"];

async function attempt(job: FaultJob): Promise<Verdict> {
  const fixture = new TestFixture();
  const trial = new Trial(fixture, flags.full, Number(flags.seed));
  const begun = performance.now();
  let verdict: Verdict = "passed";
  try {
    await job.run(trial);
  } catch (error) {
    if (error instanceof NotPossible) {
      verdict = "skipped";
      trial.notes.push(error.message);
    } else trial.failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await fixture.end();
  }
  if (trial.failures.length > 0) verdict = "failed";
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(1));
  const counts = Object.entries(trial.counts).map(([what, value]) => `${what} ${value}`);
  const words = [...counts, ...trial.notes].join(", ");
  const label = { passed: "ok     ", failed: "FAILED ", skipped: "skipped" }[verdict];
  say(`${label} ${job.name}: ${words} (${seconds} s)`);
  const shown = flags.verbose ? trial.failures : trial.failures.slice(0, FAILURES_SHOWN);
  for (const failure of shown) say(`        ${failure.slice(0, flags.verbose ? undefined : 600)}`);
  if (trial.failures.length > shown.length) say(`        and ${trial.failures.length - shown.length} more`);
  if (flags.record) {
    const result: FaultResult = {
      at: new Date().toISOString(),
      job: job.name,
      verdict,
      seconds,
      full: flags.full,
      seed: flags.seed,
      counts: trial.counts,
      notes: trial.notes,
      failures: trial.failures,
      machine: { cpus: cpus().length, kernel: release() },
    };
    appendFileSync(FAULT_RESULTS, `${JSON.stringify(result)}\n`);
  }
  return verdict;
}

say(`seed ${flags.seed}`);
const tally = { passed: 0, failed: 0, skipped: 0 };
for (const job of chosen) tally[await attempt(job)]++;
say(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
process.exit(tally.failed > 0 ? 1 : 0);
