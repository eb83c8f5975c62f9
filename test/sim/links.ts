// The two halves of a machine's link. The uplink sends one block of each connection in turn, as many TCP connections of
// like round trip share it; a connection whose far side is full is passed over. The downlink passes blocks on in the
// order they were sent; its connections share a switch buffer of bounded size, which holds back their senders.
import type { EventQueue, Happening } from "./event-queue.ts";
import type { Parcel, Stream } from "./stream.ts";

/** What the last switch holds for one machine before TCP slows the senders down. */
export const SWITCH_BUFFER_LENGTH = 512 * 1024;

export class Uplink implements Happening {
  /** Payload of blocks. */
  sentBytes = 0;
  readonly #queue: EventQueue;
  /** Bytes per millisecond. */
  readonly #rate: number;
  #turns: Stream[] = [];
  #head = 0;
  #stream: Stream | undefined;
  #parcel: Parcel | undefined;
  #debt = 0;

  constructor(queue: EventQueue, rate: number) {
    this.#queue = queue;
    this.#rate = rate;
  }

  /** Small messages take their bytes from the next block's time. */
  charge(bytes: number): void {
    this.#debt += bytes;
  }

  /** The connection has a block to send. */
  offer(stream: Stream): void {
    if (stream.isOffered) return;
    stream.isOffered = true;
    this.#turns.push(stream);
    if (this.#parcel === undefined) this.#next();
  }

  /** There is room again on the far side. */
  unblock(stream: Stream): void {
    stream.isBlocked = false;
    this.#turns.push(stream);
    if (this.#parcel === undefined) this.#next();
  }

  /** A block has left. */
  happen(): void {
    const stream = this.#stream;
    const parcel = this.#parcel;
    if (stream === undefined || parcel === undefined) return;
    this.#parcel = undefined;
    stream.to.downlink.accept(stream, parcel);
    if (stream.first === undefined) stream.isOffered = false;
    else this.#turns.push(stream);
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
      this.#queue.planThing(this.#queue.now + (length + this.#debt) / this.#rate, this);
      this.#debt = 0;
      stream.depart();
      return;
    }
  }

  #shift(): Stream | undefined {
    const stream = this.#turns[this.#head];
    if (stream === undefined) return undefined;
    this.#head++;
    if (this.#head > 256 && this.#head * 2 > this.#turns.length) {
      this.#turns = this.#turns.slice(this.#head);
      this.#head = 0;
    }
    return stream;
  }
}

/** A block that reaches its reader. */
class Arrival implements Happening {
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
  /** When the last accepted block is through. */
  #freeAt = 0;
  /** Connections with blocks on their way to us. */
  #flows = 0;

  constructor(queue: EventQueue, rate: number) {
    this.#queue = queue;
    this.#rate = rate;
  }

  charge(bytes: number): void {
    this.#freeAt = Math.max(this.#freeAt, this.#queue.now) + bytes / this.#rate;
  }

  /** Every connection may have one block underway, and more within its share of the switch's buffer and of the bytes that the delay keeps on the way. */
  admits(stream: Stream, bytes: number): boolean {
    if (stream.inNetwork > 0) {
      const onTheWay = this.#rate * stream.delayMs;
      return (stream.inNetwork + bytes) * this.#flows <= SWITCH_BUFFER_LENGTH + onTheWay;
    }
    this.#flows++;
    return true;
  }

  accept(stream: Stream, parcel: Parcel): void {
    this.#freeAt = Math.max(this.#freeAt, this.#queue.now) + parcel.block.length / this.#rate;
    parcel.deliverAt = this.#freeAt + stream.delayMs;
    this.#queue.planThing(parcel.deliverAt, new Arrival(stream, parcel));
  }

  release(stream: Stream, bytes: number): void {
    stream.inNetwork -= bytes;
    if (stream.inNetwork === 0) this.#flows--;
    if (stream.isBlocked) stream.from.uplink.unblock(stream);
  }
}
