// Messages of the host exchange: every bound with its reason. docs/LIMITS.md is made from these files.

/** Changes of hosts are gathered this long before they are passed on, so that two hops stay within about a second. */
export const HOST_TURN_MS = 500;
/** Messages to one peer in a turn: a peer that joins gets 400 hosts at once and 1000 within a second and a half. */
export const HOST_MESSAGES_PER_TURN = 4;
/** What one peer may send: twice the rate that the turns allow, and a burst for what was queued while a process or a link
 * stood still (HOST_MESSAGES_PER_TURN in every turn of IDLE_TIMEOUT_MS). */
export const HOST_MESSAGE_RATE = 16;
export const HOST_MESSAGE_BURST = 1_000;
/** A peer that has sent no bitfield, have, haveAll or haveNone for this long has no piece (BEP 3 lets it stay silent). */
export const PIECE_STATE_PATIENCE_MS = 2_000;
/** A peer that must have every piece by what it has announced and we have sent is done after so long: what its socket took is on its way
 * until then. */
export const DELIVERY_GRACE_MS = 2_000;
/** How often one peer's pieces are gone through for that. */
export const DELIVERY_CHECK_MS = 500;
/** A PEX message of a peer that is this much early is still within BEP 11's minute: clocks and networks jitter. */
export const PEX_TOLERANCE_MS = 5_000;
/** How often the PEX feeds are asked; each keeps the minute itself. */
export const PEX_TURN_MS = 1_000;
