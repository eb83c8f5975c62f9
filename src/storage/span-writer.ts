// Gathers received blocks into long writes, off the event loop. Knows offsets and bytes of one file, not pieces or peers.
// A span that is full may be hashed on its way to the file, so that its bytes need not be fetched from there again.
// Invariant: of two writes to one place the later one wins. Bytes of one lane (an aligned span of the file) leave through
// one queue with one write under way, and a buffer handed to the system is not touched before it comes back.
import { MAX_WRITES_IN_FLIGHT, MAX_WRITE_SPANS, WRITE_SPAN_LENGTH } from "./limits.ts";
import { assert } from "../lib/assert.ts";
import type { DiskError } from "../lib/errors.ts";
import { diskErrorOf } from "./disk-error.ts";
import { syncData } from "./positioned-io.ts";
import { SpanPool } from "./span-pool.ts";
import { writeSparsely } from "./sparse-write.ts";
import { WriteSpan } from "./write-span.ts";

export interface SpanWriterOptions {
  /** Open for writing; stays open until `close` has resolved. */
  readonly fd: number;
  /** Of the file, for the words of an error. */
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  /** `true`: the disk is behind, take no more from the sockets. What was taken already may still be written. */
  readonly onPressure: (paused: boolean) => void;
  /** At most once. Afterwards everything written is dropped. */
  readonly onError: (error: DiskError) => void;
  /** Bytes of a span. @default WRITE_SPAN_LENGTH */
  readonly spanLength?: number;
  /** Buffers of `spanLength`, >= 2. @default MAX_WRITE_SPANS */
  readonly maxSpans?: number;
  /**
   * Takes whole spans to the file: writes `bytes` at `position`, touches them no more once it has answered, and answers
   * with their SHA-1. Not given: the writer does it, without a digest.
   */
  readonly store?: (position: number, bytes: Uint8Array<SharedArrayBuffer>) => Promise<Uint8Array>;
}

/**
 * Memory: `maxSpans` spans, and beyond them only blocks that arrive between `onPressure(true)` and its effect, each in a
 * buffer of its own length.
 */
export class SpanWriter {
  readonly #options: SpanWriterOptions;
  readonly #pool: SpanPool<Uint8Array<SharedArrayBuffer>>;
  readonly #spanLength: number;
  /** At most this many spans are partly filled, so that the others drain even when no block completes a span. */
  readonly #maxFilling: number;
  readonly #resumeAt: number;
  /** Open for further blocks, by lane, in the order of their first block. */
  readonly #filling = new Map<number, WriteSpan>();
  /** Closed to further blocks, by lane, in the order in which they must reach the file; the first may be under way. */
  readonly #lanes = new Map<number, WriteSpan[]>();
  /** Heads of lanes that wait for their turn. */
  readonly #ready: WriteSpan[] = [];
  #inFlight = 0;
  #pendingBytes = 0;
  #strayBytes = 0;
  #paused = false;
  #closed = false;
  #failure: DiskError | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(options: SpanWriterOptions) {
    const max = options.maxSpans ?? MAX_WRITE_SPANS;
    assert(max >= 2, "a span writer needs two spans");
    this.#options = options;
    const spanLength = options.spanLength ?? WRITE_SPAN_LENGTH;
    this.#spanLength = spanLength;
    this.#pool = new SpanPool(() => sharedBytes(spanLength), max);
    this.#maxFilling = Math.floor((max * 3) / 4);
    this.#resumeAt = Math.floor((max * 5) / 6);
  }

  /** Bytes accepted that are not in the file yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Copies `bytes`; the caller may reuse them at once. O(1) for a block, and one system call per span. */
  write(offset: number, bytes: Uint8Array): void {
    assert(!this.#closed, "write after close");
    assert(offset >= 0 && offset + bytes.length <= this.#options.size, `write outside the file at ${offset}`);
    if (this.#failure !== undefined) return;
    for (let at = 0; at < bytes.length;) {
      const lane = Math.floor((offset + at) / this.#spanLength);
      const within = offset + at - lane * this.#spanLength;
      const count = Math.min(this.#spanLength - within, bytes.length - at);
      this.#put(lane, within, count === bytes.length ? bytes : bytes.subarray(at, at + count));
      at += count;
    }
  }

  /**
   * Resolves when everything written so far within the range is in the file (in the page cache, not on the disk).
   * @returns the SHA-1 of the range when it is one span that `store` took to the file; undefined when it was not hashed.
   * @throws DiskError when it never will be.
   */
  async flush(offset: number, length: number): Promise<Uint8Array | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    const end = offset + length;
    for (const span of this.#filling.values()) {
      if (span.overlaps(offset, end)) this.#seal(span);
    }
    const awaited: WriteSpan[] = [];
    for (const lane of this.#lanes.values()) {
      // The lane keeps its order: when the last one is in the file, so are those before it.
      const last = lane.findLast((span) => span.overlaps(offset, end));
      if (last !== undefined) awaited.push(last);
    }
    if (awaited.length > 0) await settled(awaited);
    const [only] = awaited;
    const isWhole = awaited.length === 1 && only?.base === offset && only.runs.filled === length;
    return isWhole ? only.digest : undefined;
  }

  /** Flushes everything and brings it to the disk. @throws DiskError */
  async sync(): Promise<void> {
    await this.flush(0, this.#options.size);
    try {
      await syncData(this.#options.fd);
    } catch (error) {
      throw diskErrorOf(`cannot bring ${this.#options.path} to the disk`, error);
    }
  }

  /** Writes what is left and waits for it; failures were reported by `onError`. The descriptor may be closed afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const span of this.#filling.values()) this.#seal(span);
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    this.#pool.drain();
  }

  #put(lane: number, within: number, bytes: Uint8Array): void {
    const span = this.#filling.get(lane) ?? this.#openSpan(lane);
    if (span === undefined) return this.#putAlone(lane, lane * this.#spanLength + within, bytes);
    span.buffer.set(bytes, within);
    this.#pendingBytes += span.runs.add(within, within + bytes.length);
    if (this.#isFull(span)) this.#seal(span);
  }

  #openSpan(lane: number): WriteSpan | undefined {
    if (this.#filling.size >= this.#maxFilling) this.#sealFullest();
    const buffer = this.#pool.take();
    this.#updatePressure();
    if (buffer === undefined) return undefined;
    const span = new WriteSpan(lane, lane * this.#spanLength, buffer, true);
    this.#filling.set(lane, span);
    return span;
  }

  /** No span is free: the block goes to the file by itself. */
  #putAlone(lane: number, offset: number, bytes: Uint8Array): void {
    const span = new WriteSpan(lane, offset, sharedCopy(bytes), false);
    this.#pendingBytes += span.runs.add(0, bytes.length);
    this.#strayBytes += bytes.length;
    this.#enqueue(span);
  }

  /** The fullest span makes the longest writes; of equals the oldest. O(spans), and only when a span is opened. */
  #sealFullest(): void {
    let fullest: WriteSpan | undefined;
    for (const span of this.#filling.values()) {
      if (fullest === undefined || span.runs.filled > fullest.runs.filled) fullest = span;
    }
    if (fullest !== undefined) this.#seal(fullest);
  }

  #seal(span: WriteSpan): void {
    this.#filling.delete(span.lane);
    this.#enqueue(span);
  }

  #enqueue(span: WriteSpan): void {
    const lane = this.#lanes.get(span.lane);
    if (lane !== undefined) {
      lane.push(span);
      return;
    }
    this.#lanes.set(span.lane, [span]);
    this.#ready.push(span);
    this.#startWrites();
  }

  #startWrites(): void {
    while (this.#inFlight < MAX_WRITES_IN_FLIGHT) {
      const span = this.#ready.shift();
      if (span === undefined) return;
      this.#inFlight++;
      if (this.#options.store !== undefined && span.pooled && this.#isFull(span)) {
        this.#storeWhole(span, this.#options.store);
      } else this.#writeRun(span, 0);
    }
  }

  #isFull(span: WriteSpan): boolean {
    return span.runs.filled === this.#fullLength(span);
  }

  #fullLength(span: WriteSpan): number {
    return Math.min(this.#spanLength, this.#options.size - span.base);
  }

  #storeWhole(span: WriteSpan, store: NonNullable<SpanWriterOptions["store"]>): void {
    store(span.base, span.buffer.subarray(0, this.#fullLength(span))).then(
      (digest) => {
        span.digest = digest;
        this.#written(span, undefined);
      },
      (error: unknown) => this.#written(span, error),
    );
  }

  #writeRun(span: WriteSpan, run: number): void {
    if (run === span.runs.count) return this.#written(span, undefined);
    const start = span.runs.start(run);
    const end = span.runs.end(run);
    writeSparsely(this.#options.fd, span.buffer, start, end, span.base + start, (error) => {
      if (error !== undefined) return this.#written(span, error);
      this.#writeRun(span, run + 1);
    });
  }

  #written(span: WriteSpan, error: unknown): void {
    this.#inFlight--;
    this.#leaveLane(span);
    if (error !== undefined) this.#fail(error);
    this.#release(span, error === undefined ? undefined : this.#failure);
    this.#startWrites();
    this.#updatePressure();
    if (this.#inFlight > 0) return;
    for (const wake of this.#whenIdle.splice(0)) wake();
  }

  #leaveLane(span: WriteSpan): void {
    const lane = this.#lanes.get(span.lane);
    // After a failure the lanes are gone.
    if (lane?.[0] !== span) return;
    lane.shift();
    const next = lane[0];
    if (next === undefined) this.#lanes.delete(span.lane);
    else this.#ready.push(next);
  }

  #release(span: WriteSpan, error: unknown): void {
    this.#pendingBytes -= span.runs.filled;
    if (span.pooled) this.#pool.give(span.buffer);
    else this.#strayBytes -= span.buffer.length;
    span.settle(error);
  }

  /** Drops everything that is not being written, and reports the failure. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    const failure = diskErrorOf(`cannot write ${this.#options.path}`, error);
    this.#failure = failure;
    const waiting = new Set(this.#ready);
    const dropped = [...this.#filling.values()];
    for (const lane of this.#lanes.values()) {
      // The head is under way unless it waits for its turn.
      dropped.push(...lane.filter((span, index) => index > 0 || waiting.has(span)));
    }
    this.#filling.clear();
    this.#lanes.clear();
    this.#ready.length = 0;
    for (const span of dropped) this.#release(span, failure);
    this.#options.onError(failure);
  }

  #updatePressure(): void {
    const paused = this.#paused
      ? this.#pool.used > this.#resumeAt || this.#strayBytes > 0
      : this.#pool.exhausted || this.#strayBytes > 0;
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#options.onPressure(paused);
  }
}

function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(length));
}

function sharedCopy(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = sharedBytes(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Resolves when every span is in the file, rejects with the first failure. */
function settled(spans: readonly WriteSpan[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let open = spans.length;
    for (const span of spans) {
      span.whenSettled((error) => {
        if (error !== undefined) reject(error);
        else if (--open === 0) resolve();
      });
    }
  });
}
