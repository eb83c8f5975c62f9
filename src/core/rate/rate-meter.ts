// Bytes per second over the last five seconds, in twenty slots of a ring. O(1), allocates nothing after construction;
// time comes in as `now` in milliseconds.

const SLOT_MS = 250;
const SLOT_COUNT = 20;

export class RateMeter {
  readonly #slots = new Float64Array(SLOT_COUNT);
  /** Number of the newest slot since time 0. */
  #newest = Number.NEGATIVE_INFINITY;
  #sum = 0;
  /** Where the measured stretch begins: a meter that starts, or was silent for the whole window, starts afresh. */
  #startMs = 0;

  add(bytes: number, now: number): void {
    this.#advance(now);
    if (this.#sum === 0) this.#startMs = now;
    this.#slots[this.#newest % SLOT_COUNT] = (this.#slots[this.#newest % SLOT_COUNT] ?? 0) + bytes;
    this.#sum += bytes;
  }

  /** Bytes per second; 0 when nothing was added for five seconds. */
  rate(now: number): number {
    this.#advance(now);
    if (this.#sum === 0) return 0;
    const windowStartMs = (this.#newest - SLOT_COUNT + 1) * SLOT_MS;
    const elapsedMs = now - Math.max(this.#startMs, windowStartMs);
    // A first burst is judged over one slot at least, not over the millisecond it took.
    return (this.#sum * 1000) / Math.max(elapsedMs, SLOT_MS);
  }

  /** Empties the slots that time has passed over. A clock that steps back stays in the newest slot. */
  #advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot <= this.#newest) return;
    const first = Math.max(this.#newest + 1, slot - SLOT_COUNT + 1);
    for (let at = first; at <= slot; at++) {
      this.#sum -= this.#slots[at % SLOT_COUNT] ?? 0;
      this.#slots[at % SLOT_COUNT] = 0;
    }
    this.#newest = slot;
  }
}
