// The bytes a connection still has to send, in a few large pieces of memory so that one system call takes many
// messages. Owns the memory and recycles it; knows no socket beyond "a function that takes some bytes".
import { MAX_SPARE_OUTPUT_SEGMENTS, OUTPUT_SEGMENT_LENGTH, SMALL_OUTPUT_SEGMENT_LENGTH } from "./limits.ts";
import type { ByteSink } from "../lib/byte-sink.ts";
import { release } from "./release.ts";

/** Takes bytes from `start`. @returns how many were taken: fewer than `length` when the socket is full, < 0 when closed. */
export type WriteBytes = (bytes: Uint8Array, start: number, length: number) => number;

interface Segment {
  readonly bytes: Uint8Array;
  /** The bytes from `start` to `end` wait to be sent. */
  start: number;
  end: number;
}

/** Drained segments of all connections, for the next connection with much to send. */
const spares: Uint8Array[] = [];

export class OutputQueue implements ByteSink {
  /** Oldest first; new messages go into the last one. */
  readonly #segments: Segment[] = [];
  /** Memory for a trickle of small messages, so that an idle connection keeps no large segment. */
  #small: Uint8Array | undefined;
  #smallInUse = false;
  #pendingBytes = 0;
  #totalWritten = 0;
  #closed = false;

  /** Bytes reserved and not yet taken by the socket. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Bytes the socket has taken since the beginning. */
  get totalWritten(): number {
    return this.#totalWritten;
  }

  reserve(length: number): Uint8Array {
    if (this.#closed) return new Uint8Array(length);
    let segment = this.#segments.at(-1);
    if (segment === undefined || segment.bytes.length - segment.end < length) segment = this.#append(length);
    const at = segment.end;
    segment.end += length;
    this.#pendingBytes += length;
    return new Uint8Array(segment.bytes.buffer, segment.bytes.byteOffset + at, length);
  }

  /** Writes until nothing is left or the socket takes no more. @returns true when nothing is left. */
  flush(write: WriteBytes): boolean {
    for (;;) {
      const segment = this.#segments[0];
      if (segment === undefined) return true;
      const length = segment.end - segment.start;
      const taken = Math.max(0, write(segment.bytes, segment.start, length));
      segment.start += taken;
      this.#pendingBytes -= taken;
      this.#totalWritten += taken;
      if (taken < length) return false;
      this.#segments.shift();
      this.#recycle(segment.bytes);
    }
  }

  /** Drops what waits; what is reserved from now on goes nowhere. */
  close(): void {
    this.#closed = true;
    for (const segment of this.#segments) this.#recycle(segment.bytes);
    this.#segments.length = 0;
    this.#pendingBytes = 0;
    this.#small = undefined;
  }

  #append(length: number): Segment {
    const segment = { bytes: this.#memory(length), start: 0, end: 0 };
    this.#segments.push(segment);
    return segment;
  }

  #memory(length: number): Uint8Array {
    if (length <= SMALL_OUTPUT_SEGMENT_LENGTH && !this.#smallInUse) {
      this.#smallInUse = true;
      return (this.#small ??= new Uint8Array(SMALL_OUTPUT_SEGMENT_LENGTH));
    }
    if (length > OUTPUT_SEGMENT_LENGTH) return new Uint8Array(length);
    return spares.pop() ?? new Uint8Array(OUTPUT_SEGMENT_LENGTH);
  }

  #recycle(bytes: Uint8Array): void {
    if (bytes === this.#small) this.#smallInUse = false;
    else if (bytes.length === OUTPUT_SEGMENT_LENGTH && spares.length < MAX_SPARE_OUTPUT_SEGMENTS) {
      spares.push(bytes);
    } else release(bytes);
  }
}
