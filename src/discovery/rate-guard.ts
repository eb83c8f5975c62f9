// Rate limits: an allowance, and a table with one for each key (a source or a target of datagrams). Pure: time comes in, keys are
// texts, and the caller chooses what is counted (datagrams, bytes).
import { MAX_RATE_SOURCES } from "./limits.ts";

/** What may flow at once after silence, and per second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket, full at first. */
export class Allowance {
  readonly #rate: Rate;
  #left: number;
  #at = 0;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#left = rate.burst;
  }

  /** `now` in milliseconds; a clock that steps back gives nothing. @returns false, having taken nothing, when too little is left. */
  take(amount: number, now: number): boolean {
    const elapsed = Math.max(0, now - this.#at);
    this.#at = Math.max(now, this.#at);
    this.#left = Math.min(this.#rate.burst, this.#left + (elapsed / 1000) * this.#rate.perSecond);
    if (this.#left < amount) return false;
    this.#left -= amount;
    return true;
  }
}

/** The table of keys is bounded: the key that was used the longest ago leaves it when it is full. */
export class RateTable {
  readonly #rate: Rate;
  /** The least recently used in front. */
  readonly #keys = new Map<string, Allowance>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Counts `amount` for `key`; `now` in milliseconds. @returns false, having taken nothing, when too little is left. */
  take(key: string, amount: number, now: number): boolean {
    const allowance = this.#keys.get(key) ?? new Allowance(this.#rate);
    this.#keys.delete(key);
    if (this.#keys.size >= MAX_RATE_SOURCES) {
      const [unused] = this.#keys.keys();
      if (unused !== undefined) this.#keys.delete(unused);
    }
    this.#keys.set(key, allowance);
    return allowance.take(amount, now);
  }

  /** Keys remembered, at most MAX_RATE_SOURCES. */
  get size(): number {
    return this.#keys.size;
  }
}
