// Command line: every bound with its reason. docs/LIMITS.md is made from these files.
import { KiB, MiB } from "../lib/units.ts";
import { MAX_MAGNET_PEERS } from "../core/format/limits.ts";

/** Bytes of a configuration file; a full one has 15 keys and below 1 KiB. */
export const MAX_CONFIG_LENGTH = 64 * KiB;
/** Addresses in one `--peers`: they must all fit into a magnet. */
export const MAX_FLAG_PEERS = MAX_MAGNET_PEERS;
/** Networks of `--allow`: each is compared with every address that is learned. */
export const MAX_ALLOWED_NETWORKS = 64;
/** The longest a timer can wait (2^31 - 1 ms), in seconds: 24 days. */
export const MAX_DURATION_SECONDS = 2_147_483;
/** A live progress display is redrawn at most this often: quicker cannot be read and costs a slow terminal much. */
export const PROGRESS_REDRAW_MS = 200;
/** Without a terminal, one line per moving file this often; one that stands still is repeated more rarely. */
export const PROGRESS_LINE_MS = 5_000;
export const PROGRESS_IDLE_LINE_MS = 60_000;
/** `--json` says how far each file is at most this often. */
export const JSON_PROGRESS_MS = 1_000;
/** Characters written to a pipe and not read; over it, progress is left out (answers never are). */
export const MAX_OUTPUT_BACKLOG = 1 * MiB;
/** How long the end of the process waits for a slow reader of its output. */
export const OUTPUT_FLUSH_MS = 3_000;
