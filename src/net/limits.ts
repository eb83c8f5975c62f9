// Sockets: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB } from "../lib/units.ts";
import { BLOCK_LENGTH } from "../core/torrent/limits.ts";
import { BLOCK_HEADER_LENGTH } from "../core/torrent/peer-message.ts";

/** Memory of an output queue comes in segments: the sixteen blocks of a read span, with their headers, leave in one
 * system call. With 256 KiB flat the sixteenth went alone and `sendto` was called twice as often. */
export const OUTPUT_SEGMENT_LENGTH = 16 * (BLOCK_LENGTH + BLOCK_HEADER_LENGTH);
/** A connection that only sends requests and haves keeps this much: 240 requests or 900 haves. */
export const SMALL_OUTPUT_SEGMENT_LENGTH = 4 * KiB;
/** Drained segments kept for all connections together: 8 MiB. */
export const MAX_SPARE_OUTPUT_SEGMENTS = 32;
/** A shorter array is left to the collector: freeing it is not worth a call into the engine. */
export const MIN_RELEASED_LENGTH = 64 * KiB;
