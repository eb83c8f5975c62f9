// The bytes of one torrent's file as the session uses them: read for peers, written from peers, hashed. Every reader of the
// file goes through this interface, so that a file that is being hashed again is sent by none of them.

/** How a load ended. */
export type LoadResult =
  /** `cached` can answer in the same turn. */
  | { readonly type: "loaded" }
  /** The file is being hashed again: no byte of it may leave. */
  | { readonly type: "suspended" }
  | { readonly type: "failed"; readonly error: unknown };

/** A stretch of the file to be hashed. */
export interface ContentRange {
  readonly offset: number;
  /** Bytes, at least 1; the last piece may be shorter than `pieceLength`. */
  readonly length: number;
  readonly pieceLength: number;
  /** Called with the bytes hashed so far, as they become more. */
  readonly onProgress?: (doneBytes: number) => void;
  /** Aborted: the hashing ends with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface FileContent {
  /** For the words of an error. */
  readonly path: string;
  /**
   * The bytes when they are in memory and may leave: a view that is valid until the next call into the content or the
   * return to the event loop, whichever comes first. O(1).
   */
  cached(offset: number, length: number): Uint8Array | undefined;
  /** Brings the bytes into memory. `done` is not called before this returns. */
  onLoaded(offset: number, length: number, done: (result: LoadResult) => void): void;
  /** The bytes of the range changed in the file: what is in memory or being read of it is out of date. */
  forget(offset: number, length: number): void;
  /** Copies `bytes`; the caller may reuse them at once. */
  write(offset: number, bytes: Uint8Array): void;
  /**
   * Brings what was written of a piece to the file.
   * @returns the SHA-1 of the piece, made on its way to the file where that is possible.
   * @throws DiskError or HashFailure when our own disk or workers fail.
   */
  digest(offset: number, length: number): Promise<Uint8Array>;
  /** @returns the SHA-1 of every piece of the range as it stands in the file. @throws HashFailure */
  hash(range: ContentRange): Promise<Uint8Array>;
}
