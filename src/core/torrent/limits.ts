// Pieces and blocks: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB, MiB } from "../../lib/units.ts";

/** Bytes of a request; what every client asks for (BEP 3). */
export const BLOCK_LENGTH = 16 * KiB;
/** Largest request we answer: older clients ask for up to 128 KiB (BEP 3 practice); anything larger is refused. Also the
 * longest run we ask of peers that say they answer it: eight blocks for the price of one message, two in a read span. */
export const MAX_REQUEST_LENGTH = 128 * KiB;
/** Piece lengths that `serve` chooses between. */
export const MIN_PIECE_LENGTH = 128 * KiB;
export const MAX_PIECE_LENGTH = 16 * MiB;
/** Aim of `serve`: no more pieces than this until the largest piece length is reached; 160 KiB of metadata. */
export const TARGET_PIECE_COUNT = 8192;
/** Below this piece length `serve` aims at fewer pieces than this: hundreds keep a fleet's links busy at once. A fleet of 24 on
 * slow links (64 MiB) took 1.39 times the floor with the smallest of 128 KiB and 1.48 with 256; with 64 the processors do. */
export const COMMON_PIECE_LENGTH = 1 * MiB;
export const FINE_PIECE_COUNT = 1024;
/** 5 MiB of hashes, 32 KiB of bitfield. */
export const MAX_PIECE_COUNT = 262_144;
/** 16 TiB, far inside 2^53. */
export const MAX_FILE_LENGTH = 16 * 1024 * 1024 * MiB;
/** Requests a peer may have waiting with us, of any length; told to it as `reqq`. Foreign clients keep 256 to 500 of 16 KiB
 * by default, we 512, and 1024 are 16 MiB: 13 ms at 10 Gbit/s. Coordinates wait and not bytes: 12 KiB a peer. But all of
 * them are refused at once when their peer is choked, up to a hundred peers in a round. */
export const MAX_INBOUND_REQUESTS = 1024;
