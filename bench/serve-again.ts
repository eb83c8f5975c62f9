// How long a user waits for the magnet of a big file: the first time, when it is hashed, and again, when p2pfile remembers
// it; and how long for the help. From the start of the executable, in turns. Prints a table, adds a line per size to
// bench/results/serve-again.jsonl.
// Usage: npm run bench -- serve-again [SIZE]... [--runs N] [--dir DIRECTORY]
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { GiB, MiB } from "../src/lib/units.ts";
import { CONTENT_NAME, HOST, SEED_TIMEOUT_MS } from "./contestants/contestant.ts";
import { EXECUTABLE, p2pfile } from "./contestants/p2pfile.ts";
import { Workspace } from "./lib/workspace.ts";
import { writeContent } from "./lib/content-file.ts";
import { fileSystemOf, freeSpace } from "./lib/file-system.ts";
import { availableMemory } from "./lib/machine.ts";
import { markdownTable } from "./lib/markdown-table.ts";
import { cpuOf } from "./lib/process-meter.ts";
import { parseRuns, record } from "./lib/record.ts";
import { failures, playRounds, tellRun } from "./lib/rounds.ts";
import { parseSize, sizeName } from "./lib/size.ts";
import { rounded, spreadOf, toldSpread } from "./lib/statistics.ts";
import { warmPages } from "./lib/warm-pages.ts";

/** More than the process takes. */
const WARM_LENGTH = 256 * MiB;
/** One that has not ended by then is killed. */
const STOP_TIMEOUT_MS = 5_000;
/** Of the help, in every round: it is over at once. */
const HELPS_PER_ROUND = 2;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "10" },
    dir: { type: "string", default: tmpdir() },
    results: { type: "string" },
  },
});
const sizes = positionals.length === 0 ? [4 * GiB] : positionals.map(parseSize);
const rounds = parseRuns(flags.runs);

interface Wait {
  readonly milliseconds: number;
  /** Milliseconds of processor time until then, in steps of 10 for a process that goes on. */
  readonly cpu: number;
}

interface Place {
  readonly workspace: Workspace;
  /** Where the content lies. */
  readonly folder: string;
  readonly content: string;
  /** Where p2pfile remembers the content, and what it said of it. */
  readonly kept: string;
  readonly magnet: string;
}

/** @throws when it does not fit: better than to fill a disk or to read from one. */
function assertRoom(size: number): void {
  if (freeSpace(flags.dir) < size + 256 * MiB)
    throw new Error(`${flags.dir}: ${sizeName(size)} do not fit; give another --dir`);
  if (availableMemory() < size + GiB)
    throw new Error(`${sizeName(size)} do not fit the free memory: give a smaller size`);
}

/** Until the magnet is there. The process then ends in an orderly way: what it remembers is on the disk. */
async function serve(
  { workspace, content }: Pick<Place, "workspace" | "content">,
  cwd: string,
): Promise<[Wait, string]> {
  const start = performance.now();
  const child = workspace.spawn([EXECUTABLE, "serve", "--ip", HOST, content], {
    cwd,
    log: join(cwd, "stderr"),
  });
  try {
    const magnet = await child.waitForOutput(/^(magnet:\S+)$/m, SEED_TIMEOUT_MS);
    const milliseconds = performance.now() - start;
    const { user, system } = cpuOf(child.pid);
    child.signal("SIGINT");
    await Promise.race([child.ended(), Bun.sleep(STOP_TIMEOUT_MS)]);
    return [{ milliseconds, cpu: (user + system) * 1000 }, magnet];
  } finally {
    await workspace.end(child);
  }
}

async function prepare(workspace: Workspace, size: number): Promise<Place> {
  const folder = workspace.folder(flags.dir);
  const content = join(folder, CONTENT_NAME);
  writeContent(content, size);
  // Pages that wait for the disk would be written back while the clock runs.
  const file = await open(content, "r+");
  await file.datasync();
  await file.close();
  const kept = workspace.folder(folder);
  const [, magnet] = await serve({ workspace, content }, kept);
  return { workspace, folder, content, kept, magnet };
}

async function first(place: Place): Promise<Wait[]> {
  const cwd = place.workspace.folder(place.folder);
  const [wait] = await serve(place, cwd);
  place.workspace.remove(cwd);
  return [wait];
}

async function again(place: Place): Promise<Wait[]> {
  const [wait, magnet] = await serve(place, place.kept);
  if (magnet !== place.magnet) throw new Error(`${magnet} is not the magnet of before, ${place.magnet}`);
  return [wait];
}

async function help({ workspace, folder }: Place): Promise<Wait[]> {
  const waits: Wait[] = [];
  for (let i = 0; i < HELPS_PER_ROUND; i++) {
    const start = performance.now();
    const child = workspace.spawn([EXECUTABLE, "--help"], { cwd: folder, log: join(folder, "stderr") });
    await child.waitForSuccess(SEED_TIMEOUT_MS);
    const milliseconds = performance.now() - start;
    await workspace.end(child);
    const { user, system } = child.totalCpu;
    waits.push({ milliseconds, cpu: (user + system) * 1000 });
  }
  return waits;
}

async function measure(workspace: Workspace, size: number): Promise<boolean> {
  assertRoom(size);
  const version = p2pfile.version();
  if (version === undefined) throw new Error(`${EXECUTABLE} is not there: npm run build`);
  const place = await prepare(workspace, size);
  const play = (run: (place: Place) => Promise<Wait[]>) => () => {
    warmPages(WARM_LENGTH);
    return run(place);
  };
  const contenders = [
    { name: "serve, first time", version, play: play(first) },
    { name: "serve again", version, play: play(again) },
    { name: "--help", version, play: play(help) },
  ];
  const told = (waits: readonly Wait[]) =>
    waits.map(({ milliseconds }) => `${milliseconds.toFixed(0)} ms`).join(", ");
  const series = await playRounds(contenders, rounds, tellRun(told));
  workspace.remove(place.folder);
  const results = series.flatMap(({ name, runs }) => {
    const waits = runs.flatMap((run) => run ?? []);
    if (waits.length === 0) return [];
    return [
      {
        name,
        milliseconds: spreadOf(waits.map(({ milliseconds }) => milliseconds)),
        cpu: spreadOf(waits.map(({ cpu }) => cpu)),
        runs: waits.map(({ milliseconds }) => rounded(milliseconds, 2)),
      },
    ];
  });
  const fileSystem = fileSystemOf(flags.dir);
  console.log(
    `\nFrom the start of p2pfile to its magnet of ${sizeName(size)} in the page cache, ${fileSystem}: median (min–max)\n`,
  );
  const rows = results.map(({ name, milliseconds, cpu, runs }) => [
    name,
    toldSpread(milliseconds, 0),
    cpu.median.toFixed(0),
    String(runs.length),
  ]);
  console.log(markdownTable(["", "ms", "CPU ms", "runs"], rows));
  for (const { name, problem } of series) if (problem !== undefined) console.log(`\n${name}: ${problem}`);
  record({ name: "serve-again", rounds, versions: { p2pfile: version }, file: flags.results }, series, {
    fileSystem,
    size,
    results,
  });
  return failures(series).length === 0;
}

const workspace = new Workspace();
let allWell = true;
try {
  for (const size of sizes) allWell = (await measure(workspace, size)) && allWell;
} finally {
  await workspace.close();
}
process.exit(allWell ? 0 : 1);
