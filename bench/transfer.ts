// How long a file takes from one seed to one leech on this machine, for p2pfile and its rivals side by side: every round
// runs each of them once, in turns, so that all meet the same machine. Prints a table, adds a line per file system and
// size to bench/results/transfer.jsonl.
// Usage: npm run bench -- transfer [SIZE]... [--runs N] [--dir DIRECTORY] [--on tmpfs,disk] [--only NAME,NAME]
//   [--also NAME=EXECUTABLE]... (another build of p2pfile, to compare a change)
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { pieceLengthFor } from "../src/core/piece-length.ts";
import { GiB, MiB } from "../src/lib/units.ts";
import { aria2 } from "./contestants/aria2.ts";
import { CONTENT_NAME, type Contestant } from "./contestants/contestant.ts";
import { libtorrent } from "./contestants/libtorrent.ts";
import { nginx } from "./contestants/nginx.ts";
import { buildOf, p2pfile } from "./contestants/p2pfile.ts";
import { Bed } from "./lib/bed.ts";
import { writeContent } from "./lib/content-file.ts";
import { fileSystemOf, freeSpace } from "./lib/file-system.ts";
import { availableMemory, describeMachine } from "./lib/machine.ts";
import { runOnce, type RunFigures, type Stage } from "./lib/one-run.ts";
import { appendResult, commandLine, resultsPath } from "./lib/result-lines.ts";
import { parseSize, sizeName } from "./lib/size.ts";
import { writeTorrent } from "./lib/torrent-file.ts";
import { type ContestantRuns, summarize, transferTable } from "./lib/transfer-report.ts";
import { SHARED_MEMORY } from "./lib/warm-pages.ts";

/** With fewer runs the figures are for the eye, not for the books. */
const RUNS_TO_RECORD = 5;
const CONTESTANTS: readonly Contestant[] = [p2pfile, nginx, libtorrent, aria2];

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: String(RUNS_TO_RECORD) },
    dir: { type: "string", default: tmpdir() },
    on: { type: "string", default: "tmpfs,disk" },
    only: { type: "string", default: CONTESTANTS.map(({ name }) => name).join(",") },
    also: { type: "string", multiple: true, default: [] },
    results: { type: "string" },
  },
});
const sizes = positionals.length === 0 ? [GiB] : positionals.map(parseSize);
const rounds = Number(flags.runs);
if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error("--runs wants a number above 0");
const wanted = flags.only.split(",");
const contestants = [
  ...CONTESTANTS.filter(({ name }) => wanted.some((word) => name.startsWith(word))),
  ...flags.also.map((pair) => {
    const [name = "", executable = ""] = pair.split("=");
    return buildOf(name, resolve(executable));
  }),
];

interface Entry {
  readonly contestant: Contestant;
  readonly version: string | undefined;
  readonly runs: (RunFigures | undefined)[];
  problem: string | undefined;
}

/** @throws when a run does not fit: better than to fill a disk or to make the machine swap. */
function assertRoom(folder: string, size: number): void {
  const files = 2 * size + 256 * MiB;
  if (freeSpace(folder) < files)
    throw new Error(`${folder}: two copies of ${sizeName(size)} do not fit; give another --dir`);
  if (availableMemory() < files + GiB)
    throw new Error(`two copies of ${sizeName(size)} do not fit the free memory: give a smaller size`);
}

function prepare(bed: Bed, parent: string, size: number): Stage {
  const folder = bed.folder(parent);
  const content = join(folder, CONTENT_NAME);
  const torrent = join(folder, "content.torrent");
  writeContent(content, size);
  writeTorrent(torrent, content, size, pieceLengthFor(size));
  return { bed, folder, content, torrent, size };
}

/** `round` 0 is not counted: it warms what only a first run finds cold. */
async function playRound(entries: readonly Entry[], stage: Stage, round: number): Promise<void> {
  for (let turn = 0; turn < entries.length; turn++) {
    const entry = entries[(turn + round) % entries.length];
    if (entry === undefined || entry.problem !== undefined) continue;
    try {
      const figures = await runOnce(entry.contestant, stage);
      if (round > 0) entry.runs[round - 1] = figures;
      const count = round === 0 ? "warm-up" : `run ${round}`;
      console.error(`${count.padEnd(8)} ${entry.contestant.name.padEnd(14)} ${figures.wall.toFixed(2)} s`);
    } catch (error) {
      entry.problem = error instanceof Error ? error.message : String(error);
      console.error(`${entry.contestant.name}: ${entry.problem}`);
    }
  }
}

async function compare(bed: Bed, parent: string, size: number): Promise<boolean> {
  assertRoom(parent, size);
  const stage = prepare(bed, parent, size);
  const entries = contestants.map((contestant): Entry => {
    const version = contestant.version();
    return { contestant, version, runs: [], problem: version === undefined ? "not installed" : undefined };
  });
  for (let round = 0; round <= rounds; round++) await playRound(entries, stage, round);
  bed.remove(stage.folder);
  report(entries, parent, size);
  return entries.every(({ version, problem }) => version === undefined || problem === undefined);
}

function report(entries: readonly Entry[], parent: string, size: number): void {
  const fileSystem = fileSystemOf(parent);
  const runs = entries.map(({ contestant, version, problem, runs }): ContestantRuns => ({
    name: contestant.name,
    version,
    problem,
    runs: Array.from({ length: rounds }, (_, round) => runs[round]),
  }));
  const results = summarize(runs, size);
  const isMemory = fileSystem === "tmpfs";
  console.log(
    `\n${sizeName(size)} from one seed to one leech over loopback, ${fileSystem}, ${rounds} runs: median (min–max)\n`,
  );
  console.log(transferTable(results, !isMemory));
  for (const { name, problem } of runs) if (problem !== undefined) console.log(`\n${name}: ${problem}`);
  if (rounds < RUNS_TO_RECORD && flags.results === undefined) {
    console.log(`\nNot recorded: fewer than ${RUNS_TO_RECORD} runs.`);
    return;
  }
  appendResult(flags.results ?? resultsPath("transfer"), {
    date: new Date().toISOString(),
    command: commandLine("transfer"),
    machine: describeMachine(),
    versions: { bun: Bun.version, ...Object.fromEntries(runs.map(({ name, version }) => [name, version])) },
    fileSystem,
    size,
    pieceLength: pieceLengthFor(size),
    rounds,
    results,
    missing: runs.flatMap(({ name, problem }) => (problem === undefined ? [] : [{ name, problem }])),
  });
}

const bed = new Bed();
let allWell = true;
try {
  const places = new Map([
    ["tmpfs", SHARED_MEMORY],
    ["disk", flags.dir],
  ]);
  for (const on of flags.on.split(",")) {
    const parent = places.get(on);
    if (parent === undefined) throw new Error(`--on ${on}: is neither tmpfs nor disk`);
    if (on === "disk" && fileSystemOf(parent) === "tmpfs") {
      console.error(`${parent} is no disk: give --dir`);
      continue;
    }
    for (const size of sizes) allWell = (await compare(bed, parent, size)) && allWell;
  }
} finally {
  await bed.close();
}
process.exit(allWell ? 0 : 1);
