// Formats: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB, MiB } from "../../lib/units.ts";

/** Piece lengths accepted in metadata of other programs: multiples of the block length within these bounds. */
export const MIN_ACCEPTED_PIECE_LENGTH = 16 * KiB;
export const MAX_ACCEPTED_PIECE_LENGTH = 64 * MiB;
/** Bytes of the name of a shared file: the part file's name adds 23, and Linux takes 255. */
export const MAX_SHARED_NAME_LENGTH = 200;
/** Bytes of metadata (BEP 9): below ut_metadata's own limit of 10 MB, above MAX_PIECE_COUNT hashes. */
export const MAX_METADATA_LENGTH = 8 * MiB;
/** Nesting and items of bencoded data from a peer; our own info dict has depth 1 and 9 items. */
export const MAX_BENCODE_DEPTH = 16;
export const MAX_BENCODE_ITEMS = 100_000;
/** Characters of a magnet URI: those of other programs list hundreds of trackers. */
export const MAX_MAGNET_LENGTH = 64 * KiB;
/** Peer addresses read from a magnet. */
export const MAX_MAGNET_PEERS = 100;
/** Characters of a text from outside that a message quotes: a line of a terminal. */
export const MAX_QUOTED_LENGTH = 80;
/** Depth, and values and keys, of an extension handshake; those of libtorrent and Transmission have a depth of 2 and about 40. */
export const MAX_HANDSHAKE_DEPTH = 4;
export const MAX_HANDSHAKE_ITEMS = 1000;
/** A peer's `reqq` is clamped to 1 and this; our largest request window is a quarter of it. */
export const MAX_PEER_REQUEST_QUEUE = 2048;
/** Characters kept of the client name in an extension handshake; it is only logged. */
export const MAX_CLIENT_NAME_LENGTH = 64;
