// The whole contract between the hash pool (main thread) and workers/hash-worker.ts: coordinates in, digests out.
// Every request has exactly one reply, failure included; file content never travels, at most the name of the shared memory
// in which it lies.

export type WorkerRequest = HashRequest | StoreRequest;

/** A file as the workers get it: the descriptor says which one it is, whatever its path names by then. */
export interface OpenFile {
  /** Open until the reply; descriptors are shared by all threads. */
  readonly fd: number;
  /** For the words of an error. */
  readonly path: string;
}

/**
 * `hash`: SHA-1 of every `pieceLength` bytes (the last may be shorter) of `length` bytes at `offset` of the open file.
 * Creating and verifying a torrent are this one job; the worker never learns an expected digest.
 */
export interface HashRequest extends OpenFile {
  readonly type: "hash";
  /** Chosen by the pool, echoed in the reply. */
  readonly job: number;
  readonly offset: number;
  readonly length: number;
  readonly pieceLength: number;
  /** "map": read-only mapping, falling back to pread where the file cannot be mapped safely. "pread": never map. */
  readonly io: "map" | "pread";
  /**
   * True: only this process writes the file (the part file of a download, under its lock), so it may be mapped as it
   * is. False: another process may shorten it under the map, which kills ours; mapped only under a read lease.
   */
  readonly exclusive: boolean;
  /** Bytes mapped at once at most. */
  readonly windowLength: number;
}

/**
 * `store`: SHA-1 of `bytes`, which go to `offset` of the file on the way: what the hash reads into the cache is written
 * from there. The file is open for writing. Answered when the bytes are in the file (in the page cache, not on the disk), with one digest.
 */
export interface StoreRequest extends OpenFile {
  readonly type: "store";
  readonly job: number;
  readonly offset: number;
  /** Shared, not copied: not touched before the reply. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
}

export type HashReply =
  | { readonly type: "ready" }
  /** `digests`: 20 x pieces bytes in piece order, transferred; one piece for `store`. */
  | { readonly type: "hashed"; readonly job: number; readonly digests: Uint8Array }
  /** `code`: a system error code such as "EIO", or "ESHORT" when the file ended before offset + length. */
  | { readonly type: "failed"; readonly job: number; readonly code: string; readonly message: string };
