// Pieces and blocks: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB, MiB } from "../../lib/units.ts";

/** Bytes of a block. Every client requests blocks of this length (BEP 3). */
export const BLOCK_LENGTH = 16 * KiB;
/** Bytes of the longest request we answer: older clients request up to 128 KiB (BEP 3 practice); a longer one is rejected. Also
 * the longest run we request from a peer that advertises `pf_request_length`: eight blocks cost one message, and two runs fill
 * a read span. */
export const MAX_REQUEST_LENGTH = 128 * KiB;
/** The range of piece lengths that `serve` chooses from. */
export const MIN_PIECE_LENGTH = 128 * KiB;
export const MAX_PIECE_LENGTH = 16 * MiB;
/** `serve` makes pieces longer to stay within this count, up to the largest piece length; 8192 pieces are 160 KiB of metadata. */
export const TARGET_PIECE_COUNT = 8192;
/** Below this piece length `serve` stays within FINE_PIECE_COUNT pieces: hundreds of pieces keep a fleet's links busy at once.
 * Measured: 24 machines on slow links (64 MiB) took 1.39 times the floor with pieces of 128 KiB and 1.48 with 256 KiB; with
 * 64 KiB the processors become the bottleneck. */
export const COMMON_PIECE_LENGTH = 1 * MiB;
export const FINE_PIECE_COUNT = 1024;
/** Pieces of a torrent: 5 MiB of hashes, 32 KiB of bitfield. */
export const MAX_PIECE_COUNT = 262_144;
/** Bytes of a file: 16 TiB, far below 2^53. */
export const MAX_FILE_LENGTH = 16 * 1024 * 1024 * MiB;
/** Requests of any length that one peer may have in our queue; advertised as `reqq` (BEP 10). Other clients keep 256 to 500
 * requests of 16 KiB by default, we keep 512; 1024 are 16 MiB, 13 ms at 10 Gbit/s. The queue holds coordinates, not bytes:
 * 12 KiB for each peer. The bound also limits the rejects that a choke causes, for up to a hundred peers in one round. */
export const MAX_INBOUND_REQUESTS = 1024;
