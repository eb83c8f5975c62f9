// A clock that stands still until a test turns it, with timers and seeded chance.
import type { Clock } from "../../src/lib/clock.ts";
import { promises } from "./event-loop.ts";
import { seededRandom } from "./seeded-random.ts";

interface Timer {
  at: number;
  /** Of a timer that repeats. */
  readonly everyMs: number | undefined;
  readonly run: () => void;
}

export class VirtualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();
  readonly #random: () => number;

  constructor(seed = 1) {
    this.#random = seededRandom(seed);
  }

  /** Timers that are set and neither cancelled nor, if they run once, over. */
  get timerCount(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.#random();
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.#random() * 256));
  }

  after(milliseconds: number, run: () => void): () => void {
    return this.#set({ at: this.#now + milliseconds, everyMs: undefined, run });
  }

  every(milliseconds: number, run: () => void): () => void {
    return this.#set({ at: this.#now + milliseconds, everyMs: milliseconds, run });
  }

  /** Runs what is due on the way, in order, without a turn of the event loop. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    while (this.#runNext(end));
    this.#now = end;
  }

  /** Lets time pass, with every timer at its time and what its callback promised before the next. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    while (this.#runNext(end)) await promises();
    this.#now = end;
    await promises();
  }

  #set(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** @returns false when no timer is due by `end`. */
  #runNext(end: number): boolean {
    const [next] = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
    if (next === undefined) return false;
    this.#now = next.at;
    if (next.everyMs === undefined) this.#timers.delete(next);
    else next.at += next.everyMs;
    next.run();
    return true;
  }
}
