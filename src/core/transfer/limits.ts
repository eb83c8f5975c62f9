// Transfer: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB, MiB } from "../../lib/units.ts";
import { MAX_INBOUND_REQUESTS } from "../torrent/limits.ts";

/** A request window holds at least this many runs, so that one run occupies a peer's link for 20 ms at most: the smallest
 * windows have runs of two or four blocks, a window of 32 blocks (6.5 MB/s) has the longest. */
export const MIN_RUNS_PER_WINDOW = 4;
/** Refused requests (for pieces we lack, or while choked) since the last unchoke before we close the connection: a choke may
 * cross a whole queue of honest requests. */
export const MAX_BAD_REQUESTS = 2 * MAX_INBOUND_REQUESTS;
/** Bytes of blocks that a peer may send without a request, besides a tenth of what we downloaded from it: two of the largest
 * request windows, which may be in flight when they are cancelled. */
export const MAX_UNREQUESTED_LENGTH = 16 * MiB;
/** Blocks of the request window of one peer. 512 are 8 MiB: 8 ms at 1 GB/s, 0.3 s at 200 Mbit/s. The least window is one piece,
 * within 8 and 16 blocks. With fewer blocks a machine whose peers are busier than others' loses turns in their queues and
 * ends last: simulated, 1000 machines with pieces of 1 MiB, 1.30 times the floor with 8 and 1.17 with 16. With more blocks a fleet
 * requests more than its links carry in a second, and blocks that wait in queues cannot be passed on: 24 machines at 50 Mbit/s
 * with pieces of 128 KiB, measured, 1.45 with 16 and 1.40 with 8; 100 at 12 Mbit/s, simulated, 1.48 and 1.39. It is equal for
 * all peers of a file: least windows derived from a machine's own rate left machines behind that were slow by chance. */
export const MIN_REQUEST_WINDOW = 8;
export const MIN_REQUEST_WINDOW_OF_LONG_PIECES = 16;
export const MAX_REQUEST_WINDOW = 512;
/** Blocks in the first request window of a peer: 512 KiB, so that the first piece needs one round trip. */
export const INITIAL_REQUEST_WINDOW = 32;
/** Upload slots: enough for a small fleet at once, and few enough that a piece soon reaches the next machine, which passes it
 * on. Simulated, 1000 machines: 1.17 times the floor with 100, 1.12 with 50; with 30 fifty machines take 1.16 and not 1.09. */
export const MIN_UPLOAD_SLOTS = 8;
export const MAX_UPLOAD_SLOTS = 50;
/** Super-seeding: suggested pieces of one peer that it has not requested. There are as many as it uses up in a round trip, up
 * to this. */
export const MAX_UNREQUESTED_SUGGESTIONS = 32;
/** Unrequested suggestions of a peer at first: with one the peer waits a round trip after each; with three the first peers of a
 * fleet hold the seed's link while the others have nothing to pass on. */
export const FIRST_UNREQUESTED_SUGGESTIONS = 2;
/** A peer that uses up its suggestions sooner than this gets one more the next time. On slow links more suggestions only lie
 * with peers that request them late. */
export const SUGGESTION_GROWTH_MS = 250;
/** When every piece is assigned, a waiting peer is assigned a piece that another has been fetching for this many times as long
 * as the waiting peer takes for a piece. Simulated, half of ten links at a tenth of the rate: 1.2 times the floor with 2 or
 * 4, 1.5 without. */
export const REASSIGN_PIECE_TIMES = 4;
/** Suggestions of one peer that we keep until we start their pieces. */
export const MAX_SUGGESTIONS = 2 * MAX_UNREQUESTED_SUGGESTIONS;
/** In the end-game a block is requested from a second peer only when its request is older than this, and than twice the second
 * peer's own delay. */
export const ENDGAME_DUPLICATE_MS = 100;
/** Target time from request to arrival of a block. It is short, so that several peers share a piece, a piece is passed on early,
 * and the end of a transfer does not wait for one peer's queue. Simulated, ten machines: 1.06 times the floor with 300, 1.03
 * with 150, 1.02 with 80. */
export const TARGET_DELAY_MS = 80;
/** On a long path the target is this many times the least delay seen there, up to MAX_TARGET_DELAY_MS. Twice would fill such a link
 * sooner, but the least delay at a busy peer is its queue, and a peer that requests more there takes the others' turns. */
export const TARGET_ROUND_TRIPS = 1.25;
export const MAX_TARGET_DELAY_MS = 1_000;
/** Target delay for other clients: Transmission answers requests in rounds of half a second, so a window that aims at 300 ms
 * never grows. Measured: 260 KiB/s with 300, the disk's speed with this. */
export const OTHER_CLIENT_TARGET_DELAY_MS = 1_000;
/** Bytes ordered from the shell for one peer and not yet taken by its socket; the last request may exceed it by its length. */
export const MAX_UPLOAD_IN_FLIGHT = 256 * KiB;
/** Bytes in flight to one peer under a rate limit, where only ticks order blocks: what the limit lets through in two ticks, so
 * that one peer can use all of the limit, within these bounds. Blocks for a peer that never reads are taken from the others'
 * share. */
export const PACED_UPLOAD_MS = 20;
export const MIN_PACED_UPLOAD_IN_FLIGHT = 128 * KiB;
export const MAX_PACED_UPLOAD_IN_FLIGHT = 1 * MiB;
/** BEP 3: the choker decides every 10 s, and moves the optimistic unchoke every 30 s. */
export const RECHOKE_MS = 10_000;
export const OPTIMISTIC_UNCHOKE_MS = 30_000;
/** A peer that owes us blocks and has sent none for this long is snubbed: its requests go to other peers. */
export const SNUB_MS = 10_000;
/** A peer that rejects a request without choking us (its file is being checked, its disk is slow) gets no request for this
 * long. */
export const REJECT_PAUSE_MS = 1_000;
/** A peer that super-seeds (suggests pieces) gets no other requests, as long as some pieces have no copy at a leecher, until it
 * has been silent for this long: the suggestion after the next takes a round trip and the wait in the peer's queue. With 1 s a
 * rate-limited seed had too little to do for 10 s (9 % below its limit), and no fleet was faster. */
export const SUPER_SEED_TIMEOUT_MS = 200;
/** `--seeding` ends when no known host has needed data for this long: machines are not started in the same second. */
export const SWARM_END_GRACE_MS = 10_000;
/** Requests in a peer's first ring, which is made when a request has to wait: an idle peer has none. */
export const FIRST_UPLOAD_QUEUE = 16;
