// Hashing: every bound with its reason. docs/LIMITS.md is made from these files.
import { MiB } from "../lib/units.ts";

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
