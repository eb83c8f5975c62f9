// Process on the network: every bound with its reason. docs/LIMITS.md is made from these files.

/** A peer whose metadata comes slower than 100 kB/s after this long is late, and another is asked beside it. A seed
 * that is asked by 1000 machines at once needs about as long for 160 KiB each. */
export const METADATA_PATIENCE_MS = 1_000;
export const METADATA_MIN_BYTES_PER_MS = 100;
/** Peers asked at once when all of them are late: 32 MiB of metadata under way at the most. */
export const MAX_METADATA_FETCHES = 4;
/** For this long none of them loses its place to the next, and after so long a silence one is asked once more. */
export const METADATA_TIMEOUT_MS = 4_000;
/** At the end peers get what is on its way to them, and close; those that do not are left after this long. */
export const FAREWELL_MS = 1_000;
/** A host of a private network that does not answer within this is down; a lost packet is sent again after 1 and 3 s. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** Heart beat of the core while there is work: timeouts, rechokes and rate limits are looked at this often. */
export const TICK_MS = 100;
/** The same under a rate limit: tokens are handed out this often, so that traffic stays smooth. */
export const LIMITED_TICK_MS = 10;
/** The most peers that a leecher accepts per torrent, beside the WANTED_PEERS that it looks for. */
export const MAX_PEERS_LEECHING = 60;
/** The seed is the root of the graph and accepts more. */
export const MAX_PEERS_SEEDING = 200;
/** Connections of the whole process, besides those that came and have not introduced themselves. */
export const MAX_CONNECTIONS = 400;
/** Sockets that we opened and that have not finished their handshake. */
export const MAX_HALF_OPEN_OUTGOING = 32;
/** Peers that left, remembered in case that what they gave proves wrong: as many as come and go in some minutes. */
export const MAX_DISCONNECTED_PEERS = 1_000;
/** Addresses of one peer beside the one it listens on, which are not dialled while it is connected: a machine with a handful of
 * interfaces. A peer must not keep more entries of the address book. */
export const MAX_OTHER_ADDRESSES = 4;
