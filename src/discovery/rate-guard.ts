// A rate limit for each key (a source or a target of datagrams) and one for all keys together. Pure: time comes in, keys are
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

/** The table of keys is bounded: a flood under many keys drops the oldest one, and is limited by the total. */
export class RateGuard {
  readonly #each: Rate;
  readonly #total: Allowance;
  readonly #keys = new Map<string, Allowance>();

  constructor(each: Rate, total: Rate) {
    this.#each = each;
    this.#total = new Allowance(total);
  }

  /** Counts `amount` for `key`; `now` in milliseconds. @returns false to drop it. */
  allows(key: string, amount: number, now: number): boolean {
    const own = this.#keys.get(key) ?? this.#remember(key);
    // The key's own first, so that a flood under one key does not use up the total.
    return own.take(amount, now) && this.#total.take(amount, now);
  }

  /** Keys remembered, at most MAX_RATE_SOURCES. */
  get size(): number {
    return this.#keys.size;
  }

  #remember(key: string): Allowance {
    if (this.#keys.size >= MAX_RATE_SOURCES) {
      const [oldest] = this.#keys.keys();
      if (oldest !== undefined) this.#keys.delete(oldest);
    }
    const allowance = new Allowance(this.#each);
    this.#keys.set(key, allowance);
    return allowance;
  }
}
