// Exchange of peers and hosts: every bound with its reason. docs/LIMITS.md is made from these files.

/** Addresses taken from one message of peer exchange (BEP 11 allows 50). */
export const MAX_PEX_ADDRESSES = 50;
/** BEP 11: at most one message a minute, 50 added and 50 dropped. */
export const PEX_INTERVAL_MS = 60_000;
/** Hosts remembered per torrent, of those that speak for themselves and of hearsay: a fleet of 1000 that starts again under other ports
 * three times; 1 MiB each. */
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
/** Nodes that a receiver reports to: every seed of a fleet that runs several for availability. */
export const MAX_COLLECTORS = 8;
/** Further nodes that may be asked when one of these is silent: the addresses of a full magnet. */
export const MAX_COLLECTOR_CANDIDATES = 100;
/** Reports a second that all hosts together send: 1.5 Mbit/s with their answers, whatever the size of the fleet. */
export const REPORTS_PER_SECOND = 100;
/** Between two reports of one host, at least and at most: a progress line is looked at every second, and 60,000 hosts are more than
 * are counted. */
export const MIN_REPORT_INTERVAL_MS = 1_000;
export const MAX_REPORT_INTERVAL_MS = 600_000;
/** The first reports of a fleet that is started at once are spread over this time. */
export const FIRST_REPORT_SPREAD_MS = 2_000;
/** A report without an answer is sent again after this, and a last one (done, failed, left) for so long at most. */
export const REPORT_RETRY_MS = 250;
export const LAST_REPORT_MS = 3_000;
/** Reports without any answer after which a node does not collect, or cannot be reached by UDP. */
export const REPORT_TRIES = 4;
/** Bytes of a report: all fields at their longest have 260. And of the text in it. */
export const MAX_REPORT_LENGTH = 400;
export const MAX_REPORT_TEXT_LENGTH = 64;
/** Bytes of a token, too long to be guessed, and of the transaction id of a report, which no other query of ours has. */
export const REPORT_TOKEN_LENGTH = 8;
export const REPORT_TRANSACTION_LENGTH = 8;
/** Pieces that were sent to one peer in part, and its latest requests: more than other programs have under way with one peer. */
export const MAX_PARTLY_SENT_PIECES = 1_024;
export const MAX_RECENT_REQUESTS = 1_024;
/** A request this long before the peer closes the connection may have been answered by us or by another peer. */
export const RECENT_REQUEST_MS = 10_000;
/** Depth and items of the bencoded message: `pf_hosts` is one dictionary with the entries in a string, `pf_report` has its arguments in
 * a second one. The rest of the items is for keys of later versions. */
export const MAX_HOSTS_BENCODE_DEPTH = 2;
export const MAX_HOSTS_BENCODE_ITEMS = 32;
export const MAX_REPORT_BENCODE_DEPTH = 3;
export const MAX_REPORT_BENCODE_ITEMS = 32;
