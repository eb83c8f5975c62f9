// From the runs of the benchmark of the wire to what is written down of them: rates, processor time per GiB, a table.
import { BLOCK_LENGTH } from "../../src/core/torrent/limits.ts";
import { GiB, MiB } from "../../src/lib/units.ts";
import type { Cpu } from "../lib/process-meter.ts";
import { markdownTable } from "../lib/markdown-table.ts";
import { finishedRuns, type Series } from "../lib/rounds.ts";
import { median, pairwise, rounded, type Spread, spreadOf, toldSpread } from "../lib/statistics.ts";
import type { WireRun } from "./pair.ts";

export interface WireResult {
  readonly name: string;
  readonly problem: string | undefined;
  /** Seconds, by the clock of the leech. */
  readonly wall: Spread;
  /** MB/s of payload. */
  readonly rate: Spread;
  readonly blocksPerSecond: Spread;
  /** Time of this one by the time of the first: above 1 it is slower. */
  readonly ratioOfMedians: number;
  readonly pairwiseRatio: Spread;
  /** Seconds per GiB of payload, during the transfer alone. */
  readonly seedCpuPerGiB: Spread;
  readonly leechCpuPerGiB: Spread;
  /** The most that was resident. */
  readonly seedMemoryMiB: number;
  readonly leechMemoryMiB: number;
  readonly runs: readonly WireRun[];
}

/** Of those that finished at least once; the first of them is what the others are compared with. */
export function summarizeWire(all: readonly Series<WireRun>[], size: number): WireResult[] {
  const reference = all.find((one) => finishedRuns(one).length > 0);
  if (reference === undefined) return [];
  const walls = (one: Series<WireRun>) => finishedRuns(one).map(({ leech }) => leech.seconds);
  return all.flatMap((one) => {
    const runs = finishedRuns(one);
    if (runs.length === 0) return [];
    const wall = walls(one);
    const pairs = one.runs.flatMap((run, round) => {
      const other = reference.runs[round];
      if (run === undefined || other === undefined) return [];
      return pairwise([run.leech.seconds], [other.leech.seconds]);
    });
    const perGiB = (side: (run: WireRun) => Cpu) =>
      spreadOf(runs.map((run) => ((side(run).user + side(run).system) * GiB) / size));
    return [
      {
        name: one.name,
        problem: one.problem,
        wall: spreadOf(wall),
        rate: spreadOf(
          wall.map((seconds) => size / 1e6 / seconds),
          0,
        ),
        blocksPerSecond: spreadOf(
          wall.map((seconds) => size / BLOCK_LENGTH / seconds),
          0,
        ),
        ratioOfMedians: rounded(median(wall) / median(walls(reference)), 3),
        pairwiseRatio: spreadOf(pairs.length === 0 ? [Number.NaN] : pairs),
        seedCpuPerGiB: perGiB(({ seed }) => seed.cpu),
        leechCpuPerGiB: perGiB(({ leech }) => leech.cpu),
        seedMemoryMiB: peakOf(runs.map(({ seedMemory }) => seedMemory.rss)),
        leechMemoryMiB: peakOf(runs.map(({ leechMemory }) => leechMemory.rss)),
        runs,
      },
    ];
  });
}

export function wireTable(results: readonly WireResult[]): string {
  const reference = results[0]?.name ?? "";
  const header = [
    "",
    "MB/s",
    "blocks/s",
    "wall s",
    `time ÷ ${reference}`,
    "pairwise",
    "CPU s/GiB seed",
    "CPU s/GiB leech",
    "MiB seed",
    "MiB leech",
  ];
  const rows = results.map((result) => [
    result.name,
    toldSpread(result.rate, 0),
    toldSpread(result.blocksPerSecond, 0),
    toldSpread(result.wall),
    result.ratioOfMedians.toFixed(2),
    toldSpread(result.pairwiseRatio),
    toldSpread(result.seedCpuPerGiB),
    toldSpread(result.leechCpuPerGiB),
    result.seedMemoryMiB.toFixed(0),
    result.leechMemoryMiB.toFixed(0),
  ]);
  return markdownTable(header, rows);
}

function peakOf(bytes: readonly number[]): number {
  return rounded(Math.max(...bytes) / MiB, 1);
}
