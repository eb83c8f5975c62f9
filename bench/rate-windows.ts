// Arithmetic on a series of samples of counters: windows of time, their averages, their worst.

export interface Sample {
  /** Milliseconds. */
  readonly at: number;
  /** Counted since the first sample. */
  readonly bytes: number;
}

/** From the counters of all links to the bytes of some of them together. Each of `rows` is [ms, counter, counter, …]. */
export function seriesOf(rows: readonly (readonly number[])[], links: readonly number[]): Sample[] {
  const sum = (row: readonly number[]) => links.reduce((total, link) => total + (row[link + 1] ?? 0), 0);
  const first = sum(rows[0] ?? []);
  return rows.map((row) => ({ at: row[0] ?? 0, bytes: sum(row) - first }));
}

/** The part from the first sample with `from` bytes to the last that has at most `to`. */
export function between(series: readonly Sample[], from: number, to: number): Sample[] {
  return series.filter(({ bytes }) => bytes >= from && bytes <= to);
}

/** Bytes per second in every window that begins at a sample and lasts `ms`, or little more: as long as it really was. */
export function windowRates(series: readonly Sample[], ms: number): number[] {
  const rates: number[] = [];
  let end = 0;
  for (const { at, bytes } of series) {
    while (end < series.length && (series[end]?.at ?? 0) < at + ms) end++;
    const last = series[end];
    if (last === undefined) break;
    rates.push(((last.bytes - bytes) / (last.at - at)) * 1000);
  }
  return rates;
}

/** The longest time between two samples: a window of about this length says nothing. */
export function longestGap(series: readonly Sample[]): number {
  return series.reduce((most, { at }, i) => Math.max(most, at - (series[i - 1]?.at ?? at)), 0);
}

/** Bytes at the first sample at or after `at`; undefined when there is none. */
export function bytesAt(series: readonly Sample[], at: number): number | undefined {
  return series.find((sample) => sample.at >= at)?.bytes;
}
