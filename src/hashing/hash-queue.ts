// The order of hash jobs: received pieces first, since peers wait for them; then the ranges in turn, job by job.
import type { HashFailure } from "./hash-failure.ts";
import type { HashJob } from "./hash-job.ts";
import type { HashRange } from "./hash-range.ts";
import { MAX_QUEUED_PIECES, MAX_QUEUED_RANGES } from "./limits.ts";
import { assert } from "../lib/assert.ts";

export class HashQueue {
  /** Jobs of dead workers, ahead of everything. */
  readonly #again: HashJob[] = [];
  readonly #pieces: HashJob[] = [];
  /** Pieces before this index are gone: a shift of a long array costs its length. */
  #firstPiece = 0;
  readonly #ranges: HashRange[] = [];

  /** @throws InvariantError when full: the picker and the session bound what they ask for. */
  addPiece(job: HashJob): void {
    assert(this.#pieces.length - this.#firstPiece < MAX_QUEUED_PIECES, "too many pieces wait to be hashed");
    this.#pieces.push(job);
  }

  /** @throws InvariantError when full. */
  addRange(range: HashRange): void {
    assert(this.#ranges.length < MAX_QUEUED_RANGES, "too many files wait to be hashed");
    this.#ranges.push(range);
  }

  /** Puts back what a dead worker had taken. */
  putBack(jobs: Iterable<HashJob>): void {
    this.#again.push(...jobs);
  }

  /** @returns the next job whose result is still wanted. */
  next(): HashJob | undefined {
    for (;;) {
      const job = this.#again.shift() ?? this.#nextPiece() ?? this.#nextOfRanges();
      if (job === undefined || job.wanted()) return job;
    }
  }

  /** Empties the queue: every job and every range in it fails. */
  failAll(failureOf: (path: string) => HashFailure): void {
    const jobs = [...this.#again.splice(0), ...this.#pieces.splice(0).slice(this.#firstPiece)];
    this.#firstPiece = 0;
    for (const job of jobs) job.onFailed(failureOf(job.request.path));
    for (const range of this.#ranges.splice(0)) range.fail(failureOf(range.path));
  }

  #nextPiece(): HashJob | undefined {
    const job = this.#pieces[this.#firstPiece];
    if (job === undefined) return undefined;
    this.#firstPiece++;
    if (this.#firstPiece * 2 > this.#pieces.length) {
      this.#pieces.splice(0, this.#firstPiece);
      this.#firstPiece = 0;
    }
    return job;
  }

  #nextOfRanges(): HashJob | undefined {
    for (;;) {
      const range = this.#ranges.shift();
      if (range === undefined) return undefined;
      const job = range.nextJob();
      if (job === undefined) continue;
      this.#ranges.push(range);
      return job;
    }
  }
}
