// Measures bytes per second over the last five seconds, in a ring of twenty slots. O(1), allocates nothing after
// construction; `now` is in milliseconds, never below 0.
import { present } from "../../lib/assert.ts";

const SLOT_MS = 250;
const SLOT_COUNT = 20;

export class RateMeter {
  readonly #slots = new Float64Array(SLOT_COUNT);
  /** Number of the newest slot, counted from time 0. */
  #newest = Number.NEGATIVE_INFINITY;
  #sum = 0;
  /** When the measured time begins: with the first bytes, and again with the first bytes after an empty window. */
  #startMs = 0;

  add(bytes: number, now: number): void {
    this.#advance(now);
    if (this.#sum === 0) this.#startMs = now;
    const slot = this.#newest % SLOT_COUNT;
    this.#slots[slot] = present(this.#slots[slot]) + bytes;
    this.#sum += bytes;
  }

  /** Bytes per second; 0 when nothing was added for five seconds. */
  rate(now: number): number {
    this.#advance(now);
    if (this.#sum === 0) return 0;
    const windowStartMs = (this.#newest - SLOT_COUNT + 1) * SLOT_MS;
    const elapsedMs = now - Math.max(this.#startMs, windowStartMs);
    // A first burst is spread over one slot at least, not over the millisecond it took.
    return (this.#sum * 1000) / Math.max(elapsedMs, SLOT_MS);
  }

  /** Empties the slots between the newest one and `now`. When the clock steps back, the newest slot stays. */
  #advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot <= this.#newest) return;
    const first = Math.max(this.#newest + 1, slot - SLOT_COUNT + 1, 0);
    for (let at = first; at <= slot; at++) {
      this.#sum -= present(this.#slots[at % SLOT_COUNT]);
      this.#slots[at % SLOT_COUNT] = 0;
    }
    this.#newest = slot;
  }
}
