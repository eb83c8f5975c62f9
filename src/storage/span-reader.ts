// Reads a file in spans off the event loop and keeps the latest ones, so that most blocks a peer asks for are answered
// from memory without a system call. Knows offsets of one file; which peer is answered is decided elsewhere.
import { MAX_READS_IN_FLIGHT, MAX_READ_SPANS, MAX_SPAN_LOAD_ATTEMPTS, READ_SPAN_LENGTH } from "./limits.ts";
import { assert } from "../lib/assert.ts";
import { DiskError, IntegrityError, type P2pfileError } from "../lib/errors.ts";
import { formatBytes } from "../lib/units.ts";
import { diskErrorOf } from "./disk-error.ts";
import { readFully } from "./positioned-io.ts";
import { SpanPool } from "./span-pool.ts";

export interface SpanReaderOptions {
  /** Open for reading; stays open until `close` has resolved. */
  readonly fd: number;
  /** Of the file, for the words of an error. */
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Buffers of READ_SPAN_LENGTH, >= 4. @default MAX_READ_SPANS */
  readonly maxSpans?: number;
}

interface CachedSpan {
  readonly buffer: Uint8Array;
  /** Read ahead and not asked for yet: the first use reads the next one. */
  ahead: boolean;
}

interface SpanLoad {
  readonly index: number;
  readonly waiters: ((error: P2pfileError | undefined) => void)[];
  reading: boolean;
  /** The file changed under the read: its result is thrown away and the span read again. */
  outdated: boolean;
}

/** Memory: `maxSpans` spans (24 MiB by default), made as they are needed, and one span to join two. */
export class SpanReader {
  readonly #options: SpanReaderOptions;
  readonly #pool: SpanPool<Uint8Array>;
  /** Half of the spans at most are being filled, so that the other half can answer. */
  readonly #maxReading: number;
  /** By span number, least recently used first. */
  readonly #cache = new Map<number, CachedSpan>();
  readonly #loads = new Map<number, SpanLoad>();
  readonly #queue: SpanLoad[] = [];
  #joined: Uint8Array | undefined;
  #reading = 0;
  #closed = false;
  #whenIdle: (() => void)[] = [];

  constructor(options: SpanReaderOptions) {
    const max = options.maxSpans ?? MAX_READ_SPANS;
    assert(max >= 4, "a span reader needs four spans");
    this.#options = options;
    this.#pool = new SpanPool(() => new Uint8Array(READ_SPAN_LENGTH), max);
    this.#maxReading = Math.min(MAX_READS_IN_FLIGHT, Math.floor(max / 2));
  }

  /**
   * The bytes when they are in memory: a view that is valid until the next call into the reader or the return to the
   * event loop, whichever comes first. `length` is at most READ_SPAN_LENGTH. O(1).
   */
  cached(offset: number, length: number): Uint8Array | undefined {
    const { first, last } = this.#spansOf(offset, length);
    const head = this.#cache.get(first);
    const tail = first === last ? head : this.#cache.get(last);
    if (head === undefined || tail === undefined) return undefined;
    this.#touch(first, head);
    const within = offset - first * READ_SPAN_LENGTH;
    let bytes = head.buffer.subarray(within, within + length);
    if (tail !== head) {
      this.#touch(last, tail);
      bytes = this.#join(bytes, tail.buffer.subarray(0, length - bytes.length));
    }
    // Last, because it may evict: never a span of this answer, which are the most recent ones or copied by now.
    this.#continueAhead(last, tail);
    return bytes;
  }

  /**
   * Resolves when `cached` can answer, which the caller asks in the same turn: under heavy load the bytes may be
   * gone a turn later, and the load is simply repeated.
   * @throws IntegrityError when the file is shorter than it was.
   * @throws DiskError when it cannot be read, or when the reader is closed.
   */
  async load(offset: number, length: number): Promise<void> {
    const { first, last } = this.#spansOf(offset, length);
    for (let attempt = 0; attempt < MAX_SPAN_LOAD_ATTEMPTS; attempt++) {
      const loads: Promise<void>[] = [];
      for (let index = first; index <= last; index++) {
        if (!this.#cache.has(index)) loads.push(this.#loadSpan(index, attempt > 0));
      }
      if (loads.length === 0) return;
      await Promise.all(loads);
    }
  }

  /** The bytes of the range changed in the file: what is in memory or being read is not theirs any more. */
  forget(offset: number, length: number): void {
    const { first, last } = spanRange(offset, length);
    for (const [index, span] of this.#cache) {
      if (index >= first && index <= last) this.#evict(index, span);
    }
    for (const load of this.#loads.values()) {
      if (load.reading && load.index >= first && load.index <= last) load.outdated = true;
    }
  }

  /** Waits for the reads under way; the descriptor may be closed afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const load of this.#queue.splice(0)) this.#settle(load, this.#closedError());
    if (this.#reading > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    for (const [index, span] of this.#cache) this.#evict(index, span);
    this.#pool.drain();
    this.#joined = undefined;
  }

  /**
   * As `load`, with a callback in the turn in which the bytes arrive: for blocks, of which many wait for one span.
   * `done` is not called before this returns.
   */
  onLoaded(offset: number, length: number, done: (error: unknown) => void): void {
    const { first, last } = this.#spansOf(offset, length);
    if (first === last && !this.#cache.has(first) && !this.#closed) return this.#await(first, false, done);
    this.load(offset, length).then(() => done(undefined), done);
  }

  #loadSpan(index: number, urgent: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closedError());
      this.#await(index, urgent, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  #await(index: number, urgent: boolean, waiter: (error: P2pfileError | undefined) => void): void {
    const load = this.#loads.get(index) ?? this.#enqueue(index, urgent);
    load.waiters.push(waiter);
    // The span before it is in memory: the file is being read in order.
    if (this.#cache.has(index - 1)) this.#readAhead(index);
    this.#startReads();
  }

  #enqueue(index: number, urgent: boolean): SpanLoad {
    const load: SpanLoad = { index, waiters: [], reading: false, outdated: false };
    this.#loads.set(index, load);
    if (urgent) this.#queue.unshift(load);
    else this.#queue.push(load);
    return load;
  }

  /** Only while there is room for another read. */
  #readAhead(index: number): void {
    const next = index + 1;
    if (next * READ_SPAN_LENGTH >= this.#options.size || this.#cache.has(next) || this.#loads.has(next))
      return;
    if (this.#closed || this.#reading + this.#queue.length >= this.#maxReading) return;
    this.#enqueue(next, false);
  }

  #startReads(): void {
    while (this.#reading < this.#maxReading) {
      const load = this.#queue.shift();
      if (load === undefined) return;
      this.#reading++;
      load.reading = true;
      this.#read(load, this.#takeBuffer());
    }
  }

  #read(load: SpanLoad, buffer: Uint8Array): void {
    const base = load.index * READ_SPAN_LENGTH;
    const length = Math.min(READ_SPAN_LENGTH, this.#options.size - base);
    readFully(this.#options.fd, buffer, length, base, (error, bytesRead) => {
      if (error === undefined && load.outdated && !this.#closed) {
        load.outdated = false;
        return this.#read(load, buffer);
      }
      this.#reading--;
      const failure = this.#failureOf(error, base, bytesRead, length);
      if (failure === undefined && !this.#closed) {
        this.#cache.set(load.index, { buffer, ahead: load.waiters.length === 0 });
      } else {
        this.#pool.give(buffer);
      }
      this.#settle(load, this.#closed ? this.#closedError() : failure);
      this.#startReads();
      if (this.#reading === 0) for (const wake of this.#whenIdle.splice(0)) wake();
    });
  }

  #settle(load: SpanLoad, error: P2pfileError | undefined): void {
    this.#loads.delete(load.index);
    for (const waiter of load.waiters) waiter(error);
  }

  #touch(index: number, span: CachedSpan): void {
    this.#cache.delete(index);
    this.#cache.set(index, span);
  }

  #join(head: Uint8Array, tail: Uint8Array): Uint8Array {
    this.#joined ??= new Uint8Array(READ_SPAN_LENGTH);
    this.#joined.set(head);
    this.#joined.set(tail, head.length);
    return this.#joined.subarray(0, head.length + tail.length);
  }

  #continueAhead(index: number, span: CachedSpan): void {
    if (!span.ahead) return;
    span.ahead = false;
    this.#readAhead(index);
    this.#startReads();
  }

  /** One is always free or evictable: reads hold half of them at most. */
  #takeBuffer(): Uint8Array {
    for (const [index, span] of this.#cache) {
      if (!this.#pool.exhausted) break;
      this.#evict(index, span);
    }
    const buffer = this.#pool.take();
    assert(buffer !== undefined, "no span to read into");
    return buffer;
  }

  #evict(index: number, span: CachedSpan): void {
    this.#cache.delete(index);
    this.#pool.give(span.buffer);
  }

  #spansOf(offset: number, length: number): { readonly first: number; readonly last: number } {
    assert(
      offset >= 0 && length > 0 && length <= READ_SPAN_LENGTH && offset + length <= this.#options.size,
      `read of ${length} bytes at ${offset} in a file of ${this.#options.size}`,
    );
    return spanRange(offset, length);
  }

  #failureOf(error: unknown, base: number, bytesRead: number, length: number): P2pfileError | undefined {
    const { path, size } = this.#options;
    if (error !== undefined) return diskErrorOf(`cannot read ${path}`, error);
    if (bytesRead === length) return undefined;
    return new IntegrityError(
      `${path}: ends after ${formatBytes(base + bytesRead)} instead of ${formatBytes(size)}, it was cut while it was ` +
        `shared; put the whole file back and serve it again`,
    );
  }

  #closedError(): DiskError {
    return new DiskError(`${this.#options.path}: is not read any more`);
  }
}

function spanRange(offset: number, length: number): { readonly first: number; readonly last: number } {
  return {
    first: Math.floor(offset / READ_SPAN_LENGTH),
    last: Math.floor((offset + length - 1) / READ_SPAN_LENGTH),
  };
}
