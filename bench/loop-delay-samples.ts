// What loop-delay-preload.ts has seen, cut to the time of interest, and the few numbers and the picture it is told by.
import { readFileSync } from "node:fs";
import { rounded } from "./lib/statistics.ts";

/** Between two looks at the loop. */
export const SAMPLE_INTERVAL_MS = 2;

/** Numbers per sample in the file of the preload. */
export const SAMPLE_FIELDS = 3;

/** Milliseconds since 1970, by Date.now(), which all processes of a machine share. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds. */
export interface Delay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Upper ends of the rows of the picture, in milliseconds; the last row has none. */
const ROWS = [0.5, 1, 2, 4, 8, 16, 32, 64, 128] as const;
const BAR_WIDTH = 40;

export interface Delays {
  /** In ascending order, like `own`. */
  readonly all: readonly number[];
  /** Without what the thread waited for a core: what the program itself did to its loop, on however busy a machine. */
  readonly own: readonly number[];
}

/** @throws when the sampler did not run: no figures are better than wrong ones. */
export function delaysIn(path: string, { from, to }: Period): Delays {
  const bytes = readFileSync(path);
  const samples = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  const all: number[] = [];
  const own: number[] = [];
  for (let i = 0; i + SAMPLE_FIELDS <= samples.length; i += SAMPLE_FIELDS) {
    const [at = 0, late = 0, waited = 0] = samples.subarray(i, i + SAMPLE_FIELDS);
    if (at < from || at > to) continue;
    addAskers(all, late);
    addAskers(own, Math.max(0, late - waited));
  }
  if (all.length < (to - from) / SAMPLE_INTERVAL_MS / 3) {
    throw new Error(`${path}: ${all.length} samples in ${Math.round(to - from)} ms`);
  }
  return { all: all.toSorted((a, b) => a - b), own: own.toSorted((a, b) => a - b) };
}

/**
 * Adds the delays of a caller that asks every SAMPLE_INTERVAL_MS whatever happens: a loop that stood still for
 * 100 ms is one late timer, but fifty late askers, who waited 98 ms, 96 ms and so on. Without them a quantile would
 * count how often the loop turned and not how long it stood.
 */
function addAskers(delays: number[], late: number): void {
  delays.push(late);
  for (let more = late - SAMPLE_INTERVAL_MS; more > 0; more -= SAMPLE_INTERVAL_MS) delays.push(more);
}

/** `sorted` is in ascending order and not empty. */
export function delayOf(sorted: readonly number[]): Delay {
  const quantile = (share: number) =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN, 2);
  return { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) };
}

/** Share of the samples below each of ROWS, and of the rest. */
export function shares(sorted: readonly number[]): number[] {
  const counts = Array.from({ length: ROWS.length + 1 }, () => 0);
  for (const delay of sorted) {
    const row = ROWS.findIndex((end) => delay < end);
    const index = row === -1 ? ROWS.length : row;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts.map((count) => rounded(count / sorted.length, 5));
}

/** One line for each of `shares` up to the slowest sample. */
export function histogram(all: readonly number[]): string {
  const last = all.findLastIndex((share) => share > 0);
  return all
    .slice(0, last + 1)
    .map((share, row) => {
      const range = row < ROWS.length ? `below ${ROWS[row]}` : `from ${ROWS.at(-1)}`;
      const bar = "#".repeat(share > 0 ? Math.max(1, Math.round(share * BAR_WIDTH)) : 0);
      return `  ${range.padStart(9)} ms ${(share * 100).toFixed(2).padStart(7)} %  ${bar}`.trimEnd();
    })
    .join("\n");
}
