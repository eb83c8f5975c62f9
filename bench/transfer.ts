// How long a file takes from one seed to one leech on this machine, for p2pfile and its rivals side by side: every round
// runs each of them once, in turns, so that all meet the same machine. Prints a table, adds a line per file system and
// size to bench/results/transfer.jsonl.
// Usage: npm run bench -- transfer [SIZE]... [--runs N] [--dir DIRECTORY] [--on tmpfs,disk] [--only NAME,NAME]
//   [--also NAME=EXECUTABLE]... (another build of p2pfile, to compare a change)
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { pieceLengthFor } from "../src/core/torrent/piece-length.ts";
import { GiB } from "../src/lib/units.ts";
import { aria2 } from "./contestants/aria2.ts";
import type { Contestant } from "./contestants/contestant.ts";
import { libtorrent } from "./contestants/libtorrent.ts";
import { nginx } from "./contestants/nginx.ts";
import { buildOf, p2pfile } from "./contestants/p2pfile.ts";
import { Workspace } from "./lib/workspace.ts";
import { fileSystemOf } from "./lib/file-system.ts";
import { runOnce, type RunFigures } from "./lib/one-run.ts";
import { placesOf } from "./lib/places.ts";
import { parseRuns, record, RUNS_TO_RECORD } from "./lib/record.ts";
import { failures, playRounds, type Series, tellRun } from "./lib/rounds.ts";
import { parseSize, sizeName } from "./lib/size.ts";
import { newStage } from "./lib/stage.ts";
import { summarize, transferTable } from "./lib/transfer-report.ts";

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
const rounds = parseRuns(flags.runs);
const wanted = flags.only.split(",");
const contestants = [
  ...CONTESTANTS.filter(({ name }) => wanted.some((word) => name.startsWith(word))),
  ...flags.also.map((pair) => {
    const [name = "", executable = ""] = pair.split("=");
    return buildOf(name, resolve(executable));
  }),
];

async function compare(workspace: Workspace, parent: string, size: number): Promise<boolean> {
  const stage = newStage(workspace, parent, size);
  const contenders = contestants.map((contestant) => ({
    name: contestant.name,
    version: contestant.version(),
    play: () => runOnce(contestant, stage),
  }));
  const series = await playRounds(
    contenders,
    rounds,
    tellRun(({ wall }) => `${wall.toFixed(2)} s`),
  );
  workspace.remove(stage.folder);
  report(series, fileSystemOf(parent), size);
  return failures(series).length === 0;
}

function report(series: readonly Series<RunFigures>[], fileSystem: string, size: number): void {
  const results = summarize(series, size);
  console.log(
    `\n${sizeName(size)} from one seed to one leech over loopback, ${fileSystem}, ${rounds} runs: median (min–max)\n`,
  );
  console.log(transferTable(results, fileSystem !== "tmpfs"));
  for (const { name, problem } of series) if (problem !== undefined) console.log(`\n${name}: ${problem}`);
  const versions = Object.fromEntries(series.map(({ name, version }) => [name, version]));
  record({ name: "transfer", rounds, versions, file: flags.results }, series, {
    fileSystem,
    size,
    pieceLength: pieceLengthFor(size),
    results,
  });
}

const workspace = new Workspace();
let allWell = true;
try {
  for (const parent of placesOf(flags.on, flags.dir)) {
    for (const size of sizes) allWell = (await compare(workspace, parent, size)) && allWell;
  }
} finally {
  await workspace.close();
}
process.exit(allWell ? 0 : 1);
