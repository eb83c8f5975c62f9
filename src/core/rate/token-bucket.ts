// A rate limit as a token bucket. One token is one byte; `now` is in milliseconds of a monotonic clock.
import { BLOCK_LENGTH } from "../torrent/limits.ts";
import { RATE_ARREARS_MS, RATE_BURST_MS } from "./limits.ts";

/** Tolerance for floating point: after exactly the waited time this much of a byte may be missing. */
const ROUNDING = 1e-6;

export class TokenBucket {
  readonly #ratePerSecond: number;
  readonly #burst: number;
  #tokens: number;
  /** Tokens that overflowed during a stall of the process while there was demand; paid out later. */
  #arrears = 0;
  /** True while a caller waits for tokens. */
  #isAwaited = false;
  #lastMs: number | undefined;

  /**
   * @param ratePerSecond bytes, 0 for no limit.
   * @param burst the most tokens saved up while idle; by default RATE_BURST_MS of the rate, and at least one block.
   */
  constructor(ratePerSecond: number, burst = Math.max(BLOCK_LENGTH, (ratePerSecond * RATE_BURST_MS) / 1000)) {
    if (!(ratePerSecond >= 0) || !(burst > 0))
      throw new RangeError(`bad rate ${ratePerSecond}, burst ${burst}`);
    this.#ratePerSecond = ratePerSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  get isUnlimited(): boolean {
    return this.#ratePerSecond === 0;
  }

  /** Bytes that the limit lets through in this time; Infinity without a limit. */
  bytesIn(milliseconds: number): number {
    return this.isUnlimited ? Number.POSITIVE_INFINITY : (this.#ratePerSecond * milliseconds) / 1000;
  }

  /** Bytes that may flow now; negative while in debt, Infinity without a limit. */
  available(now: number): number {
    if (this.isUnlimited) return Number.POSITIVE_INFINITY;
    // When the clock steps back, the tokens stay as they are.
    const elapsedMs = Math.max(0, now - (this.#lastMs ?? now));
    this.#lastMs = Math.max(now, this.#lastMs ?? now);
    const inflow = (elapsedMs * this.#ratePerSecond) / 1000;
    const overflow = Math.max(0, this.#tokens + inflow - this.#burst);
    this.#tokens += inflow - overflow;
    if (inflow > 0) this.#settleArrears(overflow, inflow);
    return this.#tokens;
  }

  /**
   * Takes `amount` tokens or none. An amount above the burst passes when the bucket is half full, and leaves a debt: the
   * rate holds over time and large blocks still pass. Half, because `spend` for protocol bytes may keep the bucket from
   * ever being full.
   * @returns whether the tokens were taken.
   */
  take(amount: number, now: number): boolean {
    this.#isAwaited = this.available(now) + ROUNDING < this.#needed(amount);
    if (this.#isAwaited) return false;
    this.#tokens -= amount;
    return true;
  }

  /**
   * A process that is not scheduled for longer than the burst would lose the overflowing tokens and stay below its rate.
   * If there was demand when the stall began, they are paid out later at a quarter of the rate on top.
   */
  #settleArrears(overflow: number, inflow: number): void {
    const limit = (this.#ratePerSecond * RATE_ARREARS_MS) / 1000;
    if (overflow > 0) this.#arrears = this.#isAwaited ? Math.min(limit, this.#arrears + overflow) : 0;
    const paid = Math.min(this.#arrears, inflow / 4, this.#burst - this.#tokens);
    this.#arrears -= paid;
    this.#tokens += paid;
    this.#isAwaited = false;
  }

  /** The caller found too little in `available` and will try again. `take` notes demand by itself. */
  noteDemand(): void {
    this.#isAwaited = !this.isUnlimited;
  }

  /** Takes tokens for bytes that have already flowed, such as protocol bytes; may leave a debt. */
  spend(amount: number, now: number): void {
    this.available(now);
    this.#tokens -= amount;
  }

  /** Gives back tokens for bytes that did not flow. */
  refund(amount: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + amount);
  }

  #needed(amount: number): number {
    return amount <= this.#burst ? amount : this.#burst / 2;
  }
}
