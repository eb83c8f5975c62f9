// Splits the inbound byte stream into the handshake and whole, legal frames (BEP 3, 6, 10); chunks may be cut anywhere.
// Lengths are checked before anything is buffered. Knows sizes and message ids only, no torrent and no library.
import { BLOCK_HEADER_LENGTH, type PeerFault } from "../core/torrent/peer-message.ts";
import {
  MAX_BITFIELD_FRAME_LENGTH,
  MAX_BLOCK_FRAME_LENGTH,
  MAX_EXTENDED_FRAME_LENGTH,
  MAX_UNKNOWN_FRAME_LENGTH,
  MIN_SCRATCH_LENGTH,
} from "./limits.ts";
import { present } from "../lib/assert.ts";
import { readUint32 } from "../lib/bytes.ts";
import { MessageId } from "./message-id.ts";

export const HANDSHAKE_LENGTH = 68;
const PROTOCOL = new TextEncoder().encode("\u0013BitTorrent protocol");
const PREFIX_LENGTH = 4;
const HEADER_LENGTH = 5;
const MAX_FRAME_LENGTH = Math.max(
  MAX_BLOCK_FRAME_LENGTH,
  MAX_UNKNOWN_FRAME_LENGTH,
  MAX_EXTENDED_FRAME_LENGTH,
);

/** Views are valid during the call only: they lie in the chunk or in a buffer that is used again. */
export interface FrameHandler {
  /** 68 bytes with the right protocol string. */
  handshake(bytes: Uint8Array): void;
  /** Every other message but keep-alives. `frame[0]` is the id, then follows the body; the length is legal for the id. */
  frame(frame: Uint8Array): void;
  /** A "piece" message. The coordinates are unchecked, 0..2^32-1; the payload has 1 byte or more. */
  block(piece: number, begin: number, payload: Uint8Array): void;
}

export class FrameReader {
  readonly #handler: FrameHandler;
  /** The unit (handshake or frame) that is cut by the end of a chunk. Grows to the largest such unit, within MAX_FRAME_LENGTH. */
  #scratch = new Uint8Array(0);
  #scratchLength = 0;
  #handshakeDone = false;
  #fault: PeerFault | undefined;
  #stopped = false;
  #completed = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** True when the last chunk completed a unit. */
  get completed(): boolean {
    return this.#completed;
  }

  /**
   * Takes the next bytes of the stream and calls the handler for each unit that they complete.
   * @returns the fault that ends the stream, once. After it, and after `stop`, bytes are ignored.
   */
  receive(chunk: Uint8Array): PeerFault | undefined {
    this.#completed = false;
    let at = this.#scratchLength > 0 && !this.#stopped ? this.#fillScratch(chunk) : 0;
    while (at < chunk.length && this.#fault === undefined && !this.#stopped) {
      const available = chunk.length - at;
      const total = this.#unitLength(chunk, at, available);
      if (this.#fault !== undefined) break;
      if (total > available) {
        this.#keepCut(chunk, at, total);
        break;
      }
      this.#deliver(chunk, at, total);
      at += total;
    }
    if (this.#fault === undefined || this.#stopped) return undefined;
    this.#stopped = true;
    return this.#fault;
  }

  /** Ends all calls to the handler, also for the rest of the current chunk. */
  stop(): void {
    this.#stopped = true;
    this.#scratch = new Uint8Array(0);
    this.#scratchLength = 0;
  }

  /** Completes the unit in the scratch buffer. @returns the number of bytes that were used of the chunk. */
  #fillScratch(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length) {
      const needed = this.#unitLength(this.#scratch, 0, this.#scratchLength);
      const take = Math.min(needed - this.#scratchLength, chunk.length - at);
      this.#reserveScratch(needed);
      this.#scratch.set(chunk.subarray(at, at + take), this.#scratchLength);
      this.#scratchLength += take;
      at += take;
      const total = this.#unitLength(this.#scratch, 0, this.#scratchLength);
      if (this.#fault !== undefined) break;
      if (total <= this.#scratchLength) {
        this.#scratchLength = 0;
        this.#deliver(this.#scratch, 0, total);
        break;
      }
    }
    return at;
  }

  /**
   * The length of the unit at `at`, as far as the `available` bytes determine it; more than `available` while the unit is
   * incomplete. Sets the fault as soon as the available bytes show one.
   */
  #unitLength(bytes: Uint8Array, at: number, available: number): number {
    if (!this.#handshakeDone) {
      const end = Math.min(available, PROTOCOL.length);
      for (let i = 0; i < end; i++) if (bytes[at + i] !== PROTOCOL[i]) this.#fault = "badHandshake";
      return HANDSHAKE_LENGTH;
    }
    if (available < PREFIX_LENGTH) return PREFIX_LENGTH;
    const length = readUint32(bytes, at);
    if (length === 0) return PREFIX_LENGTH;
    if (length > MAX_FRAME_LENGTH) {
      this.#fault = "frameTooLong";
      return 0;
    }
    if (available < HEADER_LENGTH) return HEADER_LENGTH;
    this.#fault = faultOfLength(present(bytes[at + PREFIX_LENGTH]), length);
    return PREFIX_LENGTH + length;
  }

  #deliver(bytes: Uint8Array, at: number, total: number): void {
    this.#completed = true;
    if (!this.#handshakeDone) {
      this.#handshakeDone = true;
      this.#handler.handshake(view(bytes, at, HANDSHAKE_LENGTH));
      return;
    }
    // A keep-alive says no more than that it came.
    if (total === PREFIX_LENGTH) return;
    if (bytes[at + PREFIX_LENGTH] === MessageId.block) {
      const payload = view(bytes, at + BLOCK_HEADER_LENGTH, total - BLOCK_HEADER_LENGTH);
      this.#handler.block(readUint32(bytes, at + 5), readUint32(bytes, at + 9), payload);
    } else {
      this.#handler.frame(view(bytes, at + PREFIX_LENGTH, total - PREFIX_LENGTH));
    }
  }

  #keepCut(chunk: Uint8Array, at: number, total: number): void {
    this.#reserveScratch(total);
    this.#scratch.set(chunk.subarray(at));
    this.#scratchLength = chunk.length - at;
  }

  #reserveScratch(length: number): void {
    if (length <= this.#scratch.length) return;
    const grown = new Uint8Array(Math.max(length, MIN_SCRATCH_LENGTH));
    grown.set(this.#scratch.subarray(0, this.#scratchLength));
    this.#scratch = grown;
  }
}

function view(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
}

/** `length` is that of the prefix: id and body. */
function faultOfLength(id: number, length: number): PeerFault | undefined {
  switch (id) {
    case MessageId.choke:
    case MessageId.unchoke:
    case MessageId.interested:
    case MessageId.notInterested:
    case MessageId.haveAll:
    case MessageId.haveNone:
      return exactly(1, length);
    case MessageId.have:
    case MessageId.suggest:
    case MessageId.allowedFast:
      return exactly(5, length);
    case MessageId.request:
    case MessageId.cancel:
    case MessageId.reject:
      return exactly(13, length);
    case MessageId.port:
      return exactly(3, length);
    case MessageId.bitfield:
      return between(2, MAX_BITFIELD_FRAME_LENGTH, length);
    case MessageId.block:
      return between(10, MAX_BLOCK_FRAME_LENGTH, length);
    case MessageId.extended:
      return between(2, MAX_EXTENDED_FRAME_LENGTH, length);
    default:
      return between(1, MAX_UNKNOWN_FRAME_LENGTH, length);
  }
}

function exactly(wanted: number, length: number): PeerFault | undefined {
  return length === wanted ? undefined : "badFrameLength";
}

function between(least: number, most: number, length: number): PeerFault | undefined {
  if (length > most) return "frameTooLong";
  return length < least ? "badFrameLength" : undefined;
}
