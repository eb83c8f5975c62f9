// DHT: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB, MiB } from "../lib/units.ts";

/** Depth and items of the bencoded message in one datagram. */
export const MAX_DATAGRAM_BENCODE_DEPTH = 8;
export const MAX_DATAGRAM_BENCODE_ITEMS = 500;
/** Bytes; a DHT message with 100 peers has about 900. */
export const MAX_DATAGRAM_LENGTH = 2048;
/** A query's transaction id, which is echoed back by us: it bounds our answers; clients use 2 to 4 bytes. */
export const MAX_TRANSACTION_LENGTH = 20;
/** A token that a query brings back to us; clients use 4 to 20 bytes. */
export const MAX_TOKEN_LENGTH = 64;
/** Peers and nodes that are read of one reply: libtorrent names about 100 peers, others up to 20 nodes. One reply must not fill the
 * table of addresses, nor its checks take a millisecond. */
export const MAX_DHT_VALUES_READ = 100;
export const MAX_DHT_NODES_READ = 20;
/** A DHT query unanswered for this long is lost: round trips of a private network are below 100 ms. */
export const DHT_QUERY_TIMEOUT_MS = 500;
/** The timeout that makes the library give a query up by then: after four to five ticks, each a quarter of it. */
export const DHT_LIBRARY_TIMEOUT_MS = DHT_QUERY_TIMEOUT_MS * 0.8;
/** Peers in one reply: 50 x 6 bytes keep the datagram below 700 bytes, so it is never fragmented nor amplified. */
export const MAX_DHT_REPLY_PEERS = 50;
/** Nodes that a walk looks for, that an announce goes to, in a bucket and in a reply without peers: BEP 5's k. With the
 * library's 20 each of thirty machines that start together sends a third more datagrams. */
export const DHT_K = 8;
/** Nodes beside the peers of one reply; with 50 peers the datagram has 680 bytes. */
export const DHT_REPLY_NODES = 7;
/** A walk through the DHT is cut off after this: about ten rounds of lost queries. */
export const DHT_LOOKUP_TIMEOUT_MS = 5_000;
/** Queries in flight at once: the nodes of one walk, with room for dead ones and other torrents' walks. */
export const DHT_CONCURRENCY = 64;
/** Peers kept for other nodes, all info hashes together: a fleet of 1000 with ten files. They may have an info hash each; 12 MiB
 * when all is full. */
export const MAX_DHT_STORED_PEERS = 10_000;
/** Of them for one info hash: a fleet of 1000. */
export const MAX_DHT_PEERS_PER_HASH = 1_000;
/** Of them from one host: 30 processes with 16 files each, so that no host fills the store alone. */
export const MAX_DHT_PEERS_PER_HOST = 500;
/** The same within one info hash: 30 processes, and 30 more that were there before them and have not expired yet. */
export const MAX_DHT_PEERS_PER_HOST_AND_HASH = 64;
/** A token lets its host announce under its info hash for the rest of this time and for as long again (BEP 5). */
export const DHT_TOKEN_EPOCH_MS = 300_000;
/** Pings to unverified nodes in flight: a quarter of DHT_CONCURRENCY, so that forged senders, which never answer, leave room for
 * lookups. And unverified nodes that wait for their ping. */
export const MAX_DHT_PINGS = 16;
export const MAX_DHT_PINGS_QUEUED = 256;
/** With DHT_K nodes or more in the routing table an unverified node is pinged after this time: in a fleet that has just started
 * every node asks every other, and immediate pings are half of all datagrams. */
export const DHT_PING_DELAY_MS = 5_000;
/** The walk to the own id (find_node) begins this long after the start, for the same reason: its nodes serve other nodes'
 * lookups, not our own. */
export const DHT_JOIN_DELAY_MS = 5_000;
/** An unverified node is pinged once in this time, whether it answers or not. */
export const DHT_PING_PAUSE_MS = 10_000;
/** Nodes of one host among the nearest DHT_K, in a walk, an announce and a reply, while nodes of other hosts are known: ten ports
 * with ids beside an info hash must not be all that a node asks and tells. */
export const MAX_NEAREST_PER_HOST = 2;
/** Nodes of one host in one bucket of the routing table, half of its places. */
export const MAX_TABLE_NODES_PER_HOST = 4;
/** Nodes of the routing table that a walk begins with and a reply chooses from: enough for DHT_K of other hosts beside those of a
 * host with many. */
export const MAX_NODES_CONSIDERED = 32;
/** Queries of one walk, and of them to one host: a walk through 1000 nodes has about 30, and up to 30 processes share a host. */
export const MAX_WALK_QUERIES = 64;
export const MAX_WALK_QUERIES_PER_HOST = 16;
/** Nodes that one host may name in one walk, two replies' worth: those it invents cost two rounds of lost queries at most. */
export const MAX_WALK_NODES_NAMED_BY_HOST = 16;
/** Peers that one host may name in one walk, two replies' worth of our own: what it invents must not keep out what others name. */
export const MAX_WALK_PEERS_NAMED_BY_HOST = 100;
/** Pinned addresses (of the magnet and --peers) that each walk asks, and each announce tells, beside the nearest nodes: more than a magnet names as a rule. With
 * fewer than DHT_K nodes in the routing table all are asked. */
export const MAX_PINNED_PER_WALK = 8;
/** Silent ones among them asked beside a walk, in turns: each costs a datagram for nothing. */
export const MAX_SILENT_PINNED_PER_WALK = 4;
/** Queries whose replies are accepted; more than can be in flight with a full magnet of addresses. */
export const MAX_PENDING_QUERIES = 512;
/** A datagram refused by the network because of an earlier, dead destination is sent again at most this often. */
export const DATAGRAM_RESENDS = 2;
/**
 * Queries from one address and port: a burst, then a rate per second. A process sends about two per second and torrent,
 * so 20 downloads that look for peers stay below; up to 30 processes share a host, each with its own port.
 */
export const DATAGRAM_SOURCE_BURST = 200;
export const DATAGRAM_SOURCE_RATE = 40;
/** The same from all ports of one host: 30 processes that start together send ten queries each and then three a second. */
export const DATAGRAM_HOST_BURST = 1_500;
export const DATAGRAM_HOST_RATE = 300;
/** Queries from all sources: 1000 machines started together send about 3000 at once and then one a second each. A flood of them costs
 * a tenth of a core. */
export const DATAGRAM_TOTAL_BURST = 4_000;
export const DATAGRAM_TOTAL_RATE = 2_000;
/** Bytes of replies to one host, burst and per second: 30 processes on it that start together send ten queries each and then
 * three a second. The victim of forged queries gets 0.5 Mbit/s from us at most. */
export const REPLY_HOST_BURST = 256 * KiB;
export const REPLY_HOST_RATE = 64 * KiB;
/** Bytes of all replies: 1000 machines send three queries each when they start and then one a second. */
export const REPLY_TOTAL_BURST = 2 * MiB;
export const REPLY_TOTAL_RATE = 1 * MiB;
/** Our own queries, about 100 bytes each: 100 files that start at once query ten nodes twice, then ten nodes a second. */
export const QUERY_BURST = 4_000;
export const QUERY_RATE = 2_000;
/** Sources, their hosts, and hosts answered, whose rates are remembered; the least recently used leaves a full table. */
export const MAX_RATE_SOURCES = 4_096;
/** Reports that are read, apart from the datagrams of the DHT: of one address, 30 processes that report two torrents' last states at once,
 * and of all, ten times what a fleet is told to send. */
export const REPORT_SOURCE_BURST = 120;
export const REPORT_SOURCE_RATE = 30;
export const REPORT_TOTAL_BURST = 4_000;
export const REPORT_TOTAL_RATE = 1_000;
/** Reports of ours whose answers are awaited, and collectors whose tokens are kept: eight for each of a hundred downloads. */
export const MAX_PENDING_REPORTS = 1_024;
export const MAX_REPORT_TOKENS = 1_024;
