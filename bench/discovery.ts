// How fast p2pfile finds what it needs, from the start of the process: the real executable, many processes on loopback or
// on hosts of their own (network namespaces, which need root). Prints a table, adds a line to bench/results/discovery.jsonl.
// Usage: npm run bench -- discovery [--on loopback|namespaces] [--processes 30] [--runs 4]
//   [--only together,peers,seed-last,seed-again,dead-pe] [--results FILE]
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MiB } from "../src/lib/units.ts";
import { CONTENT_NAME } from "./contestants/contestant.ts";
import { EXECUTABLE, p2pfile } from "./contestants/p2pfile.ts";
import { type Bar, BARS, type Round, type Stage } from "./discovery-bars.ts";
import { Crew, type Place, placeOf } from "./discovery-hosts.ts";
import { Workspace } from "./lib/workspace.ts";
import { complain, orComplain } from "./lib/complain.ts";
import { writeContent } from "./lib/content-file.ts";
import { describeMachine } from "./lib/machine.ts";
import { isLimiting } from "./lib/machine-load.ts";
import { markdownTable } from "./lib/markdown-table.ts";
import { NotPossible } from "./lib/net-namespace.ts";
import { ownedFolder, sweepDeadFolders } from "./lib/owned-folder.ts";
import { parseRuns } from "./lib/record.ts";
import { appendResult, commandLine, resultsPath } from "./lib/result-lines.ts";
import { median, quantile, rounded } from "./lib/statistics.ts";
import { SHARED_MEMORY, warmPages } from "./lib/warm-pages.ts";

/** 64 pieces: enough that two processes rarely begin with the same one, little enough for all processes in memory. */
const SIZE = 16 * MiB;
const RUNS_TO_RECORD = 4;

const { values: flags } = orComplain("discovery", () =>
  parseArgs({
    options: {
      on: { type: "string", default: "loopback" },
      processes: { type: "string", default: "30" },
      runs: { type: "string", default: String(RUNS_TO_RECORD) },
      only: { type: "string", default: BARS.map(({ name }) => name).join(",") },
      results: { type: "string" },
    },
  }),
);
const rounds = orComplain("discovery", () => parseRuns(flags.runs));
const processes = Number(flags.processes);

interface BarResult {
  readonly name: string;
  readonly what: string;
  readonly rounds: readonly Round[];
  readonly problem: string | undefined;
}

async function playBar(workspace: Workspace, place: Place, folder: string, bar: Bar): Promise<BarResult> {
  const done: Round[] = [];
  let problem: string | undefined;
  for (let round = 0; round < rounds && problem === undefined; round++) {
    const crew = new Crew(workspace);
    const stage: Stage = {
      crew,
      place,
      folder: workspace.folder(folder),
      content: join(folder, CONTENT_NAME),
      processes,
    };
    try {
      warmPages(processes * 2 * SIZE);
      done.push(await bar.play(stage, round));
      console.error(`run ${round + 1}  ${bar.name}`);
    } catch (error) {
      if (error instanceof NotPossible) throw error;
      problem = error instanceof Error ? error.message : String(error);
      console.error(`${bar.name}: ${problem}`);
    }
    await crew.endAll();
    place.clear();
    workspace.remove(stage.folder);
  }
  return { name: bar.name, what: bar.what, rounds: done, problem };
}

function rowsOf({ name, rounds }: BarResult): string[][] {
  const keys = [...new Set(rounds.flatMap(({ samples }) => [...samples.keys()]))];
  const busy = rounds.flatMap(({ load }) => load ?? []);
  const machine =
    busy.length === 0
      ? ""
      : `${median(busy.map(({ busyCores }) => busyCores)).toFixed(2)}${busy.some(isLimiting) ? " (!)" : ""}`;
  const own = busy.length === 0 ? "" : median(busy.map(({ ownCores }) => ownCores)).toFixed(2);
  return keys.map((key) => {
    const values = rounds.flatMap(({ samples }) => samples.get(key) ?? []);
    const told = (share: number) => quantile(values, share).toFixed(3);
    return [`${name}: ${key}`, told(0.5), told(0.95), told(1), String(values.length), machine, own];
  });
}

function report(results: readonly BarResult[], place: Place): void {
  console.log(`\np2pfile ${p2pfile.version()}, ${processes} processes, ${place.kind}, ${rounds} runs\n`);
  console.log(
    markdownTable(
      ["s", "p50", "p95", "max", "samples", "cores busy", "by the benchmark"],
      results.flatMap(rowsOf),
    ),
  );
  for (const { name, what } of results) console.log(`\n${name}: ${what}`);
  if (results.some(({ rounds }) => rounds.some(({ load }) => load !== undefined && isLimiting(load))))
    console.log("\n(!) The processors of this machine were the limit.");
  for (const { name, problem } of results) if (problem !== undefined) console.log(`\n${name}: ${problem}`);
  const isWhole = results.length === BARS.length && rounds >= RUNS_TO_RECORD;
  const path = flags.results ?? (isWhole ? resultsPath("discovery") : undefined);
  if (path === undefined) {
    console.log(`\nNot recorded: fewer than ${RUNS_TO_RECORD} runs, or not all bars. Give --results FILE.`);
    return;
  }
  appendResult(path, {
    date: new Date().toISOString(),
    command: commandLine("discovery"),
    machine: describeMachine(),
    versions: { bun: Bun.version, p2pfile: p2pfile.version() },
    on: place.kind,
    processes,
    size: SIZE,
    rounds,
    results: results.map(({ name, problem, rounds }) => ({
      name,
      problem,
      // Infinity is no JSON: what did not happen in time is null.
      rounds: rounds.map(({ samples, load }) => ({
        samples: Object.fromEntries(
          Array.from(samples, ([key, values]) => [key, values.map((v) => rounded(v, 3))]),
        ),
        load,
      })),
    })),
  });
}

const workspace = new Workspace();
const { bars, place } = orComplain("discovery", () => {
  if (!(processes >= 9 && processes <= 200)) throw new Error("--processes wants a number from 9 to 200");
  const wanted = flags.only.split(",");
  const unknown = wanted.find((word) => !BARS.some(({ name }) => name === word));
  if (unknown !== undefined)
    throw new Error(`${unknown}: is none of ${BARS.map(({ name }) => name).join(", ")}`);
  if (p2pfile.version() === undefined) throw new Error(`${EXECUTABLE} is missing: npm run build`);
  sweepDeadFolders(SHARED_MEMORY);
  return { bars: BARS.filter(({ name }) => wanted.includes(name)), place: placeOf(flags.on) };
});
let allWell = true;
try {
  const folder = ownedFolder(workspace, SHARED_MEMORY);
  writeContent(join(folder, CONTENT_NAME), SIZE);
  const results: BarResult[] = [];
  for (const bar of bars) results.push(await playBar(workspace, place, folder, bar));
  report(results, place);
  allWell = results.every(({ problem }) => problem === undefined);
} catch (error) {
  if (error instanceof NotPossible) complain("discovery", error);
  throw error;
} finally {
  await workspace.close();
  place.clear();
}
process.exit(allWell ? 0 : 1);
