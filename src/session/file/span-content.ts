// The content of a file on our own disk: read and written in spans, hashed by the workers. While it is suspended it answers
// no reader.
import type { HashPool } from "../../hashing/hash-pool.ts";
import type { OpenFile } from "../../hashing/messages.ts";
import { assert } from "../../lib/assert.ts";
import { DiskError } from "../../lib/errors.ts";
import { WRITE_SPAN_LENGTH } from "../../storage/limits.ts";
import { SpanReader } from "../../storage/span-reader.ts";
import { SpanWriter } from "../../storage/span-writer.ts";
import type { ContentRange, FileContent, LoadResult } from "./file-content.ts";

/** What a content uses of the hash workers. */
export type ContentPool = Pick<HashPool, "hashRange" | "hashPiece" | "storePiece">;

export interface SpanContentOptions {
  /** Open until `close` has resolved; also for writing when `writing` is given. */
  readonly file: OpenFile;
  /** Bytes of the file. */
  readonly size: number;
  readonly pool: ContentPool;
  /** Spans of READ_SPAN_LENGTH that are kept. */
  readonly readSpans: number;
  /** Given for a part file: this process alone writes to it, until `publish`. */
  readonly writing?: WritingOptions;
}

export interface WritingOptions {
  readonly pieceLength: number;
  /** Buffers, counted in spans of WRITE_SPAN_LENGTH. */
  readonly spans: number;
  /** `true`: the disk is behind, no socket is to be read; `false`: it has caught up. */
  readonly onPressure: (paused: boolean) => void;
  /** At most once: nothing more can be written. */
  readonly onError: (error: DiskError) => void;
}

const LOADED: LoadResult = { type: "loaded" };
const SUSPENDED: LoadResult = { type: "suspended" };

export class SpanContent implements FileContent {
  readonly path: string;
  readonly #file: OpenFile;
  readonly #size: number;
  readonly #pool: ContentPool;
  readonly #reader: SpanReader;
  readonly #writer: SpanWriter | undefined;
  /** No other process writes to the file, so the workers may map it as it is. */
  #isExclusive: boolean;
  #isSuspended = false;
  #isClosed = false;

  constructor(options: SpanContentOptions) {
    const { file, size, pool, readSpans, writing } = options;
    this.path = file.path;
    this.#file = { fd: file.fd, path: file.path };
    this.#size = size;
    this.#pool = pool;
    this.#reader = new SpanReader({ ...this.#file, size, maxSpans: readSpans });
    this.#writer = writing && this.#openWriter(writing);
    this.#isExclusive = writing !== undefined;
  }

  /** While suspended no byte of the file leaves. */
  suspend(): void {
    this.#isSuspended = true;
  }

  resume(): void {
    this.#isSuspended = false;
  }

  /** The file is about to get a name under which other processes find it. */
  publish(): void {
    this.#isExclusive = false;
  }

  cached(offset: number, length: number): Uint8Array | undefined {
    return this.#isSuspended ? undefined : this.#reader.cached(offset, length);
  }

  onLoaded(offset: number, length: number, done: (result: LoadResult) => void): void {
    if (this.#isSuspended) return queueMicrotask(() => done(SUSPENDED));
    this.#reader.onLoaded(offset, length, (error) => {
      if (error !== undefined) done({ type: "failed", error });
      else done(this.#isSuspended ? SUSPENDED : LOADED);
    });
  }

  forget(offset: number, length: number): void {
    this.#reader.forget(offset, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    assert(this.#writer !== undefined, "a complete file is not written to");
    this.#writer.write(offset, bytes);
  }

  /** Resolves when all that was written is in the file. @throws DiskError when it never will be. */
  async flush(): Promise<void> {
    await this.#writer?.flush(0, this.#size);
  }

  async digest(offset: number, length: number): Promise<Uint8Array> {
    // Usually the piece was hashed on its way to the file; one that went there in parts is hashed from the map.
    const hashed = await this.#writer?.flush(offset, length);
    if (hashed !== undefined) return hashed;
    this.#assertOpen();
    return await this.#pool.hashPiece(this.#file, offset, length, this.#isExclusive);
  }

  async hash(range: ContentRange): Promise<Uint8Array> {
    this.#assertOpen();
    return await this.#pool.hashRange({ ...range, ...this.#file, exclusive: this.#isExclusive });
  }

  /** Writes what is left and waits for it and for all reads; the file may be closed afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writer?.close();
    await this.#reader.close();
  }

  /** The number of a closed descriptor may be another file's. @throws DiskError */
  #assertOpen(): void {
    if (this.#isClosed) throw new DiskError(`${this.path}: is closed`);
  }

  #openWriter({ pieceLength, spans, onPressure, onError }: WritingOptions): SpanWriter {
    // A piece that fits a span is one span, so that a worker can hash it on its way to the file.
    const spanLength = Math.min(WRITE_SPAN_LENGTH, pieceLength);
    return new SpanWriter({
      ...this.#file,
      size: this.#size,
      spanLength,
      maxSpans: Math.floor((spans * WRITE_SPAN_LENGTH) / spanLength),
      ...(spanLength === pieceLength && {
        store: (offset: number, bytes: Uint8Array<SharedArrayBuffer>) =>
          this.#pool.storePiece(this.#file, offset, bytes),
      }),
      onPressure,
      onError,
    });
  }
}
