// Whether what p2pfile needs of memory depends on the size of the file: the anonymous resident memory, all that is not page
// cache, of a seed and a leech over loopback at 1 GiB and at other sizes. Prints a table, adds a line to
// bench/results/memory.jsonl.
// Usage: npm run bench -- memory [SIZE]... [--runs N] [--dir DIRECTORY] [--binary FILE] [--results FILE]
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { GiB, MiB } from "../src/lib/units.ts";
import { buildOf, EXECUTABLE } from "./contestants/p2pfile.ts";
import { Workspace } from "./lib/workspace.ts";
import { orComplain } from "./lib/complain.ts";
import { fileSystemOf } from "./lib/file-system.ts";
import { describeMachine } from "./lib/machine.ts";
import { markdownTable } from "./lib/markdown-table.ts";
import { runOnce } from "./lib/one-run.ts";
import type { Memory } from "./lib/process-meter.ts";
import { parseRuns } from "./lib/record.ts";
import { appendResult, commandLine, resultsPath } from "./lib/result-lines.ts";
import { parseSize, sizeName } from "./lib/size.ts";
import { assertRoom, newStage } from "./lib/stage.ts";
import { rounded, type Spread, spreadOf, toldSpread } from "./lib/statistics.ts";
import { SHARED_MEMORY } from "./lib/warm-pages.ts";

/** With fewer runs the figures are for the eye, not for the books. */
const RUNS_TO_RECORD = 3;
/** What the others are compared with. */
const BASE_SIZE = GiB;
const USUAL_SIZE = 8 * GiB;
/** The bars: every run of every size stays below the one, no median is above that of the base size by more than the other. */
const MAX_ANONYMOUS_MIB = 120;
const MAX_GROWTH = 1.1;
const SIDES = ["seed", "leech"] as const;
type Side = (typeof SIDES)[number];

const { flags, sizes, rounds, contestant, version } = orComplain("memory", () => {
  const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string", default: String(RUNS_TO_RECORD) },
      dir: { type: "string", default: SHARED_MEMORY },
      binary: { type: "string", default: EXECUTABLE },
      results: { type: "string" },
    },
  });
  const others = positionals.length === 0 ? [USUAL_SIZE] : positionals.map(parseSize);
  const sizes = [BASE_SIZE, ...others.filter((size) => size !== BASE_SIZE)];
  assertRoom(flags.dir, Math.max(...sizes));
  const contestant = buildOf("p2pfile", resolve(flags.binary));
  const version = contestant.version();
  if (version === undefined) throw new Error(`${flags.binary} does not run: npm run build`);
  return { flags, sizes, rounds: parseRuns(flags.runs), contestant, version };
});

interface SideResult {
  /** MiB, the most at once in each run. */
  readonly anonymous: Spread;
  /** MiB, with mapped files, the most in any run. */
  readonly resident: number;
  /** By the median of the base size. */
  readonly growth: number;
}

type Result = Readonly<Record<Side, SideResult>> & { readonly size: number };

async function measure(workspace: Workspace, size: number): Promise<Record<Side, Memory[]>> {
  const stage = newStage(workspace, flags.dir, size);
  const memory: Record<Side, Memory[]> = { seed: [], leech: [] };
  for (let run = 1; run <= rounds; run++) {
    const { seedMemory, leechMemory } = await runOnce(contestant, stage);
    memory.seed.push(seedMemory);
    memory.leech.push(leechMemory);
    const [seed, leech] = [inMiB(seedMemory.anonymous), inMiB(leechMemory.anonymous)];
    console.error(`${sizeName(size)} run ${run}: seed ${seed} MiB, leech ${leech} MiB`);
  }
  workspace.remove(stage.folder);
  return memory;
}

function sideOf(memories: readonly Memory[], base: Spread | undefined): SideResult {
  const anonymous = spreadOf(
    memories.map((memory) => inMiB(memory.anonymous)),
    1,
  );
  return {
    anonymous,
    resident: Math.max(...memories.map(({ rss }) => inMiB(rss))),
    growth: rounded(anonymous.median / (base ?? anonymous).median, 2),
  };
}

function inMiB(bytes: number): number {
  return rounded(bytes / MiB, 1);
}

function holds({ anonymous, growth }: SideResult): boolean {
  return anonymous.max < MAX_ANONYMOUS_MIB && growth <= MAX_GROWTH;
}

function rowOf(size: number, side: Side, result: SideResult): string[] {
  const { anonymous, growth, resident } = result;
  const word = holds(result) ? "yes" : "NO";
  return [
    `${side}, ${sizeName(size)}`,
    toldSpread(anonymous, 1),
    growth.toFixed(2),
    resident.toFixed(0),
    word,
  ];
}

function report(results: readonly Result[]): void {
  const rows = SIDES.flatMap((side) => results.map((result) => rowOf(result.size, side, result[side])));
  const header = ["", "anonymous MiB", `÷ ${sizeName(BASE_SIZE)}`, "resident MiB", "holds"];
  console.log(
    `\nPeak memory of p2pfile ${version} over loopback, ${fileSystemOf(flags.dir)}, ${rounds} runs: median (min–max)\n`,
  );
  console.log(markdownTable(header, rows));
  console.log(
    `\nHolds: always under ${MAX_ANONYMOUS_MIB} MiB, and at most ${MAX_GROWTH} times that of ${sizeName(BASE_SIZE)}.`,
  );
  if (rounds < RUNS_TO_RECORD && flags.results === undefined) {
    console.log(`\nNot recorded: fewer than ${RUNS_TO_RECORD} runs.`);
    return;
  }
  appendResult(flags.results ?? resultsPath("memory"), {
    date: new Date().toISOString(),
    command: commandLine("memory"),
    machine: describeMachine(),
    versions: { bun: Bun.version, p2pfile: version },
    fileSystem: fileSystemOf(flags.dir),
    rounds,
    bars: { anonymousMiB: MAX_ANONYMOUS_MIB, growth: MAX_GROWTH },
    results,
  });
}

const workspace = new Workspace();
const results: Result[] = [];
try {
  for (const size of sizes) {
    const memory = await measure(workspace, size);
    const [base] = results;
    results.push({
      size,
      seed: sideOf(memory.seed, base?.seed.anonymous),
      leech: sideOf(memory.leech, base?.leech.anonymous),
    });
  }
  report(results);
} finally {
  await workspace.close();
}
process.exit(results.every((result) => SIDES.every((side) => holds(result[side]))) ? 0 : 1);
