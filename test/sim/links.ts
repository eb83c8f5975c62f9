// The two halves of a machine's link. The uplink sends one block of each connection in turn, as TCP connections with equal
// round trips share a link; a connection whose receiver is full is skipped. The downlink delivers blocks in the order of
// sending; its connections share a switch buffer of bounded size, which holds back their senders.
import type { EventQueue, SimEvent } from "./event-queue.ts";
import type { Parcel, Stream } from "./stream.ts";

/** Bytes that the last switch buffers for one machine before TCP slows the senders down. */
export const SWITCH_BUFFER_LENGTH = 512 * 1024;

export class Uplink implements SimEvent {
  /** Payload bytes of blocks. */
  sentBytes = 0;
  readonly #queue: EventQueue;
  /** Bytes per millisecond. */
  readonly #rate: number;
  #roundRobin: Stream[] = [];
  #head = 0;
  #stream: Stream | undefined;
  #parcel: Parcel | undefined;
  #debt = 0;

  constructor(queue: EventQueue, rate: number) {
    this.#queue = queue;
    this.#rate = rate;
  }

  /** Small messages delay the next block by their bytes. */
  charge(bytes: number): void {
    this.#debt += bytes;
  }

  /** The connection has a block to send. */
  offer(stream: Stream): void {
    if (stream.isOffered) return;
    stream.isOffered = true;
    this.#roundRobin.push(stream);
    if (this.#parcel === undefined) this.#next();
  }

  /** The receiver has room again. */
  unblock(stream: Stream): void {
    stream.isBlocked = false;
    this.#roundRobin.push(stream);
    if (this.#parcel === undefined) this.#next();
  }

  /** A block has left the uplink. */
  happen(): void {
    const stream = this.#stream;
    const parcel = this.#parcel;
    if (stream === undefined || parcel === undefined) return;
    this.#parcel = undefined;
    stream.to.downlink.accept(stream, parcel);
    if (stream.first === undefined) stream.isOffered = false;
    else this.#roundRobin.push(stream);
    this.#next();
  }

  #next(): void {
    for (;;) {
      const stream = this.#shift();
      if (stream === undefined) return;
      const first = stream.first;
      if (first === undefined) {
        stream.isOffered = false;
        continue;
      }
      if (!stream.to.downlink.admits(stream, first.block.length)) {
        stream.isBlocked = true;
        continue;
      }
      const { length } = first.block;
      this.#stream = stream;
      this.#parcel = first;
      this.sentBytes += length;
      this.#queue.planEvent(this.#queue.now + (length + this.#debt) / this.#rate, this);
      this.#debt = 0;
      stream.shiftFirst();
      return;
    }
  }

  #shift(): Stream | undefined {
    const stream = this.#roundRobin[this.#head];
    if (stream === undefined) return undefined;
    this.#head++;
    if (this.#head > 256 && this.#head * 2 > this.#roundRobin.length) {
      this.#roundRobin = this.#roundRobin.slice(this.#head);
      this.#head = 0;
    }
    return stream;
  }
}

/** A block reaches its reader. */
class Arrival implements SimEvent {
  readonly #stream: Stream;
  readonly #parcel: Parcel;

  constructor(stream: Stream, parcel: Parcel) {
    this.#stream = stream;
    this.#parcel = parcel;
  }

  happen(): void {
    this.#stream.arrive(this.#parcel);
  }
}

export class Downlink {
  readonly #queue: EventQueue;
  readonly #rate: number;
  /** When the last accepted block has passed. */
  #freeAt = 0;
  /** Connections with blocks in the network. */
  #flows = 0;

  constructor(queue: EventQueue, rate: number) {
    this.#queue = queue;
    this.#rate = rate;
  }

  charge(bytes: number): void {
    this.#freeAt = Math.max(this.#freeAt, this.#queue.now) + bytes / this.#rate;
  }

  /** A connection may have one block in the network, and more within its share of the switch buffer and of rate x delay. */
  admits(stream: Stream, bytes: number): boolean {
    if (stream.inNetwork > 0) {
      const inFlight = this.#rate * stream.delayMs;
      return (stream.inNetwork + bytes) * this.#flows <= SWITCH_BUFFER_LENGTH + inFlight;
    }
    this.#flows++;
    return true;
  }

  accept(stream: Stream, parcel: Parcel): void {
    this.#freeAt = Math.max(this.#freeAt, this.#queue.now) + parcel.block.length / this.#rate;
    parcel.deliverAt = this.#freeAt + stream.delayMs;
    this.#queue.planEvent(parcel.deliverAt, new Arrival(stream, parcel));
  }

  release(stream: Stream, bytes: number): void {
    stream.inNetwork -= bytes;
    if (stream.inNetwork === 0) this.#flows--;
    if (stream.isBlocked) stream.from.uplink.unblock(stream);
  }
}
