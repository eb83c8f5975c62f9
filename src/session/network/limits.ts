// Process on the network: every bound with its reason. docs/LIMITS.md is made from these files.

/** A peer whose metadata arrives slower than 100 kB/s after this long is late, and another is asked as well. A seed
 * that is asked by 1000 machines at once needs about as long for 160 KiB each. */
export const METADATA_PATIENCE_MS = 1_000;
export const METADATA_MIN_BYTES_PER_MS = 100;
/** Peers asked at once when all of them are late: at most 32 MiB of metadata under way. */
export const MAX_METADATA_FETCHES = 4;
/** For this long no request is cancelled for the next peer, and after so long a silence it is repeated. */
export const METADATA_TIMEOUT_MS = 4_000;
/** At the end peers read what is queued for them, and close; those that do not are closed after this long. */
export const FAREWELL_MS = 1_000;
/** At a stop the report that we left is repeated for so long at most: an order to stop is obeyed within a second. */
export const LEFT_REPORT_MS = 500;
/** A host of a private network that does not answer within this is down; a lost packet is sent again after 1 and 3 s. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** Tick of the core: timeouts, rechokes and rate limits are checked this often. */
export const TICK_MS = 100;
/** The same under a rate limit: tokens are spent this often, so that traffic stays smooth. */
export const LIMITED_TICK_MS = 10;
/** Connection limit of a torrent while it leeches; it looks for WANTED_PEERS itself. */
export const MAX_PEERS_LEECHING = 60;
/** The same while it seeds: a seed is the root of the graph. */
export const MAX_PEERS_SEEDING = 200;
/** Connections of the whole process, besides the half-open incoming ones. */
export const MAX_CONNECTIONS = 400;
/** Connects under way, of all torrents together. */
export const MAX_HALF_OPEN_OUTGOING = 32;
/** Second connections of connected peers that are closed only when the peer has read our handshake, or after FAREWELL_MS; others are
 * closed at once. A fleet that dials in one second has a few at a time. */
export const MAX_ANSWERED_DUPLICATES = 32;
/** Disconnected peers remembered in case that their data fails its hash: as many as come and go in some minutes. */
export const MAX_DISCONNECTED_PEERS = 1_000;
/** Addresses at which dials have reached one peer beside the first: a machine with a handful of interfaces. A peer must not keep
 * more entries of the address book. */
export const MAX_OTHER_ADDRESSES = 4;
