// How many datagrams each source, and all of them together, may make us read. Pure: time comes in, sources are text.
import {
  DATAGRAM_SOURCE_BURST,
  DATAGRAM_SOURCE_RATE,
  DATAGRAM_TOTAL_BURST,
  DATAGRAM_TOTAL_RATE,
  MAX_RATE_SOURCES,
} from "../core/limits.ts";

/** What is left of a burst, as of a moment in milliseconds. */
interface Allowance {
  left: number;
  at: number;
}

/**
 * Sources are counted by address and port, because up to 30 processes may share one address. The table is bounded:
 * a flood from many ports forgets the oldest source, and meets the bound on the total instead.
 */
export class RateGuard {
  readonly #sources = new Map<string, Allowance>();
  readonly #total: Allowance = { left: DATAGRAM_TOTAL_BURST, at: 0 };

  /** Counts one datagram of `source`; `now` in milliseconds, never going back. @returns false to drop it. */
  allows(source: string, now: number): boolean {
    const allowance = this.#sources.get(source) ?? this.#remember(source, now);
    // The source first, so that one flooder does not use up what everybody shares.
    return (
      take(allowance, now, DATAGRAM_SOURCE_BURST, DATAGRAM_SOURCE_RATE) &&
      take(this.#total, now, DATAGRAM_TOTAL_BURST, DATAGRAM_TOTAL_RATE)
    );
  }

  /** Sources remembered, at most MAX_RATE_SOURCES. */
  get size(): number {
    return this.#sources.size;
  }

  #remember(source: string, now: number): Allowance {
    if (this.#sources.size >= MAX_RATE_SOURCES) {
      const [oldest] = this.#sources.keys();
      if (oldest !== undefined) this.#sources.delete(oldest);
    }
    const allowance = { left: DATAGRAM_SOURCE_BURST, at: now };
    this.#sources.set(source, allowance);
    return allowance;
  }
}

function take(allowance: Allowance, now: number, burst: number, perSecond: number): boolean {
  allowance.left = Math.min(burst, allowance.left + ((now - allowance.at) / 1000) * perSecond);
  allowance.at = now;
  if (allowance.left < 1) return false;
  allowance.left--;
  return true;
}
