// A fault job: injects one kind of fault into the real executable many times, counts the outcomes, and reports which of its
// bounds did not hold. Knows no fault.
import { seededRandom } from "../../helpers/seeded-random.ts";
import type { TestFixture } from "../../helpers/test-directory.ts";

/** A job that cannot run on this machine, with what it lacks. It counts as skipped and never as passed. */
export class NotPossible extends Error {}

export interface FaultJob {
  /** "T4 kill": the row of the fault plan, and which part of it. */
  readonly name: string;
  /** Left out of the short run. */
  readonly soakOnly?: boolean;
  run(trial: Trial): Promise<void>;
}

/** One run of one job: its counts, its measured values, and the bounds that did not hold. */
export class Trial {
  readonly fixture: TestFixture;
  /** True for the counts of a soak, false for those of a short run. */
  readonly full: boolean;
  readonly seed: number;
  readonly random: () => number;
  readonly counts: Record<string, number | string> = {};
  readonly failures: string[] = [];
  readonly notes: string[] = [];

  constructor(fixture: TestFixture, full: boolean, seed: number) {
    this.fixture = fixture;
    this.full = full;
    this.seed = seed;
    this.random = seededRandom(seed);
  }

  /** `full` repetitions in a soak, `short` otherwise. */
  times(full: number, short: number): number {
    return this.full ? full : short;
  }

  count(what: string, by = 1): void {
    const before = this.counts[what] ?? 0;
    this.counts[what] = (typeof before === "number" ? before : 0) + by;
  }

  /** Keeps the largest value seen. */
  most(what: string, value: number): void {
    const before = this.counts[what];
    this.counts[what] = typeof before === "number" ? Math.max(before, value) : value;
  }

  set(what: string, value: number | string): void {
    this.counts[what] = value;
  }

  /** A part of the job that cannot run here. */
  lacks(what: string): void {
    this.notes.push(`not run: ${what}`);
  }

  /** Counts and describes a failure under `what` unless `holds`. */
  expect(holds: boolean, what: string, detail: string): void {
    this.count(what, holds ? 0 : 1);
    if (!holds) this.failures.push(`${what}: ${detail}`);
  }

  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }
}

export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

/** Runs `work` for 0..count-1, at most `lanes` at a time. */
export async function inLanes(
  count: number,
  lanes: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(lanes, count) }, async () => {
      while (next < count) await work(next++);
    }),
  );
}
