// Measures bytes per second over the last five seconds, in a ring of twenty slots. O(1), allocates nothing after
// construction; `now` is in milliseconds, never below 0.
import { present } from "../../lib/assert.ts";
import { METER_SLOT_MS, METER_SLOTS } from "./limits.ts";

export class RateMeter {
  readonly #slots = new Float64Array(METER_SLOTS);
  /** Number of the newest slot, counted from time 0. */
  #newest = Number.NEGATIVE_INFINITY;
  #sum = 0;
  /** When the measured time begins: with the first bytes, and again with the first bytes after an empty window. */
  #startMs = 0;

  add(bytes: number, now: number): void {
    this.#advance(now);
    if (this.#sum === 0) this.#startMs = now;
    const slot = this.#newest % METER_SLOTS;
    this.#slots[slot] = present(this.#slots[slot]) + bytes;
    this.#sum += bytes;
  }

  /** Bytes per second; 0 when nothing was added for five seconds. */
  rate(now: number): number {
    this.#advance(now);
    if (this.#sum === 0) return 0;
    const windowStartMs = (this.#newest - METER_SLOTS + 1) * METER_SLOT_MS;
    const elapsedMs = now - Math.max(this.#startMs, windowStartMs);
    // A first burst is spread over one slot at least, not over the millisecond it took.
    return (this.#sum * 1000) / Math.max(elapsedMs, METER_SLOT_MS);
  }

  /** Empties the slots between the newest one and `now`. When the clock steps back, the newest slot stays. */
  #advance(now: number): void {
    const slot = Math.floor(now / METER_SLOT_MS);
    if (slot <= this.#newest) return;
    const first = Math.max(this.#newest + 1, slot - METER_SLOTS + 1, 0);
    for (let at = first; at <= slot; at++) {
      this.#sum -= present(this.#slots[at % METER_SLOTS]);
      this.#slots[at % METER_SLOTS] = 0;
    }
    this.#newest = slot;
  }
}
