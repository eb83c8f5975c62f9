// One direction of a connection from A to B: the written and unread bytes, in order, as in TCP. Blocks take time on both
// links; a small message arrives with the block that was written before it, or after the delay if there is none.
import type { PeerHandle } from "../../src/core/torrent/ids.ts";
import type { Block, PeerMessage } from "../../src/core/torrent/peer-message.ts";
import type { EventQueue, SimEvent } from "./event-queue.ts";
import type { SimHost } from "./sim-host.ts";

/**
 * Bytes of one connection that the sender's kernel buffers before they are on the link; to the program they count as sent.
 * Linux grows the buffer with the congestion window, which is small where round trips are short.
 */
export const SEND_BUFFER_LENGTH = 128 * 1024;
/** Bytes of a packet besides its payload (Ethernet, IP, TCP). Not counted for blocks: rates are rates of payload. */
const PACKET_OVERHEAD = 78;

/** A block in flight, and the small messages that were written right behind it. */
export class Parcel {
  readonly block: Block;
  after: PeerMessage[] | undefined;
  /** Bytes of `after`. */
  afterLength = 0;
  /** When it reaches the reader; infinite until it has left the uplink. */
  deliverAt = Number.POSITIVE_INFINITY;

  constructor(block: Block) {
    this.block = block;
  }
}

/** Small messages that arrive together. */
class Batch implements SimEvent {
  readonly #stream: Stream;
  readonly #messages: PeerMessage[] = [];
  readonly at: number;
  #length = PACKET_OVERHEAD;

  constructor(stream: Stream, at: number) {
    this.#stream = stream;
    this.at = at;
  }

  push(message: PeerMessage, bytes: number): void {
    this.#messages.push(message);
    this.#length += bytes;
  }

  happen(): void {
    this.#stream.deliverAll(this.#messages, this.#length);
  }
}

export class Stream {
  readonly from: SimHost;
  readonly to: SimHost;
  /** The receiver's handle of the sender. */
  readonly senderHandle: PeerHandle;
  /** The sender's handle of the receiver. */
  readonly receiverHandle: PeerHandle;
  readonly delayMs: number;
  /** Bytes on the links and in the switch. */
  inNetwork = 0;
  /** True while the uplink knows of blocks to send. */
  isOffered = false;
  /** True while the uplink skips it because the receiver is full. */
  isBlocked = false;
  isOpen = true;
  readonly #queue: EventQueue;
  /** Written blocks that are not on the link, from `#head`; those before `#taken` are in the kernel. */
  #waiting: Parcel[] = [];
  #head = 0;
  #taken = 0;
  #inKernel = 0;
  #last: Parcel | undefined;
  #batch: Batch | undefined;

  constructor(
    queue: EventQueue,
    from: SimHost,
    to: SimHost,
    handles: { readonly sender: PeerHandle; readonly receiver: PeerHandle },
  ) {
    this.#queue = queue;
    this.from = from;
    this.to = to;
    this.senderHandle = handles.sender;
    this.receiverHandle = handles.receiver;
    this.delayMs = from.delayMs + to.delayMs;
  }

  get first(): Parcel | undefined {
    return this.#waiting[this.#head];
  }

  /** @returns payload bytes that the kernel takes at once. */
  writeBlock(block: Block): number {
    const parcel = new Parcel(block);
    this.#waiting.push(parcel);
    this.#last = parcel;
    const taken = this.#fillKernel();
    this.from.uplink.offer(this);
    return taken;
  }

  writeMessage(message: PeerMessage): void {
    const at = this.#queue.now + this.delayMs;
    const bytes = lengthOf(message);
    this.from.uplink.charge(bytes);
    const last = this.#last;
    if (last !== undefined && last.deliverAt >= at) {
      if (last.after === undefined) last.after = [message];
      else last.after.push(message);
      last.afterLength += bytes;
      return;
    }
    let batch = this.#batch;
    if (batch?.at !== at) {
      this.from.uplink.charge(PACKET_OVERHEAD);
      batch = this.#batch = new Batch(this, at);
      this.#queue.after(this.delayMs, batch);
    }
    batch.push(message, bytes);
  }

  /** The first block goes onto the link. */
  shiftFirst(): Parcel | undefined {
    const parcel = this.first;
    if (parcel === undefined) return undefined;
    this.#head++;
    if (this.#head > 64 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#taken -= this.#head;
      this.#head = 0;
    }
    this.#inKernel -= parcel.block.length;
    this.inNetwork += parcel.block.length;
    const taken = this.#fillKernel();
    if (taken > 0) this.from.tookLater(this, taken);
    return parcel;
  }

  /** The block, and the messages right behind it, have reached the reader. */
  arrive(parcel: Parcel): void {
    // Later messages go alone: they need not compare with an old block, which takes much of a large fleet's time.
    if (this.#last === parcel) this.#last = undefined;
    this.to.downlink.release(this, parcel.block.length);
    this.#deliver({ type: "block", block: parcel.block });
    if (parcel.after !== undefined) this.deliverAll(parcel.after, parcel.afterLength);
  }

  /** Delivers small messages; their bytes delay the next block on the downlink too. */
  deliverAll(messages: readonly PeerMessage[], bytes: number): void {
    this.to.downlink.charge(bytes);
    for (const message of messages) this.#deliver(message);
  }

  #deliver(message: PeerMessage): void {
    if (this.isOpen) this.to.receive(this, message);
  }

  /** The connection ends: bytes in flight are lost. */
  close(): void {
    this.isOpen = false;
    this.#waiting = [];
    this.#head = 0;
  }

  #fillKernel(): number {
    let taken = 0;
    while (this.#taken < this.#waiting.length) {
      const { length } = this.#waiting[this.#taken]!.block;
      if (this.#inKernel > 0 && this.#inKernel + length > SEND_BUFFER_LENGTH) break;
      this.#inKernel += length;
      this.#taken++;
      taken += length;
    }
    return taken;
  }
}

/** Bytes of a message other than a block (BEP 3, 6). */
function lengthOf(message: PeerMessage): number {
  switch (message.type) {
    case "request":
    case "cancel":
    case "reject":
      return 17;
    case "have":
    case "suggest":
    case "allowedFast":
      return 9;
    case "bitfield":
      return 5 + message.bytes.length;
    default:
      return 5;
  }
}
