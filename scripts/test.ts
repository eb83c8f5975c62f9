// All checks, `npm test`: type check, lint, format, a build of the executable, unit tests, then the tests that run the
// executable. The last line is `N passed, N failed`.
//
//   --require-peers   a missing other client (libtorrent, aria2, Transmission) is a failure, not a skip
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { staleness } from "../test/helpers/executable.ts";

const { values: flags } = parseArgs({ options: { "require-peers": { type: "boolean", default: false } } });

const root = resolve(import.meta.dir, "..");
const bun = process.execPath;
const tool = (name: string) => join(root, "node_modules/.bin", name);
/** Folders whose tests run the executable; two of the files measure, and each runs alone. */
const PROCESS_FOLDERS = ["test/e2e/", "test/interop/"];
const ALONE = new Set(["test/e2e/rate-limit.test.ts", "test/e2e/guard.test.ts"]);
const PROCESS_TEST_TIMEOUT_MS = 150_000;

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];

interface RunResult {
  readonly exitCode: number;
  readonly output: string;
}

async function run(command: readonly string[], environment: Record<string, string> = {}): Promise<RunResult> {
  const child = Bun.spawn([...command], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, output: out + error };
}

/** A tool counts as one test. */
async function check(name: string, command: readonly string[]): Promise<boolean> {
  const { exitCode, output } = await run(command);
  record(
    name,
    exitCode,
    output,
    exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 },
  );
  return exitCode === 0;
}

async function runTests(
  name: string,
  files: readonly string[],
  environment: Record<string, string> = {},
): Promise<void> {
  const started = performance.now();
  const timeout = PROCESS_FOLDERS.some((folder) => files[0]?.startsWith(folder))
    ? PROCESS_TEST_TIMEOUT_MS
    : 60_000;
  const paths = files.map((file) => `./${file}`);
  const { exitCode, output } = await run([bun, "test", "--timeout", String(timeout), ...paths], environment);
  const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}s?$`, "m").exec(output)?.[1] ?? 0);
  const tally = {
    passed: count("pass"),
    failed: count("fail") + count("error"),
    skipped: count("skip") + count("todo"),
  };
  // A run without a summary has crashed: it counts as a failure.
  if (exitCode !== 0 && tally.failed === 0) tally.failed = 1;
  if (exitCode === 0 && tally.passed + tally.skipped === 0) tally.failed = 1;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  record(`${name} (${tally.passed} passed, ${tally.skipped} skipped, ${seconds} s)`, exitCode, output, tally);
  // Bun repeats failures in its summary.
  const skips = new Set(output.split("\n").filter((line) => line.startsWith("(skip)")));
  for (const line of skips) console.info(`        ${line}`);
}

function record(name: string, exitCode: number, output: string, tally: Tally): void {
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
  const ok = exitCode === 0 && tally.failed === 0;
  console.info(`${ok ? "ok    " : "FAILED"}  ${name}`);
  if (ok) return;
  const tests = new Set(output.split("\n").filter((line) => line.startsWith("(fail)")));
  failures.push([name, ...tests].join("\n  "));
  console.info(whatFailed(output));
}

/** Shows only the files with failures, because long logs are often truncated. */
function whatFailed(output: string): string {
  const [head = "", ...files] = output.split(/^(?=\S+\.test\.ts:$)/m);
  if (files.length === 0) return output;
  const failed = files.filter((part) => /^\(fail\)|^error|^# Unhandled/m.test(part));
  const withoutPasses = failed.map((part) => part.replaceAll(/^\(pass\).*\n/gm, ""));
  return [...withoutPasses, head, files.at(-1)?.match(/^ *\d+ pass[^]*/m)?.[0]].join("\n");
}

function testFiles(): string[] {
  return [...new Bun.Glob("test/**/*.test.ts").scanSync(root)].toSorted();
}

/** Runs at most `width` at a time, in the given order. */
async function inParallel(jobs: readonly (() => Promise<void>)[], width: number): Promise<void> {
  const queue = jobs.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const job of queue) await job();
    }),
  );
}

await inParallel(
  [
    () => check("types", [tool("tsc"), "--noEmit", "-p", "."]),
    () => check("declarations", [tool("tsc"), "--noEmit", "-p", "tsconfig.types.json"]),
    () => check("lint", [tool("oxlint"), "--type-aware"]),
    () => check("format", [tool("oxfmt"), "--check", "."]),
  ].map((job) => async () => void (await job())),
  2,
);

const files = testFiles();
const unit = files.filter((file) => !PROCESS_FOLDERS.some((folder) => file.startsWith(folder)));
const withProcesses = files.filter((file) => PROCESS_FOLDERS.some((folder) => file.startsWith(folder)));
await runTests("unit tests", unit);

if (staleness() === undefined || (await check("build", [bun, "build.ts"]))) {
  let network = 20;
  const job = (file: string) => async () => {
    network++;
    const environment: Record<string, string> = { P2PFILE_TEST_NETWORK: String(network) };
    if (flags["require-peers"]) environment["P2PFILE_REQUIRE_PEERS"] = "1";
    await runTests(relative("test", file), [file], environment);
  };
  const together = withProcesses.filter((file) => !ALONE.has(file));
  await inParallel(together.map(job), Math.min(3, availableParallelism()));
  for (const file of withProcesses.filter((path) => ALONE.has(path))) await job(file)();
}

if (failures.length > 0) console.info(`\nfailed:\n${failures.join("\n")}`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.info(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed > 0 ? 1 : 0);
