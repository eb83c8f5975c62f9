// Rate limits: every bound with its reason. docs/LIMITS.md is made from these files.

/** A rate limit saves up what flows in this time, so that no 100 ms see twice the limit. Ask again sooner than this. */
export const RATE_BURST_MS = 50;
/** What a rate limit makes up for after a stall of the process, at a quarter of the rate on top: with the burst no more than
 * 3 % of 10 s, which are over the limit when the stall lies just before them. */
export const RATE_ARREARS_MS = 250;
