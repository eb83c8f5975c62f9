// Files and state: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB, MiB } from "../lib/units.ts";

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
/** A load of two spans is repeated, ahead of the others, when the first is evicted before the second is read. */
export const MAX_SPAN_LOAD_ATTEMPTS = 3;
/**
 * Verified pieces are synced and recorded after this many bytes or this long. A kill or a power cut may cost 64 MiB and 5 s of
 * work: the other half of the bytes and the last second are for what arrives while the sync runs.
 */
export const RESUME_SYNC_LENGTH = 32 * MiB;
export const RESUME_SYNC_MS = 4_000;
/** Bytes that a download leaves free, for the logs of the machine and for the state store. */
export const DISK_RESERVE_LENGTH = 16 * MiB;
/** Space is reserved in steps of this size with the event loop running in between: 0.6 ms each on ext4. */
export const ALLOCATION_STEP_LENGTH = 16 * MiB;
/** Bytes of one file name on every Linux file system (NAME_MAX). */
export const MAX_FILE_NAME_LENGTH = 255;
/** A part file that vanishes between its opening and its locking belongs to a download that has just ended: open again. */
export const MAX_PART_OPEN_ATTEMPTS = 5;
/** Rows of each kind in the state store; the latest stay. 64 hashed files of the usual size are 10 MiB. */
export const MAX_STORED_HASHED_FILES = 64;
export const MAX_STORED_METADATA = 64;
export const MAX_STORED_DOWNLOADS = 256;
export const MAX_STORED_PORTS = 1024;
export const MAX_STORED_DESTINATIONS = 256;
/** SQLite waits this long on the main thread for another process; one of our transactions takes about a millisecond. */
export const STORE_BUSY_TIMEOUT_MS = 100;
/** Tries of one transaction, and of opening the file, where twenty processes may start at once. */
export const STORE_ATTEMPTS = 3;
export const STORE_OPEN_ATTEMPTS = 20;
/** Between two tries; longer than a transaction. */
export const STORE_RETRY_MS = 5;
/** Pages of 4 KiB in the write-ahead log before they are copied home, the only time the store waits for the disk. */
export const STORE_CHECKPOINT_PAGES = 4096;
/** Entries in the schema of a state file: five tables and their indexes, and room for more tables. */
export const MAX_SCHEMA_ENTRIES = 16;
/** A longer log or journal of the state file is put aside with it: SQLite reads all of it at the opening, in 100 ms at most. */
export const MAX_JOURNAL_LENGTH = 64 * MiB;
/** Rows in a table of the state file, four times as many as are kept in the longest one. */
export const MAX_STATE_ROWS = 4096;
/** One value in the state file; the longest are the hashes and the metadata of a file, 8 MiB at most. */
export const MAX_STATE_VALUE_LENGTH = 16 * MiB;
/** All values in the state file, many times what the kept rows hold in common. */
export const MAX_STATE_LENGTH = 256 * MiB;
