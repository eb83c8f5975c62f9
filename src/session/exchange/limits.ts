// Messages of the host exchange: every bound with its reason. docs/LIMITS.md is made from these files.

/** News of hosts is gathered this long before it is passed on, so that two hops stay within about a second. */
export const HOST_TURN_MS = 500;
/** Messages to one peer in a turn: a newcomer hears of 400 hosts at once and of 1000 within a second and a half. */
export const HOST_MESSAGES_PER_TURN = 4;
/** What one peer may send: twice the rate that the turns allow, and a burst for what waited while a process or a link
 * stood still (HOST_MESSAGES_PER_TURN in every turn of IDLE_TIMEOUT_MS). */
export const HOST_MESSAGE_RATE = 16;
export const HOST_MESSAGE_BURST = 1_000;
/** A peer that has said nothing of its pieces for this long has none (BEP 3 lets it keep silent). */
export const PIECE_STATE_PATIENCE_MS = 2_000;
