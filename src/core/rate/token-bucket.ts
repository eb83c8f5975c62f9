// A rate limit as arithmetic on tokens and time. One token is one byte; time comes in as `now` in milliseconds.
import { BLOCK_LENGTH } from "../torrent/limits.ts";
import { RATE_ARREARS_MS, RATE_BURST_MS } from "./limits.ts";

/** Far below one byte: what rounding may leave missing when exactly the waited time has passed. */
const ROUNDING = 1e-6;

export class TokenBucket {
  readonly #ratePerSecond: number;
  readonly #burst: number;
  #tokens: number;
  /** Tokens that somebody waited for and that came while nobody could look, such as during a stall of the process. */
  #arrears = 0;
  #isAwaited = false;
  #lastMs: number | undefined;

  /**
   * `ratePerSecond` in bytes, 0 for no limit. `burst` is the most that is saved up in quiet times: by default what
   * flows in 50 ms, so that no 100 ms see twice the limit, and at least one block, or nothing would ever pass.
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

  /** Bytes that the limit lets through in this time. */
  bytesIn(milliseconds: number): number {
    return this.isUnlimited ? Number.POSITIVE_INFINITY : (this.#ratePerSecond * milliseconds) / 1000;
  }

  /** Bytes that may flow now; negative while in debt, Infinity without a limit. */
  available(now: number): number {
    if (this.isUnlimited) return Number.POSITIVE_INFINITY;
    // A clock that steps back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, now - (this.#lastMs ?? now));
    this.#lastMs = Math.max(now, this.#lastMs ?? now);
    const inflow = (elapsedMs * this.#ratePerSecond) / 1000;
    const overflow = Math.max(0, this.#tokens + inflow - this.#burst);
    this.#tokens += inflow - overflow;
    if (inflow > 0) this.#settleArrears(overflow, inflow);
    return this.#tokens;
  }

  /**
   * Takes `amount` or nothing. An amount above the burst passes when the bucket is half full and leaves a debt, so that
   * the rate holds over time and large blocks still move. A full bucket may never be seen: bytes of the protocol are
   * spent all the time.
   */
  take(amount: number, now: number): boolean {
    this.#isAwaited = this.available(now) + ROUNDING < this.#needed(amount);
    if (this.#isAwaited) return false;
    this.#tokens -= amount;
    return true;
  }

  /**
   * A process that was not scheduled for longer than the burst would lose what came meanwhile and stay below its rate.
   * Such tokens are paid out later at a quarter of the rate on top, as long as there was demand when the stall began.
   */
  #settleArrears(overflow: number, inflow: number): void {
    const limit = (this.#ratePerSecond * RATE_ARREARS_MS) / 1000;
    if (overflow > 0) this.#arrears = this.#isAwaited ? Math.min(limit, this.#arrears + overflow) : 0;
    const paid = Math.min(this.#arrears, inflow / 4, this.#burst - this.#tokens);
    this.#arrears -= paid;
    this.#tokens += paid;
    this.#isAwaited = false;
  }

  /** Somebody found too little in `available` and will look again. `take` notes this by itself. */
  noteDemand(): void {
    this.#isAwaited = !this.isUnlimited;
  }

  /** Counts what has flowed already, such as protocol bytes: goes into debt if need be. */
  spend(amount: number, now: number): void {
    this.available(now);
    this.#tokens -= amount;
  }

  /** Gives back what was taken and did not flow. */
  refund(amount: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + amount);
  }

  /** Milliseconds until `take(amount)` succeeds if nothing else is taken; 0 when it does now. */
  waitMs(amount: number, now: number): number {
    const missing = this.#needed(amount) - this.available(now);
    return this.isUnlimited || missing <= ROUNDING ? 0 : Math.ceil((missing * 1000) / this.#ratePerSecond);
  }

  #needed(amount: number): number {
    return amount <= this.#burst ? amount : this.#burst / 2;
  }
}
