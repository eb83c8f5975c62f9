// Transfer: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB, MiB } from "../../lib/units.ts";
import { MAX_INBOUND_REQUESTS } from "../torrent/limits.ts";

/** A run is at most this share of the request window, so that one is worth 20 ms of a peer's link at the most: the
 * smallest windows ask for runs of two or four blocks, one of 32 (6.5 MB/s) for the longest. */
export const MIN_RUNS_PER_WINDOW = 4;
/** Refused requests (pieces we lack, while choked) since the last unchoke before we hang up: a choke may cross a whole
 * queue of honest ones. */
export const MAX_BAD_REQUESTS = 2 * MAX_INBOUND_REQUESTS;
/** Bytes of blocks that a peer may send unasked, besides a tenth of what it was asked for: two of the largest windows,
 * which may be under way when they are cancelled. */
export const MAX_UNASKED_LENGTH = 16 * MiB;
/** Blocks we keep asked for with one peer. 512 are 8 MiB: 8 ms at 1 GB/s, 0.3 s at 200 Mbit/s. The least is one piece, but
 * not fewer than 8 nor more than 16 blocks. With fewer a machine whose peers are busier than others' loses its turns there
 * and ends last: simulated, 1000 machines with pieces of 1 MiB, 1.30 times the floor with 8 and 1.17 with 16. With more a
 * fleet asks for more than its links carry in a second, and nobody can pass on what waits: 24 machines at 50 Mbit/s with
 * pieces of 128 KiB, measured, 1.45 with 16 and 1.40 with 8; 100 at 12 Mbit/s, simulated, 1.48 and 1.39. The same for
 * all peers of a file: what was counted from a machine's own rate left those behind that were slow by chance. */
export const MIN_REQUEST_WINDOW = 8;
export const MIN_REQUEST_WINDOW_OF_LONG_PIECES = 16;
export const MAX_REQUEST_WINDOW = 512;
/** Upload slots: enough for a small fleet at once, and few enough that a piece is soon at the next machine, which passes it
 * on. Simulated, 1000 machines: 1.17 times the floor with 100, 1.12 with 50; with 30 fifty machines take 1.16 and not 1.09. */
export const MIN_UPLOAD_SLOTS = 8;
export const MAX_UPLOAD_SLOTS = 50;
/** Suggested pieces of which a peer has asked for nothing yet: as many as it uses up in a round trip, up to this. */
export const MAX_SUGGESTIONS_AHEAD = 32;
/** The same at first: with one the peer waits a round trip after each; with three the first peers of a fleet hold its seed's
 * link while the others have nothing to pass on. */
export const FIRST_SUGGESTIONS_AHEAD = 2;
/** A peer that uses up its suggestions sooner than this gets one more. On slow links more of them only lie at peers that come
 * to them late. */
export const SUGGESTION_GROWTH_MS = 250;
/** When all pieces are handed out, one that has been on its way for this many times as long as a waiting peer needs for one is
 * given to that peer as well. Simulated, half of ten links at a tenth of the rate: 1.2 times the floor with 2 or 4, 1.5
 * without. */
export const SUGGESTION_PATIENCE = 4;
/** SuperSeeding of a peer that are remembered until they are begun. */
export const MAX_SUGGESTIONS = 2 * MAX_SUGGESTIONS_AHEAD;
/** A block is asked for a second time at the end only when it is this late, or twice the second peer's own delay. */
export const ENDGAME_PATIENCE_MS = 100;
/** Time a block should take from request to arrival. Short, so that several peers share a piece, it can be passed on
 * early, and the end of a transfer does not wait for one peer's queue. Simulated, ten machines: 1.06 times the floor with
 * 300, 1.03 with 150, 1.02 with 80. */
export const TARGET_DELAY_MS = 80;
/** On a long way it is this many times the least delay that was seen there, up to the time below. Twice would fill such a
 * link sooner, but the least delay at a busy peer is its queue, and who asks more of it takes the others' turns. */
export const TARGET_ROUND_TRIPS = 1.25;
export const MAX_TARGET_DELAY_MS = 1_000;
/** The same for other programs: Transmission answers what it was asked in turns of half a second, so a window that is
 * meant to be empty after 300 ms never grows. Measured: 260 KiB/s with 300, the disk's speed with this. */
export const OTHER_CLIENT_TARGET_DELAY_MS = 1_000;
/** Bytes handed to the shell for one peer and not yet taken by its socket; the request that reaches it may pass it. */
export const MAX_UPLOAD_IN_FLIGHT = 256 * KiB;
/** The same under a rate limit, where blocks are ordered by the clock alone: what the limit lets through in two turns, so that
 * one peer can have all of it; between these bounds. What a peer orders and never reads is taken from the others' share. */
export const PACED_UPLOAD_MS = 20;
export const MIN_PACED_UPLOAD_IN_FLIGHT = 128 * KiB;
export const MAX_PACED_UPLOAD_IN_FLIGHT = 1 * MiB;
/** BEP 3: choking is decided anew every 10 s, the optimistic unchoke moves every 30 s. */
export const RECHOKE_MS = 10_000;
export const OPTIMISTIC_UNCHOKE_MS = 30_000;
/** A peer that owes us blocks and sent none for this long is snubbed: its requests go to others. */
export const SNUB_MS = 10_000;
/** A peer that refuses a block without choking us (its file is being checked, its disk is slow) is left alone this long. */
export const REFUSED_PAUSE_MS = 1_000;
/** A peer that suggests pieces is asked for nothing else while others are unseen, until it was silent for this long: the
 * suggestion after the next is a round trip and a place in its queue away. With 1 s a rate-limited seed had too
 * little to do for 10 s (9 % below its limit), and no fleet was faster. */
export const SUGGESTED_ONLY_MS = 200;
/** `--seeding` ends when nobody has needed data for this long: machines are not started in the same second. */
export const SWARM_END_GRACE_MS = 10_000;
