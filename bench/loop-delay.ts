// How late the event loop of the real program is: of a leech that downloads to a disk, of a seed that hashes and serves a
// file which is not in the page cache, and of a seed that does nothing. Adds a line to bench/results/loop-delay.jsonl.
// Usage: npm run bench -- loop-delay [SIZE] [--dir DIRECTORY] [--runs N] [--results FILE]
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { GiB, MiB } from "../src/lib/units.ts";
import { CONTENT_NAME, HOST, SEED_TIMEOUT_MS } from "./contestants/contestant.ts";
import { Workspace } from "./lib/workspace.ts";
import type { Child } from "./lib/child.ts";
import { assertSameContent, writeContent } from "./lib/content-file.ts";
import { fileSystemOf, freeSpace } from "./lib/file-system.ts";
import { availableMemory, describeMachine } from "./lib/machine.ts";
import { markdownTable } from "./lib/markdown-table.ts";
import { dropFromCache, residentBytes } from "./lib/page-cache.ts";
import { appendResult, commandLine, resultsPath } from "./lib/result-lines.ts";
import { parseSize, sizeName } from "./lib/size.ts";
import { SHARED_MEMORY } from "./lib/warm-pages.ts";
import {
  delayOf,
  type Delays,
  delaysIn,
  histogram,
  type Period,
  SAMPLE_INTERVAL_MS,
  shares,
} from "./loop-delay-samples.ts";

const ROOT = resolve(import.meta.dir, "..");
/** As the executable runs (build.ts), with the sampler before it. */
const PROGRAM = [
  process.execPath,
  "--smol",
  "--preload",
  join(import.meta.dir, "loop-delay-preload.ts"),
  join(ROOT, "src/main.ts"),
];
/** With fewer runs the figures are for the eye, not for the books. */
const RUNS_TO_RECORD = 3;
const IDLE_MS = 3_000;
/** A file counts as cold when no more of it than this share is in the page cache. */
const WARM_SHARE = 0.01;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dir: { type: "string", default: tmpdir() },
    runs: { type: "string", default: String(RUNS_TO_RECORD) },
    results: { type: "string" },
  },
});
const size = positionals[0] === undefined ? 4 * GiB : parseSize(positionals[0]);
const runs = Number(flags.runs);
if (!(Number.isInteger(runs) && runs > 0)) throw new Error("--runs wants a number above 0");
const disk = resolve(flags.dir);
if (fileSystemOf(disk) === "tmpfs") throw new Error(`${disk} is no disk: give --dir`);
const workspace = new Workspace();

/** Delays of all runs by what the process was doing, in the order of the table. */
const observed = new Map<string, Delays[]>(
  [
    "idle: a seed without peers",
    "leech: download to disk",
    "seed of that leech: file in memory",
    "seed: hashing a cold file",
    "seed: serving a cold file",
  ].map((name) => [name, []]),
);
const [IDLE, DOWNLOAD, WARM_SERVE, COLD_HASH, COLD_SERVE] = [...observed.keys()];

function note(name: string | undefined, samples: string, period: Period): void {
  const delays = delaysIn(samples, period);
  observed.get(name ?? "")?.push(delays);
  const { p50, p99, max } = delayOf(delays.all);
  const seconds = ((period.to - period.from) / 1000).toFixed(1);
  console.error(`${name}: p50 ${p50}, p99 ${p99}, max ${max} ms in ${seconds} s`);
}

interface Sampled {
  readonly child: Child;
  readonly samples: string;
}

function start(folder: string, args: readonly string[]): Sampled {
  const samples = join(folder, "loop-delay");
  const child = workspace.spawn([...PROGRAM, ...args], {
    cwd: folder,
    log: join(folder, "stderr"),
    env: { P2PFILE_BENCH_LOOP_DELAY: samples },
  });
  return { child, samples };
}

/** When the program wrote its first or last event of this name. */
async function timeOf(child: Child, event: string): Promise<number> {
  const line = await child.waitForOutput(new RegExp(`^(.*"event":"${event}".*)$`, "m"), SEED_TIMEOUT_MS);
  return Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? "");
}

/** One seed and one leech, each in a new folder. `cold`: nothing of the content is in memory when it is asked for. */
async function transfer(content: string, leechParent: string, cold: boolean): Promise<void> {
  const [seedFolder, leechFolder] = [workspace.folder(disk), workspace.folder(leechParent)];
  if (cold) await makeCold(content);
  const seed = start(seedFolder, ["serve", "--json", "--ip", HOST, content]);
  const serving = /"event":"serving".*"(magnet:[^"]+)"/;
  const magnet = await seed.child.waitForOutput(serving, SEED_TIMEOUT_MS + size / (20 * 1024));
  const ready = await timeOf(seed.child, "serving");
  // The first event of hashing is not its begin, but comes after the sources have been loaded and compiled.
  const hashingFrom = await timeOf(seed.child, "hashing");
  await Bun.sleep(IDLE_MS);
  if (cold) await makeCold(content);
  const leech = start(leechFolder, ["download", "--json", "--ip", HOST, magnet]);
  await leech.child.waitForSuccess(60_000 + size / (10 * 1024));
  await leech.child.ended();
  const period = {
    from: await timeOf(leech.child, "metadata"),
    to: await timeOf(leech.child, "completed"),
  };
  seed.child.signal("SIGTERM");
  await seed.child.ended();
  assertSameContent(content, join(leechFolder, CONTENT_NAME));
  note(IDLE, seed.samples, { from: ready + 500, to: ready + IDLE_MS });
  if (cold) {
    note(COLD_HASH, seed.samples, { from: hashingFrom, to: ready });
    note(COLD_SERVE, seed.samples, period);
  } else {
    note(WARM_SERVE, seed.samples, period);
    note(DOWNLOAD, leech.samples, period);
  }
  for (const { child } of [seed, leech]) await workspace.end(child);
  for (const folder of [seedFolder, leechFolder]) workspace.remove(folder);
}

async function makeCold(content: string): Promise<void> {
  const file = await open(content, "r+");
  await file.sync();
  await file.close();
  dropFromCache(content);
  const resident = residentBytes(content);
  if (resident > size * WARM_SHARE) {
    throw new Error(
      `${content}: ${sizeName(resident)} stay in the page cache, so nothing cold can be served`,
    );
  }
}

/** Memory stands for the disk of the other machine where it takes the file, so that the two sides share no disk. */
function farSide(): string {
  const fits = freeSpace(SHARED_MEMORY) > size + 256 * MiB && availableMemory() > 2 * size + GiB;
  return fits ? SHARED_MEMORY : disk;
}

const ascending = (a: number, b: number) => a - b;

function summary(name: string, perRun: readonly Delays[]) {
  const all = perRun.flatMap((run) => run.all).toSorted(ascending);
  const own = perRun.flatMap((run) => run.own).toSorted(ascending);
  const runs = perRun.map((run) => ({ ...delayOf(run.all), own: delayOf(run.own) }));
  return { name, ...delayOf(all), own: delayOf(own), samples: all.length, shares: shares(all), runs };
}

function report(far: string): void {
  const results = Array.from(observed, ([name, perRun]) => summary(name, perRun));
  const ms = (value: number) => value.toFixed(2);
  console.log(
    `\n${sizeName(size)}, disk ${fileSystemOf(disk)}, the other side on ${fileSystemOf(far)}, ${runs} runs\n`,
  );
  console.log(
    markdownTable(
      ["event loop late by, ms", "p50", "p99", "max", "p99 own", "max own", "max of each run"],
      results.map(({ name, p50, p99, max, own, runs }) => [
        name,
        ...[p50, p99, max, own.p99, own.max].map(ms),
        runs.map((run) => run.max.toFixed(1)).join(" "),
      ]),
    ),
  );
  for (const { name, shares } of results) console.log(`\n${name}\n${histogram(shares)}`);
  if (runs < RUNS_TO_RECORD && flags.results === undefined) {
    console.log(`\nNot recorded: fewer than ${RUNS_TO_RECORD} runs.`);
    return;
  }
  appendResult(flags.results ?? resultsPath("loop-delay"), {
    date: new Date().toISOString(),
    command: commandLine("loop-delay"),
    machine: describeMachine(),
    versions: { bun: Bun.version, p2pfile: packageJson.version },
    fileSystem: fileSystemOf(disk),
    farFileSystem: fileSystemOf(far),
    size,
    rounds: runs,
    intervalMs: SAMPLE_INTERVAL_MS,
    results,
  });
}

try {
  const far = farSide();
  const copies = far === disk ? 2 : 1;
  if (freeSpace(disk) < copies * size + 256 * MiB) throw new Error(`${disk}: ${sizeName(size)} do not fit`);
  for (const cold of [false, true]) {
    const folder = workspace.folder(cold ? disk : far);
    const content = join(folder, CONTENT_NAME);
    writeContent(content, size);
    for (let run = 0; run < runs; run++) await transfer(content, cold ? far : disk, cold);
    workspace.remove(folder);
  }
  report(far);
} finally {
  await workspace.close();
}
process.exit(0);
