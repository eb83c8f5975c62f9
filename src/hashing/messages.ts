// The whole contract between the hash pool (main thread) and workers/hash-worker.ts: coordinates in, digests out.
// Every request has exactly one reply, failure included; file content never travels.

/**
 * `hash`: SHA-1 of every `pieceLength` bytes (the last may be shorter) of `length` bytes at `offset` of `path`.
 * Creating and verifying a torrent are this one job; the worker never learns an expected digest.
 */
export interface HashRequest {
  readonly type: "hash";
  /** Chosen by the pool, echoed in the reply. */
  readonly job: number;
  /** Absolute path, opened read-only for this job alone: no stale file and no lock outlives a job. */
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly pieceLength: number;
  /** "map": read-only mapping, falling back to pread where the file cannot be mapped safely. "pread": never map. */
  readonly io: "map" | "pread";
  /**
   * True: only this process writes the file (the part file of a download, under its lock), so it may be mapped as it
   * is. False: somebody may shorten it under the map, which would kill the process; mapped only under a read lease.
   */
  readonly exclusive: boolean;
  /** Bytes mapped at once at most. */
  readonly windowLength: number;
}

export type HashReply =
  | { readonly type: "ready" }
  /** `digests`: 20 x pieces bytes in piece order, transferred. */
  | { readonly type: "hashed"; readonly job: number; readonly digests: Uint8Array }
  /** `code`: a system error code such as "EIO", or "ESHORT" when the file ended before offset + length. */
  | { readonly type: "failed"; readonly job: number; readonly code: string; readonly message: string };
