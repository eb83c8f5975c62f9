// Which bytes of a span are filled: sorted, disjoint, never touching runs of [start, end). Knows numbers only.
import { assert } from "../lib/assert.ts";

export class RunList {
  /** start, end, start, end… A flat array, reused for the life of the span, so that a block allocates nothing. */
  readonly #bounds: number[] = [];
  #filled = 0;

  /** Runs at present. */
  get count(): number {
    return this.#bounds.length / 2;
  }

  /** Bytes in all runs. */
  get filled(): number {
    return this.#filled;
  }

  /** Start of run `index`, 0 <= index < count. */
  start(index: number): number {
    return this.#bound(2 * index);
  }

  /** End of run `index`, exclusive. */
  end(index: number): number {
    return this.#bound(2 * index + 1);
  }

  /**
   * Adds [start, end), which may overlap what is there. O(1) at the end of the list, where blocks usually arrive; else
   * O(count), and a span has at most 64 runs of blocks.
   * @returns the bytes that were not filled before.
   */
  add(start: number, end: number): number {
    const bounds = this.#bounds;
    let first = bounds.length;
    // Runs that end before `start` stay as they are; one that ends exactly there grows.
    while (first > 0 && this.#bound(first - 1) >= start) first -= 2;
    let next = first;
    let from = start;
    let to = end;
    let covered = 0;
    while (next < bounds.length && this.#bound(next) <= end) {
      const runStart = this.#bound(next);
      const runEnd = this.#bound(next + 1);
      covered += Math.max(0, Math.min(runEnd, end) - Math.max(runStart, start));
      from = Math.min(from, runStart);
      to = Math.max(to, runEnd);
      next += 2;
    }
    this.#replace(first, next, from, to);
    const added = end - start - covered;
    this.#filled += added;
    return added;
  }

  overlaps(start: number, end: number): boolean {
    for (let index = 0; index < this.count; index++) {
      if (this.start(index) < end && this.end(index) > start) return true;
    }
    return false;
  }

  clear(): void {
    this.#bounds.length = 0;
    this.#filled = 0;
  }

  #bound(index: number): number {
    const bound = this.#bounds[index];
    assert(bound !== undefined, "no such run");
    return bound;
  }

  #replace(first: number, next: number, from: number, to: number): void {
    const bounds = this.#bounds;
    if (next === first) {
      bounds.push(0, 0);
      bounds.copyWithin(first + 2, first, bounds.length - 2);
    } else if (next > first + 2) {
      bounds.copyWithin(first + 2, next);
      bounds.length -= next - first - 2;
    }
    bounds[first] = from;
    bounds[first + 1] = to;
  }
}
