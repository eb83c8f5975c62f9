// Peer wire: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB } from "../lib/units.ts";
import { MAX_PIECE_COUNT, MAX_REQUEST_LENGTH } from "../core/torrent/limits.ts";

/** Bytes of one metadata piece (BEP 9). */
export const METADATA_PIECE_LENGTH = 16 * KiB;
/** Metadata requests of one connection that we answer: ten copies of the largest metadata. */
export const MAX_METADATA_REQUESTS_SERVED = 5120;
/** Metadata requests of one peer that wait for room in its output: the largest metadata twice. More are rejected. */
export const MAX_METADATA_REQUESTS_QUEUED = 1024;
/** Metadata pieces written to a peer before its output has drained: 256 KiB, far below MAX_OUTPUT_BUFFER. */
export const METADATA_SEND_BURST = 16;
/** Metadata requests outstanding with one peer: 128 KiB in flight hide a round trip, and every peer queues that many. */
export const METADATA_REQUEST_WINDOW = 8;
/** Bytes of a piece message after the length prefix: 9, then the payload. A connection keeps a buffer of this length for
 * messages that are cut by chunks: 7.5 MiB for MAX_PEERS_LEECHING peers that all send the longest runs. */
export const MAX_BLOCK_FRAME_LENGTH = 9 + MAX_REQUEST_LENGTH;
/** Bytes of the message id and a bitfield of MAX_PIECE_COUNT pieces. */
export const MAX_BITFIELD_FRAME_LENGTH = 1 + MAX_PIECE_COUNT / 8;
/** Bytes of an extension message: handshakes and PEX are small, a metadata piece is 16 KiB and a header. */
export const MAX_EXTENDED_FRAME_LENGTH = 64 * KiB;
/** Unknown messages are skipped up to this length and count; beyond them the peer speaks another protocol. */
export const MAX_UNKNOWN_FRAME_LENGTH = 128 * KiB;
export const MAX_UNKNOWN_FRAMES = 100;
/** Allowed-fast pieces kept of a peer before the metadata is known; clients allow about ten (BEP 6). */
export const MAX_EARLY_ALLOWED_FAST = 100;
/** Extension handshakes of one peer: one at the start, and one for each change of its state. */
export const MAX_EXTENDED_HANDSHAKES = 100;
/** Bitfields of one peer: aria2 sends one in place of many haves, a few hundred in a long download. */
export const MAX_BITFIELDS = 4096;
/** The smallest buffer of a connection for messages that are cut by chunks: small for an idle peer, large enough for every message of
 * fixed size. */
export const MIN_SCRATCH_LENGTH = 256;
/** Depth and items of the dictionary in front of a metadata piece: it has three integers (BEP 9), the rest is for keys of other
 * programs. */
export const MAX_METADATA_BENCODE_DEPTH = 4;
export const MAX_METADATA_BENCODE_ITEMS = 64;
