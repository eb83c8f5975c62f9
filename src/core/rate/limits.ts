// Rate limits: every bound with its reason. docs/LIMITS.md is made from these files.

/** A rate limit's burst is what flows in this time, so that no 100 ms see twice the limit. Callers retry within it. */
export const RATE_BURST_MS = 50;
/** After a stall of the process a rate limit makes up for this much time at most, at a quarter of the rate on top. With the
 * burst that is at most 3 % of 10 s: 10 s right after a stall may exceed the limit by that much. */
export const RATE_ARREARS_MS = 250;
/** A rate is measured over the last five seconds, in a ring of slots: short enough to follow a change, long enough for a line that people
 * read. */
export const METER_SLOT_MS = 250;
export const METER_SLOTS = 20;
