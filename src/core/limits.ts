// Every bound of the program: value, unit, and where it comes from. docs/LIMITS.md explains them to operators.
import { KiB, MiB } from "../lib/units.ts";

// --- Blocks and pieces -------------------------------------------------------------------------------------------

/** Bytes of a request; what every client asks for (BEP 3). */
export const BLOCK_LENGTH = 16 * KiB;
/** Largest request we answer: older clients ask for up to 128 KiB (BEP 3 practice); anything larger is refused. */
export const MAX_REQUEST_LENGTH = 128 * KiB;
/** Piece lengths that `serve` chooses between. */
export const MIN_PIECE_LENGTH = 256 * KiB;
export const MAX_PIECE_LENGTH = 16 * MiB;
/** Aim of `serve`: no more pieces than this until the largest piece length is reached; 160 KiB of metadata. */
export const TARGET_PIECE_COUNT = 8192;
/** Piece lengths accepted from foreign metadata: a multiple of the block length within these. */
export const MIN_ACCEPTED_PIECE_LENGTH = 16 * KiB;
export const MAX_ACCEPTED_PIECE_LENGTH = 64 * MiB;
/** 5 MiB of hashes, 32 KiB of bitfield. */
export const MAX_PIECE_COUNT = 262_144;
/** 16 TiB, far inside 2^53. */
export const MAX_FILE_LENGTH = 16 * 1024 * 1024 * MiB;

// --- Metadata ----------------------------------------------------------------------------------------------------

/** Bytes; below ut_metadata's own 10 MB, above MAX_PIECE_COUNT hashes. */
export const MAX_METADATA_LENGTH = 8 * MiB;
/** Bytes of one metadata piece (BEP 9). */
export const METADATA_PIECE_LENGTH = 16 * KiB;
/** Nesting and items of bencoded data from a peer; our own info dict has depth 1 and 5 items. */
export const MAX_BENCODE_DEPTH = 16;
export const MAX_BENCODE_ITEMS = 100_000;
/** The same for one datagram of the DHT. */
export const MAX_DATAGRAM_BENCODE_DEPTH = 8;
export const MAX_DATAGRAM_BENCODE_ITEMS = 500;
/** Bytes; a DHT message with 100 peers has about 900. */
export const MAX_DATAGRAM_LENGTH = 2048;
/** Characters of a magnet URI, and addresses read from one. */
export const MAX_MAGNET_LENGTH = 8192;
export const MAX_MAGNET_PEERS = 100;
/** Metadata pieces a peer may ask for in its life: ten whole copies of the largest metadata. */
export const MAX_METADATA_REQUESTS_SERVED = 5120;
/** A peer that does not deliver a piece of metadata within this time is passed over for another. */
export const METADATA_TIMEOUT_MS = 4_000;

// --- Peer wire ---------------------------------------------------------------------------------------------------

/** Bytes after the length prefix. A piece message has 9 before its payload. */
export const MAX_BLOCK_FRAME_LENGTH = 9 + MAX_REQUEST_LENGTH;
/** Bitfield of MAX_PIECE_COUNT pieces with its id. */
export const MAX_BITFIELD_FRAME_LENGTH = 1 + MAX_PIECE_COUNT / 8;
/** Extension handshakes and PEX messages are small; metadata pieces are 16 KiB and a header. */
export const MAX_EXTENDED_FRAME_LENGTH = 64 * KiB;
/** Unknown messages are skipped up to this length and count; then the peer speaks another protocol. */
export const MAX_UNKNOWN_FRAME_LENGTH = 128 * KiB;
export const MAX_UNKNOWN_FRAMES = 100;
/** Requests a peer may have waiting with us; told to it as `reqq`. 32 MiB of coordinates, not of bytes. */
export const MAX_INBOUND_REQUESTS = 2048;
/** Requests for pieces we lack, or while choked beyond a grace, before we hang up. */
export const MAX_BAD_REQUESTS = 300;
/** Requests we keep waiting with one peer. 512 blocks are 8 MiB: 8 ms at 1 GB/s, 0.3 s at 200 Mbit/s. */
export const MIN_REQUEST_WINDOW = 8;
export const MAX_REQUEST_WINDOW = 512;
/** Bytes handed to the shell for one peer and not yet taken by its socket. */
export const MAX_UPLOAD_IN_FLIGHT = 1 * MiB;
/** Bytes waiting in one peer's output buffer before the peer counts as too slow to keep. */
export const MAX_OUTPUT_BUFFER = 4 * MiB;

// --- Time (milliseconds) -----------------------------------------------------------------------------------------

export const CONNECT_TIMEOUT_MS = 5_000;
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Without a whole message from the peer for this long it is gone (BEP 3 practice: keep-alives every 2 minutes). */
export const IDLE_TIMEOUT_MS = 120_000;
/** A keep-alive is sent after this much silence of ours. */
export const KEEP_ALIVE_MS = 55_000;
/** An output buffer that does not shrink for this long means that nobody reads. */
export const STALLED_WRITE_MS = 60_000;
/** BEP 3: choking is decided anew every 10 s, the optimistic unchoke moves every 30 s. */
export const RECHOKE_MS = 10_000;
export const OPTIMISTIC_UNCHOKE_MS = 30_000;
/** A peer that owes us blocks and sent none for this long is snubbed: its requests go to others. */
export const SNUB_MS = 10_000;
/** Heart beat of the core while there is work: timeouts, rechokes and rate limits are looked at this often. */
export const TICK_MS = 100;

// --- Connections -------------------------------------------------------------------------------------------------

/** Peers wanted by a leecher per torrent (a sparse random graph), and the most it accepts. */
export const WANTED_PEERS = 30;
export const MAX_PEERS_LEECHING = 60;
/** The seed is the root of the graph and accepts more. */
export const MAX_PEERS_SEEDING = 200;
/** Connections of the whole process. */
export const MAX_CONNECTIONS = 400;
/** Sockets that have not finished their handshake. */
export const MAX_PENDING_INCOMING = 64;
export const MAX_PENDING_OUTGOING = 32;
/** Addresses remembered per torrent, and of them per source of peer exchange. */
export const MAX_KNOWN_PEERS = 2000;
export const MAX_PEX_ADDRESSES = 50;
/** Back-off of a redial: for pinned addresses (x.pe, --peers) for ever between these, for others up to a few tries. */
export const REDIAL_MIN_MS = 200;
export const REDIAL_PINNED_MAX_MS = 5_000;
export const REDIAL_MAX_MS = 60_000;
export const MAX_DIAL_FAILURES = 5;
/** A peer whose data failed its hash is not spoken to for this long; doubled each time. */
export const BAN_MS = 600_000;

// --- Discovery ---------------------------------------------------------------------------------------------------

export const LOOKUP_HUNGRY_MS = 1_000;
export const LOOKUP_SATISFIED_MS = 15_000;
export const ANNOUNCE_MS = 30_000;
/** Peers that did not announce themselves again are forgotten by the DHT nodes after this (three announces). */
export const PEER_EXPIRY_MS = 90_000;
/** A DHT query unanswered for this long is lost: round trips of a private network are below 100 ms. */
export const DHT_QUERY_TIMEOUT_MS = 500;
/** Peers in one reply: 50 x 6 bytes keep the datagram below 700 bytes, so it is never fragmented nor amplified. */
export const MAX_DHT_REPLY_PEERS = 50;
/** BEP 11: at most one message a minute, 50 added and 50 dropped. */
export const PEX_INTERVAL_MS = 60_000;

// --- Memory ------------------------------------------------------------------------------------------------------

/** Received blocks are gathered into spans of this size before they are written: one system call for 64 blocks. */
export const WRITE_SPAN_LENGTH = 1 * MiB;
/** Spans filling or being written; over it, sockets are not read. */
export const MAX_WRITE_SPANS = 48;
/** The upload side reads spans of this size from the file and keeps the latest ones. */
export const READ_SPAN_LENGTH = 256 * KiB;
export const MAX_READ_SPANS = 96;
/** Bytes a worker maps at once. */
export const HASH_WINDOW_LENGTH = 16 * MiB;
/** Received but unverified pieces, in bytes, that the picker may have open at once. */
export const MAX_OPEN_PIECE_BYTES = 256 * MiB;
