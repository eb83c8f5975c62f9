// The whole contract between the hash pool (main thread) and workers/hash-worker.ts: coordinates in, digests out.
// Every request has exactly one reply, failure included; file content never travels, at most the name of the shared memory
// in which it lies.

export type WorkerRequest = HashRequest | StoreRequest;

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

/**
 * `store`: SHA-1 of `bytes`, which go to `offset` of the file on the way: what the hash reads into the cache is written
 * from there. Answered when the bytes are in the file (in the page cache, not on the disk), with one digest.
 */
export interface StoreRequest {
  readonly type: "store";
  readonly job: number;
  /** For the words of an error. */
  readonly path: string;
  /** Open for writing until the reply; descriptors are shared by all threads. */
  readonly fd: number;
  readonly offset: number;
  /** Shared, not copied: nobody touches it before the reply. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
}

export type HashReply =
  | { readonly type: "ready" }
  /** `digests`: 20 x pieces bytes in piece order, transferred; one piece for `store`. */
  | { readonly type: "hashed"; readonly job: number; readonly digests: Uint8Array }
  /** `code`: a system error code such as "EIO", or "ESHORT" when the file ended before offset + length. */
  | { readonly type: "failed"; readonly job: number; readonly code: string; readonly message: string };
