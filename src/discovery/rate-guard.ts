// How much each key (a source or a target of datagrams), and all of them together, may have of something that flows.
// Pure: time comes in, keys are text, what is counted (datagrams, bytes) is the caller's business.
import { MAX_RATE_SOURCES } from "./limits.ts";

/** What may flow at once after a rest, and per second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** What is left of a burst as time goes by; full at first. */
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

/** The table of keys is bounded: a flood under many keys forgets the oldest one, and meets the bound on the total instead. */
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
    // The key's own first, so that one flooder does not use up what everybody shares.
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
