// Medians, spreads and ratios: the few numbers that a series of runs is told by.

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** `values` is not empty. Of an even number of values the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** `values` is not empty. Rounded to `digits` after the point. */
export function spreadOf(values: readonly number[], digits = 3): Spread {
  return {
    median: rounded(median(values), digits),
    min: rounded(Math.min(...values), digits),
    max: rounded(Math.max(...values), digits),
  };
}

/** The smallest of `values` that `share` (0 to 1) of them do not exceed; 0 when there are none. */
export function quantile(values: readonly number[], share: number): number {
  const rank = Math.ceil(values.length * share) - 1;
  return values.toSorted((a, b) => a - b)[Math.max(0, rank)] ?? 0;
}

/** `1.93 (1.90–2.01)`: the median and the range. */
export function toldSpread({ median, min, max }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** Ratio of each run to the run of the same round: what the machine did to both in that round cancels out. */
export function pairwise(values: readonly number[], references: readonly number[]): number[] {
  const count = Math.min(values.length, references.length);
  return Array.from({ length: count }, (_, i) => (values[i] ?? Number.NaN) / (references[i] ?? Number.NaN));
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
