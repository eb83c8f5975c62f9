// Connection: every bound with its reason. docs/LIMITS.md is made from these files.
import { MiB } from "../../lib/units.ts";

/** Bytes waiting in one peer's output buffer before the peer counts as too slow to keep. */
export const MAX_OUTPUT_BUFFER = 4 * MiB;
/** A handshake is 68 bytes: a peer that needs longer for them speaks another protocol, or none. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A peer that sends no whole message for this long is gone (BEP 3 practice: keep-alives every 2 minutes). */
export const IDLE_TIMEOUT_MS = 120_000;
/** A keep-alive is sent after this much silence of ours. */
export const KEEP_ALIVE_MS = 55_000;
/** An output buffer that does not shrink for this long means that the peer does not read. */
export const STALLED_WRITE_MS = 60_000;
