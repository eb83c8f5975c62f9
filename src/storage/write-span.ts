// Bytes on their way to one place of a file: a buffer, which parts of it are filled, and the callbacks for their arrival.
import { RunList } from "./run-list.ts";

export class WriteSpan {
  /** Number of the aligned stretch of the file in which the bytes lie; writes of one lane keep their order. */
  readonly lane: number;
  /** File offset of the first byte of the buffer. */
  readonly base: number;
  readonly buffer: Uint8Array<SharedArrayBuffer>;
  /** The buffer goes back to the pool; otherwise it was made for one block and is dropped. */
  readonly pooled: boolean;
  readonly runs = new RunList();
  /** SHA-1 of the whole span, when it was made on the way to the file. */
  digest: Uint8Array | undefined;
  readonly #waiters: ((error: unknown) => void)[] = [];

  constructor(lane: number, base: number, buffer: Uint8Array<SharedArrayBuffer>, pooled: boolean) {
    this.lane = lane;
    this.base = base;
    this.buffer = buffer;
    this.pooled = pooled;
  }

  /** True when filled bytes lie within [start, end) of the file. */
  overlaps(start: number, end: number): boolean {
    return this.runs.overlaps(start - this.base, end - this.base);
  }

  whenSettled(waiter: (error: unknown) => void): void {
    this.#waiters.push(waiter);
  }

  /** Calls the waiters back: `undefined` when all bytes are in the file. */
  settle(error: unknown): void {
    for (const waiter of this.#waiters) waiter(error);
  }
}
