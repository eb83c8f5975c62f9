// Exchange of peers and hosts: every bound with its reason. docs/LIMITS.md is made from these files.

/** Addresses taken from one message of peer exchange (BEP 11 allows 50). */
export const MAX_PEX_ADDRESSES = 50;
/** BEP 11: at most one message a minute, 50 added and 50 dropped. */
export const PEX_INTERVAL_MS = 60_000;
/** Hosts remembered per torrent: a fleet of 1000 that starts again under other ports three times; 1 MiB. */
export const MAX_KNOWN_HOSTS = 4096;
/** Hosts in one message of the host exchange: 1.1 KiB, one packet on most links. */
export const MAX_HOSTS_PER_MESSAGE = 100;
/** An entry from further ahead of our clock than this many seconds counts as of now: a time zone set wrong is less than a day. */
export const MAX_HOST_CLOCK_LEAD_S = 86_400;
/** Hosts counted at first hand per torrent: the largest fleet of `--until-done`, so that a table full of hosts that are done has
 * reached any goal; 8 MiB when full. */
export const MAX_FIRST_HAND_HOSTS = 16_384;
/** Destinations of one address that are remembered, however few are counted: a host that is done and fetches into a second directory is
 * known to lack data. */
export const MIN_DESTINATIONS_KEPT = 4;
/** Bytes of the random id of a destination: 256 of one address have no two alike. */
export const DESTINATION_ID_LENGTH = 8;
/** `--hosts-per-address` at most: the containers or virtual machines behind one address. */
export const MAX_HOSTS_PER_ADDRESS = 256;
