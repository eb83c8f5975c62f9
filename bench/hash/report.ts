// From the runs of the benchmark of hashing to what is written down of them: medians, ratios, a table.
import { markdownTable } from "../lib/markdown-table.ts";
import { finishedRuns, type Series } from "../lib/rounds.ts";
import { median, quantile, rounded, type Spread, spreadOf, toldSpread } from "../lib/statistics.ts";
import type { HashRun } from "./hasher.ts";

/** What is kept of a run. */
export type RecordedRun = Pick<HashRun, "wall" | "rate" | "cpu">;

export interface HashResult {
  readonly name: string;
  readonly problem: string | undefined;
  /** Seconds. */
  readonly wall: Spread | undefined;
  /** GB/s. */
  readonly rate: Spread | undefined;
  /** Rate by the rate of the reference: above 1 it is faster. */
  readonly ratioOfMedians: number | undefined;
  /** The same within each round. */
  readonly pairwiseRatio: Spread | undefined;
  /** Seconds. */
  readonly cpu: Spread | undefined;
  readonly delayMs: LoopDelay | undefined;
  readonly busyCores: Spread | undefined;
  readonly runs: readonly RecordedRun[];
}

/** Of the event loop, over the samples of all counted runs. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly samples: number;
}

export function summarizeHash(all: readonly Series<HashRun>[], reference: string): HashResult[] {
  const base = all.find(({ name }) => name === reference);
  const baseRates = base === undefined ? [] : finishedRuns(base).flatMap(({ rate }) => rate ?? []);
  return all.flatMap((one) => {
    const runs = finishedRuns(one);
    if (runs.length === 0) return [];
    const rates = runs.flatMap(({ rate }) => rate ?? []);
    const ratios = perRound(one, base, (run, other) => ratio(run.rate, other.rate));
    const { name, problem } = one;
    return [
      {
        name,
        problem,
        wall: spreadOrNone(runs.flatMap(({ wall }) => wall ?? [])),
        rate: spreadOrNone(rates),
        ratioOfMedians:
          rates.length === 0 || baseRates.length === 0
            ? undefined
            : rounded(median(rates) / median(baseRates), 3),
        pairwiseRatio: spreadOrNone(ratios),
        cpu: spreadOrNone(runs.flatMap(({ cpu }) => cpu ?? [])),
        delayMs: delayOf(runs.flatMap(({ lateness }) => lateness ?? [])),
        busyCores: spreadOrNone(runs.flatMap(({ busyCores }) => busyCores ?? [])),
        runs: runs.map(({ wall, rate, cpu }) => ({ wall, rate, cpu })),
      },
    ];
  });
}

export function hashTable(results: readonly HashResult[], reference: string): string {
  const rows = results.map(({ name, wall, rate, ratioOfMedians, pairwiseRatio, cpu, delayMs }) => [
    name,
    told(rate),
    ratioOfMedians?.toFixed(2) ?? "–",
    told(pairwiseRatio),
    told(wall),
    cpu?.median.toFixed(2) ?? "–",
    delayMs === undefined
      ? "–"
      : [delayMs.p50, delayMs.p99, delayMs.max].map((ms) => ms.toFixed(1)).join(" / "),
  ]);
  const header = [
    "",
    "GB/s",
    `÷ ${reference}`,
    "pairwise",
    "wall s",
    "CPU s",
    "loop late ms p50 / p99 / max",
  ];
  return markdownTable(header, rows);
}

function perRound(
  one: Series<HashRun>,
  other: Series<HashRun> | undefined,
  value: (run: HashRun, other: HashRun) => number | undefined,
): number[] {
  return one.runs.flatMap((run, round) => {
    const reference = other?.runs[round];
    return run === undefined || reference === undefined ? [] : (value(run, reference) ?? []);
  });
}

function ratio(value: number | undefined, reference: number | undefined): number | undefined {
  return value === undefined || reference === undefined ? undefined : value / reference;
}

function delayOf(samples: readonly number[]): LoopDelay | undefined {
  if (samples.length === 0) return undefined;
  const of = (share: number) => rounded(quantile(samples, share), 2);
  return { p50: of(0.5), p99: of(0.99), max: of(1), samples: samples.length };
}

function spreadOrNone(values: readonly number[]): Spread | undefined {
  return values.length === 0 ? undefined : spreadOf(values);
}

function told(spread: Spread | undefined): string {
  return spread === undefined ? "–" : toldSpread(spread);
}
