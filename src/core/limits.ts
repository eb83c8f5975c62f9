// Every bound of the program: value, unit, and where it comes from. docs/LIMITS.md explains them to operators.
import { KiB, MiB } from "../lib/units.ts";

// --- Blocks and pieces -------------------------------------------------------------------------------------------

/** Bytes of a request; what every client asks for (BEP 3). */
export const BLOCK_LENGTH = 16 * KiB;
/** Largest request we answer: older clients ask for up to 128 KiB (BEP 3 practice); anything larger is refused. Also the
 * longest run we ask of peers that say they answer it: eight blocks for the price of one message, two in a read span. */
export const MAX_REQUEST_LENGTH = 128 * KiB;
/** A run is at most this share of the request window, so that one is worth 20 ms of a peer's link at the most: the
 * smallest windows ask for runs of two or four blocks, one of 32 (6.5 MB/s) for the longest. */
export const MIN_RUNS_PER_WINDOW = 4;
/** Piece lengths that `serve` chooses between. */
export const MIN_PIECE_LENGTH = 128 * KiB;
export const MAX_PIECE_LENGTH = 16 * MiB;
/** Aim of `serve`: no more pieces than this until the largest piece length is reached; 160 KiB of metadata. */
export const TARGET_PIECE_COUNT = 8192;
/** Below this piece length `serve` aims at fewer pieces than this: hundreds keep a fleet's links busy at once. A fleet of 24 on
 * slow links (64 MiB) took 1.39 times the floor with the smallest of 128 KiB and 1.48 with 256; with 64 the processors do. */
export const COMMON_PIECE_LENGTH = 1 * MiB;
export const FINE_PIECE_COUNT = 1024;
/** Piece lengths accepted from foreign metadata: a multiple of the block length within these. */
export const MIN_ACCEPTED_PIECE_LENGTH = 16 * KiB;
export const MAX_ACCEPTED_PIECE_LENGTH = 64 * MiB;
/** 5 MiB of hashes, 32 KiB of bitfield. */
export const MAX_PIECE_COUNT = 262_144;
/** 16 TiB, far inside 2^53. */
export const MAX_FILE_LENGTH = 16 * 1024 * 1024 * MiB;
/** Bytes of the name of a shared file: the part file's name adds 23, and Linux takes 255. */
export const MAX_SHARED_NAME_LENGTH = 200;

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
/** Metadata requests of one peer waiting for room in its output: the largest metadata twice. More are rejected. */
export const MAX_METADATA_REQUESTS_QUEUED = 1024;
/** Metadata pieces sent to a peer before its output has drained: 256 KiB, far below MAX_OUTPUT_BUFFER. */
export const METADATA_SEND_BURST = 16;
/** Metadata pieces asked of a peer at once: 128 KiB in flight hide a round trip, and no queue of a peer is that short. */
export const METADATA_REQUEST_WINDOW = 8;
/** A peer whose metadata comes slower than 100 kB/s after this long is late, and another is asked beside it. A seed
 * that is asked by 1000 machines at once needs about as long for 160 KiB each. */
export const METADATA_PATIENCE_MS = 1_000;
export const METADATA_MIN_BYTES_PER_MS = 100;
/** Peers asked at once when all of them are late: 32 MiB of metadata under way at the most. */
export const MAX_METADATA_FETCHES = 4;
/** For this long none of them loses its place to the next, and after so long a silence one is asked once more. */
export const METADATA_TIMEOUT_MS = 4_000;

// --- Peer wire ---------------------------------------------------------------------------------------------------

/** Bytes after the length prefix. A piece message has 9 before its payload. A connection keeps as much memory to gather
 * what chunks cut: 7.5 MiB for MAX_PEERS_LEECHING peers that all send the longest runs. */
export const MAX_BLOCK_FRAME_LENGTH = 9 + MAX_REQUEST_LENGTH;
/** Bitfield of MAX_PIECE_COUNT pieces with its id. */
export const MAX_BITFIELD_FRAME_LENGTH = 1 + MAX_PIECE_COUNT / 8;
/** Extension handshakes and PEX messages are small; metadata pieces are 16 KiB and a header. */
export const MAX_EXTENDED_FRAME_LENGTH = 64 * KiB;
/** Unknown messages are skipped up to this length and count; then the peer speaks another protocol. */
export const MAX_UNKNOWN_FRAME_LENGTH = 128 * KiB;
export const MAX_UNKNOWN_FRAMES = 100;
/** Allowed-fast pieces remembered of a peer before the metadata is known; clients allow about ten (BEP 6). */
export const MAX_HELD_ALLOWED_FAST = 100;
/** Extension handshakes of one peer: one at the start, and one for each change of its state. */
export const MAX_EXTENDED_HANDSHAKES = 100;
/** Requests a peer may have waiting with us, of any length; told to it as `reqq`. Foreign clients keep 256 to 500 of 16 KiB
 * by default, we 512, and 1024 are 16 MiB: 13 ms at 10 Gbit/s. Coordinates wait and not bytes: 12 KiB a peer. But all of
 * them are refused at once when their peer is choked, up to a hundred peers in a round. */
export const MAX_INBOUND_REQUESTS = 1024;
/** Refused requests (pieces we lack, while choked) since the last unchoke before we hang up: a choke may cross a whole
 * queue of honest ones. */
export const MAX_BAD_REQUESTS = 2 * MAX_INBOUND_REQUESTS;
/** Values and keys of an extended handshake; those of libtorrent and Transmission have about 40. */
export const MAX_HANDSHAKE_ITEMS = 1000;
/** Requests that a peer says it takes (`reqq`) are believed within 1 and this. */
export const MAX_PEER_REQUEST_QUEUE = 2048;
/** Bytes of blocks that a peer may send unasked, besides a tenth of what it was asked for: two of the largest windows,
 * which may be under way when they are cancelled. */
export const MAX_UNASKED_LENGTH = 16 * MiB;
/** Characters kept of the client name in an extended handshake; it is only ever logged. */
export const MAX_CLIENT_NAME_LENGTH = 64;
/** Bitfields of one peer: aria2 sends one in place of many haves, a few hundred in a long download. */
export const MAX_BITFIELDS = 4096;
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
/** Suggestions of a peer that are remembered until they are begun. */
export const MAX_SUGGESTIONS = 2 * MAX_SUGGESTIONS_AHEAD;
/** A block is asked for a second time at the end only when it is this late, or twice the second peer's own delay. */
export const ENDGAME_PATIENCE_MS = 100;
/** Peers asked for the same block at the end of a transfer: the first, and one to overtake it. */
export const MAX_ENDGAME_COPIES = 2;
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
export const FOREIGN_TARGET_DELAY_MS = 1_000;
/** Bytes handed to the shell for one peer and not yet taken by its socket; the request that reaches it may pass it. */
export const MAX_UPLOAD_IN_FLIGHT = 256 * KiB;
/** The same under a rate limit, where blocks are ordered by the clock alone: what the limit lets through in two turns, so that
 * one peer can have all of it; between these bounds. What a peer orders and never reads is taken from the others' share. */
export const PACED_UPLOAD_MS = 20;
export const MIN_PACED_UPLOAD_IN_FLIGHT = 128 * KiB;
export const MAX_PACED_UPLOAD_IN_FLIGHT = 1 * MiB;
/** Bytes waiting in one peer's output buffer before the peer counts as too slow to keep. */
export const MAX_OUTPUT_BUFFER = 4 * MiB;
/** Memory of an output queue comes in segments: the sixteen blocks of a read span, with their headers, leave in one
 * system call. With 256 KiB flat the sixteenth went alone and `sendto` was called twice as often. */
export const OUTPUT_SEGMENT_LENGTH = 16 * (BLOCK_LENGTH + 13);
/** A connection that only sends requests and haves keeps this much: 240 requests or 900 haves. */
export const SMALL_OUTPUT_SEGMENT_LENGTH = 4 * KiB;
/** Drained segments kept for all connections together: 8 MiB. */
export const MAX_SPARE_OUTPUT_SEGMENTS = 32;

// --- Time (milliseconds) -----------------------------------------------------------------------------------------

/** At the end peers get what is on its way to them, and close; those that do not are left after this long. */
export const FAREWELL_MS = 1_000;
/** How often it is looked whether all have gone: an exit waits half of this on average. */
export const FAREWELL_STEP_MS = 5;
/** A host of a private network that does not answer within this is down; a lost packet is sent again after 1 and 3 s. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** A handshake is 68 bytes: whoever needs longer for them speaks another protocol, or nothing at all. */
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
/** A peer that refuses a block without choking us (its file is being checked, its disk is slow) is left alone this long. */
export const REFUSED_PAUSE_MS = 1_000;
/** A peer that suggests pieces is asked for nothing else while others are unseen, until it was silent for this long: the
 * suggestion after the next is a round trip and a place in its queue away. With 1 s a rate-limited seed had too
 * little to do for 10 s (9 % below its limit), and no fleet was faster. */
export const SUGGESTION_HOLD_MS = 200;
/** Heart beat of the core while there is work: timeouts, rechokes and rate limits are looked at this often. */
export const TICK_MS = 100;
/** A rate limit saves up what flows in this time, so that no 100 ms see twice the limit. Ask again sooner than this. */
export const RATE_BURST_MS = 50;
/** What a rate limit makes up for after a stall of the process, at a quarter of the rate on top: with the burst no more than
 * 3 % of 10 s, which are over the limit when the stall lies just before them. */
export const RATE_ARREARS_MS = 250;

/** Progress is told this often; a screen that changes faster cannot be read. */
export const PROGRESS_MS = 200;
/** How often the end of seeding and of patience is looked for. */
export const SEEDING_CHECK_MS = 100;
/** `--seeding` ends when nobody has needed data for this long: machines are not started in the same second. */
export const SWARM_END_GRACE_MS = 10_000;
/** A download that was complete before it met anybody waits this long for somebody to tell. */
export const TELL_DONE_MS = 1_000;
/** How often the resume journal is asked whether it is time to record. */
export const RESUME_TICK_MS = 500;
/** A served file is looked at this often for a change of its size, times or inode. */
export const SOURCE_CHECK_MS = 1_000;
/** The same under a rate limit: tokens are handed out this often, so that traffic stays smooth. */
export const LIMITED_TICK_MS = 10;

// --- Connections -------------------------------------------------------------------------------------------------

/** Peers wanted by a leecher per torrent (a sparse random graph), and the most it accepts. Each piece is told to all of them:
 * a thousand machines need 1.11 of the floor with 20 at once and 1.14 with 30 (simulated). */
export const WANTED_PEERS = 20;
export const MAX_PEERS_LEECHING = 60;
/** Peers wanted at first, beside those that the user named: one to bring the first piece, and another. One more each
 * PEER_PACE_MS from the first connection on. Simulated, fleets take as long as with six and one each half second, give or take
 * 2 %; thirty processes that start on two cores have their first pieces a fifth sooner (docs/adr/0009). */
export const FIRST_PEERS = 2;
export const PEER_PACE_MS = 200;
/** A dial that has not come to anything after this holds no place among the wanted: a machine of a private network that is
 * there answers at once, a dead one only after CONNECT_TIMEOUT_MS. */
export const DIAL_PATIENCE_MS = 500;
/** The seed is the root of the graph and accepts more. */
export const MAX_PEERS_SEEDING = 200;
/** Connections of the whole process, besides those that came and have not introduced themselves. */
export const MAX_CONNECTIONS = 400;
/** In a full torrent a newcomer gets the place of a peer of which nothing came and to which nothing went for this long, three
 * rounds of choking. Whoever waits for a slot of ours is not idle. */
export const IDLE_PLACE_MS = 30_000;
/** The same for one that has not even wanted anything since it came: METADATA_TIMEOUT_MS, and time to say so. It is also how
 * often a place changes hands at the most, whatever crowd is at the door. */
export const UNPROVEN_PLACE_MS = 5_000;
/** Hosts remembered of which the last peer went without that: those of a fleet of 1000. Their next ones give way to anybody
 * else at once, or a crowd that always comes back would hold every place for ever. */
export const MAX_IDLE_HOSTS = 1_000;
/** How often it is looked who is of use. */
export const PLACE_CHECK_MS = 1_000;
/** Who wants data and waits for a slot is not idle; who has had a slot for this long, half a round, and took nothing is. */
export const UNUSED_SLOT_MS = 5_000;
/** Sockets that came and have not finished their handshake. Beyond these the oldest give way once they have been silent for
 * PENDING_GRACE_MS: a handshake is sent with the connection, and a lost packet again within a second. */
export const MAX_PENDING_INCOMING = 64;
export const PENDING_GRACE_MS = 1_000;
/** Beyond these the oldest give way at once. The system hands over up to 512 connections in one turn (the backlog of the
 * listening socket) before any of them is read: the first second of a fleet. With MAX_CONNECTIONS below 1024 descriptors. */
export const MAX_PENDING_BURST = 512;
/** Sockets that we opened and that have not finished their handshake. */
export const MAX_PENDING_OUTGOING = 32;
/** Addresses remembered per torrent, and of them per source of peer exchange. */
export const MAX_KNOWN_PEERS = 2000;
export const MAX_PEX_ADDRESSES = 50;
/** Back-off of a redial: for pinned addresses (x.pe, --peers) for ever between these, for others up to a few tries. */
export const REDIAL_MIN_MS = 200;
export const REDIAL_PINNED_MAX_MS = 1_500;
export const REDIAL_MAX_MS = 60_000;
export const MAX_DIAL_FAILURES = 5;
/** First redial of an address that is not pinned: five tries then last half a minute. */
export const REDIAL_OTHER_MIN_MS = 1_000;
/** A connection shorter than this counts as a failed dial, or a peer that hangs up at once is dialled in a hot loop. */
export const STABLE_CONNECTION_MS = 10_000;
/** A peer whose data failed its hash is not spoken to for this long; doubled each time. */
export const BAN_MS = 600_000;
export const MAX_BAN_MS = 86_400_000;
/** A pinned address is never banned, it may be the only one; it waits this long instead, doubled up to BAN_MS. */
export const PINNED_BAN_MS = 10_000;
/** When this many addresses of one host are banned, nobody who comes from it is let in; it may still be dialled. */
export const MAX_BANNED_PORTS = 3;
/** Peers that left, remembered in case that what they gave proves wrong: as many as come and go in some minutes. */
export const MAX_DEPARTED_PEERS = 1_000;
/** Blocks of wrong pieces whose digests are kept until the right piece tells who lied: 1 GiB of them in 1.5 MiB. */
export const MAX_AUDITED_BLOCKS = 65_536;
/** Addresses found to be our own, remembered for ever; a host has a handful of interfaces. */
export const MAX_SELF_ADDRESSES = 64;

// --- Discovery ---------------------------------------------------------------------------------------------------

/** With as many peers a torrent is not short of them: they tell it of all others within a second (hosts exchange, PEX), and
 * it goes on dialling up to WANTED_PEERS. While every machine of a fleet went on asking for more, each newcomer made all others
 * ask again every second. */
export const LOOKUP_PEERS = 8;
/** A torrent with fewer asks the DHT this often: a machine that just started is found as soon as it announces. The
 * wait doubles with every lookup that tells nothing new while peers are connected, who tell us of newcomers themselves: in
 * a fleet of ten, all hungry for ever, lookups were a tenth of the processor time. */
export const LOOKUP_HUNGRY_MS = 1_000;
/** One with enough of them asks this often, so that the swarms of machines started apart grow together. */
export const LOOKUP_SATISFIED_MS = 15_000;
/** Lookups move by up to this share either way, so that machines started together do not ask in step. */
export const LOOKUP_JITTER = 0.2;
/** Three announces before we are forgotten (PEER_EXPIRY_MS), so that two may be lost. */
export const ANNOUNCE_MS = 30_000;
/** Peers that did not announce themselves again are forgotten by the DHT nodes after this (three announces). */
export const PEER_EXPIRY_MS = 90_000;
/** A DHT query unanswered for this long is lost: round trips of a private network are below 100 ms. */
export const DHT_QUERY_TIMEOUT_MS = 500;
/** Peers in one reply: 50 x 6 bytes keep the datagram below 700 bytes, so it is never fragmented nor amplified. */
export const MAX_DHT_REPLY_PEERS = 50;
/** Nodes that a walk looks for and an announce goes to, places in a bucket and nodes in a reply without peers: BEP 5's k. The
 * library has 20, with which each of thirty machines that start together sent a third more datagrams. */
export const DHT_K = 8;
/** Nodes beside the peers of one reply; with 50 peers the datagram has 680 bytes. */
export const DHT_REPLY_NODES = 7;
/** A walk through the DHT is cut off after this: about ten rounds of lost queries. */
export const DHT_LOOKUP_TIMEOUT_MS = 5_000;
/** Queries in flight at once: the nodes of one walk, with room for dead ones and other torrents' walks. */
export const DHT_CONCURRENCY = 64;
/** Peers kept for other nodes, all info hashes together: a fleet of 1000 with ten files. */
export const MAX_DHT_STORED_PEERS = 10_000;
/** Of them for one info hash, a fleet of 1000, and the info hashes they may be spread over; 3 MiB when all is full. */
export const MAX_DHT_PEERS_PER_HASH = 1_000;
export const MAX_DHT_STORED_HASHES = 1_000;
/** Of them from one host: 30 processes with 16 files each, so that no host fills the store alone. */
export const MAX_DHT_PEERS_PER_HOST = 500;
/** The same within one info hash: 30 processes, and 30 more that were there before them and have not expired yet. */
export const MAX_DHT_PEERS_PER_HOST_AND_HASH = 64;
/** A token lets its host announce under its info hash for the rest of this time and for as long again (BEP 5). */
export const DHT_TOKEN_EPOCH_MS = 300_000;
/** Nodes that asked us something and are pinged before they enter the routing table: a quarter of DHT_CONCURRENCY, so
 * that forged senders that never answer leave room for lookups, and those that wait for their turn. */
export const MAX_DHT_GREETINGS = 16;
export const MAX_DHT_GREETINGS_WAITING = 256;
/** A node that knows DHT_K others pings newcomers this much later: in a fleet that has just started everybody asks everybody,
 * and pings were half of all datagrams. */
export const DHT_GREETING_DELAY_MS = 5_000;
/** A node looks for those nearest to itself (find_node) this long after its start, for the same reason: they are wanted by
 * others. */
export const DHT_JOIN_DELAY_MS = 5_000;
/** Whatever came of it, the same node is not pinged again for its questions before this. */
export const DHT_GREETING_PAUSE_MS = 10_000;
/** Silent bootstrap addresses asked again beside a lookup, in turns: few, or the dead ones would hold up the walk. */
export const BOOTSTRAP_PINGS_PER_LOOKUP = 4;
/** Queries whose replies are still let in; more than can be in flight with a full magnet of addresses. */
export const MAX_PENDING_QUERIES = 512;
/** A datagram refused by the network because of an earlier, dead destination is sent again at most this often. */
export const DATAGRAM_RESENDS = 2;
/**
 * Datagrams from one address and port: a burst, then a rate per second. An honest process sends about two per second
 * and torrent, so 20 hungry downloads in one process stay below; up to 30 processes share a host, each with its own.
 */
export const DATAGRAM_SOURCE_BURST = 200;
export const DATAGRAM_SOURCE_RATE = 40;
/** Datagrams from everybody, burst and per second: 1000 machines started together send about 3000 at once. */
export const DATAGRAM_TOTAL_BURST = 4_000;
export const DATAGRAM_TOTAL_RATE = 4_000;
/** Bytes of replies to one host, burst and per second, whoever it is said to be: 30 processes there that start together
 * ask ten questions each and then three a second. A victim of forged questions gets 0.5 Mbit/s from us at the most. */
export const REPLY_HOST_BURST = 256 * KiB;
export const REPLY_HOST_RATE = 64 * KiB;
/** Bytes of all replies: 1000 machines ask three questions each when they start and then one a second. */
export const REPLY_TOTAL_BURST = 2 * MiB;
export const REPLY_TOTAL_RATE = 1 * MiB;
/** Queries of ours, about 100 bytes each: 100 files that start at once ask ten nodes twice, then ten nodes a second. */
export const QUERY_BURST = 4_000;
export const QUERY_RATE = 2_000;
/** Sources, and hosts answered, whose rate is remembered. */
export const MAX_RATE_SOURCES = 4_096;
/** BEP 11: at most one message a minute, 50 added and 50 dropped. */
export const PEX_INTERVAL_MS = 60_000;
/** Hosts remembered per torrent: a fleet of 1000 in which everybody starts again under other ports three times; 1 MiB. */
export const MAX_KNOWN_HOSTS = 4096;
/** Hosts in one message of the host exchange: 1.1 KiB, one packet on most links. */
export const MAX_HOSTS_PER_MESSAGE = 100;
/** News of hosts is gathered this long before it is passed on, so that two hops stay within about a second. */
export const HOST_TURN_MS = 500;
/** Messages to one peer in a turn: a newcomer hears of 400 hosts at once and of 1000 within a second and a half. */
export const HOST_MESSAGES_PER_TURN = 4;
/** What one peer may send: twice the rate that the turns allow, and a burst for what waited while a process or a link
 * stood still (HOST_MESSAGES_PER_TURN in every turn of IDLE_TIMEOUT_MS). */
export const HOST_MESSAGE_RATE = 16;
export const HOST_MESSAGE_BURST = 1_000;
/** An entry from further ahead of our clock than this many seconds counts as of now: a day is no error of a time zone. */
export const MAX_HOST_CLOCK_LEAD_S = 86_400;
/** A peer that has said nothing of its pieces for this long has none (BEP 3 lets it keep silent). */
export const CLAIM_PATIENCE_MS = 2_000;

// --- Memory ------------------------------------------------------------------------------------------------------

/** Received blocks are gathered into spans of this size before they are written: one system call for 64 blocks. */
export const WRITE_SPAN_LENGTH = 1 * MiB;
/** Spans filling or being written; over it, sockets are not read. */
export const MAX_WRITE_SPANS = 16;
/** Writes handed to the system at once: enough to keep a disk busy, few enough to leave threads for reads. */
export const MAX_WRITES_IN_FLIGHT = 4;
/** The upload side reads spans of this size from the file and keeps the latest ones. */
export const READ_SPAN_LENGTH = 256 * KiB;
export const MAX_READ_SPANS = 96;
/** Reads handed to the system at once; the rest wait in order. A cold disk answers about this many side by side. */
export const MAX_READS_IN_FLIGHT = 8;
/** A load whose first span was evicted before its second arrived is repeated, ahead of the others. */
export const MAX_SPAN_LOAD_ATTEMPTS = 3;
/** Spans of either kind that every file keeps however many there are: fewer would serialise its disk. */
export const MIN_SPANS_PER_FILE = 4;
/** Bytes a worker maps at once. */
export const HASH_WINDOW_LENGTH = 16 * MiB;
/** Bytes of one bulk job of a worker (whole pieces): 4 ms of hashing, so a received piece never waits long for its turn. */
export const HASH_JOB_LENGTH = 8 * MiB;
/** Jobs handed to one worker: while it works on the first the second is already there, and it never waits for us. */
export const HASH_JOBS_IN_FLIGHT = 2;
/** Received pieces waiting for a worker: MAX_OPEN_PIECE_BYTES in pieces of the smallest accepted length. */
export const MAX_QUEUED_PIECES = 16_384;
/** Files being hashed as a whole at the same time. */
export const MAX_QUEUED_RANGES = 1024;
/** A closed pool lets its workers finish the job they are in, so that none dies with a file open; then it ends them. */
export const HASH_CLOSE_GRACE_MS = 1_000;
/** A worker that dies is started again this often; a second death is no accident. */
export const MAX_WORKER_RESTARTS = 1;
/** Received but unverified pieces, in bytes, that the picker may have open at once. */
export const MAX_OPEN_PIECE_BYTES = 256 * MiB;

// --- Files and state ---------------------------------------------------------------------------------------------

/**
 * Verified pieces are synced and recorded after this many bytes or this long. A kill or a power cut may cost 64 MiB and 5 s of
 * work: the other half of the bytes and the last second are for what arrives while the sync runs.
 */
export const RESUME_SYNC_LENGTH = 32 * MiB;
export const RESUME_SYNC_MS = 4_000;
/** Bytes that stay free beside a download, so that logs and the state store of the machine go on working. */
export const DISK_RESERVE_LENGTH = 16 * MiB;
/** Space is reserved in steps of this size with the event loop running in between: 0.6 ms each on ext4. */
export const ALLOCATION_STEP_LENGTH = 16 * MiB;
/** Bytes of one file name on every Linux file system (NAME_MAX). */
export const MAX_FILE_NAME_LENGTH = 255;
/** A part file that vanishes between its opening and its locking belonged to a download that just ended: try again. */
export const MAX_PART_OPEN_ATTEMPTS = 5;
/** Rows the state store keeps of each kind; the latest stay. 64 hashed files of the usual size are 10 MiB. */
export const MAX_STORED_HASHED_FILES = 64;
export const MAX_STORED_METADATA = 64;
export const MAX_STORED_DOWNLOADS = 256;
export const MAX_STORED_PORTS = 1024;
/** SQLite waits this long on the main thread for another process; our own transactions last about a millisecond. */
export const STORE_BUSY_TIMEOUT_MS = 100;
/** Tries of one transaction, and of opening the file, where twenty processes may start at once. */
export const STORE_ATTEMPTS = 3;
export const STORE_OPEN_ATTEMPTS = 20;
/** Between two tries: other transactions of ours end in a fraction of it. */
export const STORE_RETRY_MS = 5;
/** Pages of 4 KiB in the write-ahead log before they are copied home, the only time the store waits for the disk. */
export const STORE_CHECKPOINT_PAGES = 4096;

// --- Command line ------------------------------------------------------------------------------------------------

/** Bytes of a configuration file; a full one has 15 keys and below 1 KiB. */
export const MAX_CONFIG_LENGTH = 64 * KiB;
/** Addresses in one `--peers`: they must all fit into a magnet. */
export const MAX_FLAG_PEERS = MAX_MAGNET_PEERS;
/** The longest a timer can wait (2^31 - 1 ms), in seconds: 24 days. */
export const MAX_DURATION_SECONDS = 2_147_483;
/** A live progress display is redrawn at most this often: quicker cannot be read and costs a slow terminal much. */
export const PROGRESS_REDRAW_MS = 200;
/** Without a terminal, one line per moving file this often; one that stands still is repeated more rarely. */
export const PROGRESS_LINE_MS = 5_000;
export const PROGRESS_IDLE_LINE_MS = 60_000;
/** `--json` says how far each file is at most this often. */
export const JSON_PROGRESS_MS = 1_000;
/** Characters written to a pipe that nobody reads; over it, progress is left out (answers never are). */
export const MAX_OUTPUT_BACKLOG = 1 * MiB;
/** How long the end of the process waits for a slow reader of its output. */
export const OUTPUT_FLUSH_MS = 3_000;
