// Peers of a torrent: every bound with its reason. docs/LIMITS.md is made from these files.

/** Peers wanted by a leecher per torrent (a sparse random graph). Each verified piece is announced to all of them:
 * a thousand machines need 1.11 of the floor with 20 at once and 1.14 with 30 (simulated). */
export const WANTED_PEERS = 20;
/** Peers wanted at first, beside those that the user named: one to bring the first piece, and another. One more each
 * PEER_PACE_MS from the first connection on. Simulated, fleets take as long as with six and one each half second, give or take
 * 2 %; thirty processes that start on two cores have their first pieces a fifth sooner (docs/adr/0009). */
export const FIRST_PEERS = 2;
export const PEER_PACE_MS = 200;
/** A dial that has not succeeded after this does not count among the wanted peers: a machine of a private network that is
 * up answers at once, a dead one only fails after CONNECT_TIMEOUT_MS. */
export const DIAL_PATIENCE_MS = 500;
/** A torrent at its connection limit closes, for an incoming peer, one that transferred nothing in either direction for this long,
 * three rounds of choking. A peer that waits for a slot of ours is not idle. */
export const IDLE_PEER_MS = 30_000;
/** The same for a peer that has not even been interested since it joined: METADATA_TIMEOUT_MS, and time to become interested. It is
 * also the shortest time between two evictions of one connection slot, however many peers connect. */
export const UNPROVEN_PEER_MS = 5_000;
/** Hosts remembered whose last peer left like that: those of a fleet of 1000. Their next connections are closed for any other host
 * at once, or hosts that reconnect again and again would hold every slot for ever. */
export const MAX_IDLE_HOSTS = 1_000;
/** How often peers are checked for activity. */
export const IDLE_CHECK_MS = 1_000;
/** A peer that wants data and waits for a slot is not idle; one that has had a slot for this long, half a round, and requested nothing
 * is. */
export const UNUSED_SLOT_MS = 5_000;
/** Accepted connections that have not finished their handshake. Beyond these the oldest are closed once they have been silent for
 * HALF_OPEN_GRACE_MS: a handshake is sent with the connection, and a lost packet again within a second. */
export const MAX_HALF_OPEN_INCOMING = 64;
export const HALF_OPEN_GRACE_MS = 1_000;
/** Beyond these the oldest are closed at once. The system delivers up to 512 connections in one turn of the event loop (the backlog
 * of the listening socket) before any of them is read: the first second of a fleet. With MAX_CONNECTIONS below 1024 descriptors. */
export const MAX_HALF_OPEN_BURST = 512;
/** Addresses remembered per torrent. */
export const MAX_KNOWN_PEERS = 2000;
/** Dials of addresses that others named (DHT, PEX, host exchange, a stated port), of all torrents together, within
 * HEARSAY_DIAL_WINDOW_MS, a second and a tenth for the jitter of our timer: a torrent wants 5 more peers a second (PEER_PACE_MS), and a hostile list must not make a fleet flood a host. */
export const MAX_HEARSAY_DIALS = 20;
export const HEARSAY_DIAL_WINDOW_MS = 1_100;
/** The same to one host within HEARSAY_HOST_WINDOW_MS, as long as it answers none with a handshake: a host that has two processes is
 * reached, and eight processes make 16 connects in ten seconds to one that takes no part. */
export const HEARSAY_DIALS_PER_HOST = 2;
export const HEARSAY_HOST_WINDOW_MS = 10_500;
/** Unanswered dials of any kind to one host within HOST_DIAL_WINDOW_MS: a magnet may name 100 ports of one. Each port of a host with
 * 30 processes is tried within three seconds. */
export const MAX_DIALS_PER_HOST = 10;
export const HOST_DIAL_WINDOW_MS = 1_100;
/** An unpinned address where a connected peer states that it listens is dialled this much later, once: a second connection with the
 * same peer would be of no use, and the peer may have stated the address of another. */
export const CLAIM_PATIENCE_MS = 10_000;
/** Hosts remembered as the namers of one address: more of them do not make it come sooner. */
export const MAX_NAMERS = 8;
/** Addresses remembered that failed and were given up: twice those that are known. */
export const MAX_REMEMBERED_FAILURES = 4_000;
/** A full book in which no address could be evicted is not searched again for so long: a search visits every address. */
export const FULL_BOOK_PAUSE_MS = 100;
/** A search for addresses to dial that found none is repeated after so long for each known address: a book of 20 is searched at every
 * tick, a full one every 100 ms. */
export const SEARCH_PAUSE_PER_ADDRESS_MS = 0.05;
/** Back-off of a redial: for pinned addresses (x.pe, --peers) for ever between these, for others up to a few tries. */
export const REDIAL_MIN_MS = 200;
export const REDIAL_PINNED_MAX_MS = 1_500;
export const REDIAL_MAX_MS = 60_000;
export const MAX_DIAL_FAILURES = 5;
/** Of the dial slots that a torrent can have, this share is kept for addresses that are not pinned, more while as many are known:
 * pinned addresses that never answer hold each slot of theirs for CONNECT_TIMEOUT_MS, for ever. */
export const MIN_UNPINNED_DIAL_SHARE = 1 / 4;
export const MAX_UNPINNED_DIAL_SHARE = 1 / 2;
/** First redial of an address that is not pinned: five tries then last half a minute. */
export const REDIAL_OTHER_MIN_MS = 1_000;
/** A connection shorter than this counts as a failed dial, or a peer that closes at once is dialled in a hot loop. */
export const STABLE_CONNECTION_MS = 10_000;
/** A peer whose data failed its hash is refused for this long; doubled each time. */
export const BAN_MS = 600_000;
export const MAX_BAN_MS = 86_400_000;
/** A pinned address is never banned, it may be the only one; it waits this long instead, doubled up to BAN_MS. */
export const PINNED_BAN_MS = 10_000;
/** When this many addresses of one host are banned, every connection from that host is refused; it may still be dialled. */
export const MAX_BANNED_PORTS = 3;
/** Addresses found to be our own, remembered for ever; a host has a handful of interfaces. */
export const MAX_SELF_ADDRESSES = 64;
/** With as many peers a torrent is not short of them: they tell it of all others within a second (hosts exchange, PEX), and
 * it goes on dialling up to WANTED_PEERS. If every machine of a fleet went on asking for more, each machine that joins would
 * make all others ask again every second. */
export const LOOKUP_PEERS = 8;
/** A torrent with fewer asks the DHT this often: a machine that just started is found as soon as it announces. The
 * wait doubles with every lookup that finds nothing new while peers are connected, which report machines that join themselves:
 * in a fleet of ten, all hungry for ever, lookups would be a tenth of the processor time. */
export const LOOKUP_HUNGRY_MS = 1_000;
/** One with enough of them asks this often, so that the swarms of machines started apart grow together. */
export const LOOKUP_SATISFIED_MS = 15_000;
/** Lookups move by up to this share either way, so that machines started together do not ask in step. */
export const LOOKUP_JITTER = 0.2;
/** Three announces before we are forgotten (PEER_EXPIRY_MS), so that two may be lost. */
export const ANNOUNCE_MS = 30_000;
/** Peers that did not announce themselves again are forgotten by the DHT nodes after this (three announces). */
export const PEER_EXPIRY_MS = 90_000;
/** Bits of the prefix of a network that is trusted: an interface with more than a /8 belongs to no private network. */
export const SHORTEST_PREFIX = 8;
