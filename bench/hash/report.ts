// From the runs of the benchmark of hashing to what is written down of them: medians, ratios, the price of messages,
// tables.
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

/** What the pool and its messages take of the time of hashing with one worker; 0.03 is 3 %. */
export interface MessageCost {
  readonly io: string;
  /** Share of the pool's time that the bare loop, before and after it in the same round, did not need. */
  readonly lost: Spread;
  /** The same for the second loop against the first: what the machine alone makes of equal work. */
  readonly control: Spread;
  /** The same as `lost` in processor time of the whole process. */
  readonly lostCpu: Spread;
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

/** Of the rounds in which all three finished; undefined when there is none. */
export function messageCost(all: readonly Series<HashRun>[], io: string): MessageCost | undefined {
  const find = (name: string) => all.find((one) => one.name === name);
  const [loop, pool, again] = [find(`loop ${io}`), find(`create ${io} 1 worker`), find(`loop ${io} again`)];
  if (loop === undefined || pool === undefined || again === undefined) return undefined;
  const shares = pool.runs.flatMap((run, round) => {
    const share = shareOfRound(loop.runs[round], run, again.runs[round]);
    return share === undefined ? [] : [share];
  });
  if (shares.length === 0) return undefined;
  return {
    io,
    lost: spreadOf(
      shares.map(({ lost }) => lost),
      4,
    ),
    control: spreadOf(
      shares.map(({ control }) => control),
      4,
    ),
    lostCpu: spreadOf(
      shares.map(({ lostCpu }) => lostCpu),
      4,
    ),
  };
}

function shareOfRound(loop?: HashRun, pool?: HashRun, again?: HashRun) {
  if (loop?.wall === undefined || pool?.wall === undefined || again?.wall === undefined) return undefined;
  const cpu = ((loop.cpu ?? Number.NaN) + (again.cpu ?? Number.NaN)) / 2;
  return {
    lost: 1 - (loop.wall + again.wall) / 2 / pool.wall,
    control: 1 - loop.wall / again.wall,
    lostCpu: 1 - cpu / (pool.cpu ?? Number.NaN),
  };
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

export function messageTable(costs: readonly MessageCost[]): string {
  const rows = costs.map(({ io, lost, control, lostCpu }) => [io, ...[lost, control, lostCpu].map(percent)]);
  const header = ["", "time lost to messages", "loop again against loop", "processor time lost"];
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

function percent({ median, min, max }: Spread): string {
  const of = (share: number) => (share * 100).toFixed(1);
  return `${of(median)} % (${of(min)}–${of(max)})`;
}
