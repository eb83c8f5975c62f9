// From the runs of a transfer to what is written down of them: medians, spreads, ratios, a table.
import { MiB } from "../../src/lib/units.ts";
import { markdownTable } from "./markdown-table.ts";
import type { RunFigures } from "./one-run.ts";
import { finishedRuns, type Series } from "./rounds.ts";
import { median, pairwise, rounded, type Spread, spreadOf, toldSpread } from "./statistics.ts";

export interface ContestantResult {
  readonly name: string;
  readonly version: string | undefined;
  readonly problem: string | undefined;
  readonly wall: Spread;
  readonly durable: Spread;
  readonly withoutStart: Spread | undefined;
  /** MB/s, by the median. */
  readonly rate: number;
  /** Time of this one by the time of the first: above 1 it is slower. */
  readonly ratioOfMedians: number;
  readonly pairwiseRatio: Spread;
  readonly seedCpu: Spread;
  readonly leechCpu: Spread;
  readonly seedMemoryMiB: { readonly rss: number; readonly anonymous: number };
  readonly leechMemoryMiB: { readonly rss: number; readonly anonymous: number };
  readonly runs: readonly RunFigures[];
}

/** Of those that finished at least once; the first of them is what the others are compared with. */
export function summarize(all: readonly Series<RunFigures>[], size: number): ContestantResult[] {
  const reference = all.find((one) => finishedRuns(one).length > 0);
  if (reference === undefined) return [];
  const referenceWall = median(finishedRuns(reference).map((run) => run.wall));
  return all.flatMap((one) => {
    const runs = finishedRuns(one);
    if (runs.length === 0) return [];
    const wall = spreadOf(runs.map((run) => run.wall));
    const pairs = one.runs.flatMap((run, round) => {
      const other = reference.runs[round];
      return run === undefined || other === undefined ? [] : pairwise([run.wall], [other.wall]);
    });
    const late = runs.flatMap((run) => run.withoutStart ?? []);
    return [
      {
        name: one.name,
        version: one.version,
        problem: one.problem,
        wall,
        durable: spreadOf(runs.map((run) => run.durable)),
        withoutStart: late.length === 0 ? undefined : spreadOf(late),
        rate: rounded(size / 1e6 / wall.median, 0),
        ratioOfMedians: rounded(wall.median / referenceWall, 3),
        pairwiseRatio: spreadOf(pairs.length === 0 ? [Number.NaN] : pairs),
        seedCpu: spreadOf(runs.map(({ seedCpu }) => seedCpu.user + seedCpu.system)),
        leechCpu: spreadOf(runs.map(({ leechCpu }) => leechCpu.user + leechCpu.system)),
        seedMemoryMiB: peakOf(runs.map((run) => run.seedMemory)),
        leechMemoryMiB: peakOf(runs.map((run) => run.leechMemory)),
        runs,
      },
    ];
  });
}

function peakOf(memories: readonly { readonly rss: number; readonly anonymous: number }[]) {
  return {
    rss: rounded(Math.max(...memories.map(({ rss }) => rss)) / MiB, 1),
    anonymous: rounded(Math.max(...memories.map(({ anonymous }) => anonymous)) / MiB, 1),
  };
}

/** `withDisk`: the file system is not memory, so the time until the file is on the disk has a column. */
export function transferTable(results: readonly ContestantResult[], withDisk: boolean): string {
  const reference = results[0]?.name ?? "";
  const header = [
    "",
    "wall s",
    ...(withDisk ? ["s until on disk"] : []),
    "MB/s",
    `time ÷ ${reference}`,
    "pairwise",
    "CPU s seed",
    "CPU s leech",
    "MiB seed",
    "MiB leech",
  ];
  const rows = results.flatMap((result) => {
    const row = [
      result.name,
      toldSpread(result.wall),
      ...(withDisk ? [toldSpread(result.durable)] : []),
      String(result.rate),
      result.ratioOfMedians.toFixed(2),
      toldSpread(result.pairwiseRatio),
      result.seedCpu.median.toFixed(2),
      result.leechCpu.median.toFixed(2),
      memoryOf(result.seedMemoryMiB),
      memoryOf(result.leechMemoryMiB),
    ];
    const late = result.withoutStart;
    return late === undefined ? [row] : [row, [`… without its start`, toldSpread(late)]];
  });
  return markdownTable(header, rows);
}

function memoryOf({ rss, anonymous }: { readonly rss: number; readonly anonymous: number }): string {
  return `${rss.toFixed(0)} (${anonymous.toFixed(0)})`;
}
