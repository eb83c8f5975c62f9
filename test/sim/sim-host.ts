// One machine of a simulated fleet: a real Transfer, a link with a rate each way and a delay, and an infinitely fast disk. A
// culprit sends forged blocks, so that their piece fails its hash.
import { Bitfield } from "../../src/core/torrent/bitfield.ts";
import { blocksIn, type Geometry } from "../../src/core/torrent/geometry.ts";
import type { PeerHandle, PieceIndex } from "../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../src/core/torrent/limits.ts";
import type { Block, PeerMessage } from "../../src/core/torrent/peer-message.ts";
import { TokenBucket } from "../../src/core/rate/token-bucket.ts";
import { Transfer } from "../../src/core/transfer/transfer.ts";
import type { TransferEffect, TransferEvent } from "../../src/core/transfer/transfer-types.ts";
import type { EventQueue } from "./event-queue.ts";
import { Downlink, Uplink } from "./links.ts";
import type { Stream } from "./stream.ts";

export interface SimHostOptions {
  readonly name: number;
  readonly geometry: Geometry;
  readonly isSeed: boolean;
  readonly isCulprit: boolean;
  /** Bytes per millisecond. */
  readonly up: number;
  readonly down: number;
  /** Milliseconds from the machine to the middle of the network: half of the delay to a machine like itself. */
  readonly delayMs: number;
  readonly random: () => number;
}

/** What a machine needs of its fleet. */
export interface HostShell {
  hash(host: SimHost, order: TransferEffect & { type: "verifyPiece" | "digestBlocks" }): void;
  closePeer(host: SimHost, stream: Stream, fault: string): void;
  completed(host: SimHost): void;
}

export class SimHost {
  readonly name: number;
  readonly transfer: Transfer;
  readonly isSeed: boolean;
  readonly isCulprit: boolean;
  readonly delayMs: number;
  /** Bytes per millisecond. */
  readonly up: number;
  readonly down: number;
  readonly uplink: Uplink;
  readonly downlink: Downlink;
  /** The outgoing streams, by our handle of the peer and by machine. */
  readonly streams = new Map<PeerHandle, Stream>();
  readonly neighbours = new Map<SimHost, Stream>();
  /** Blocks of the file with forged bytes, by their offset in blocks. */
  readonly #forged = new Set<number>();
  #isForged = false;
  receivedBytes = 0;
  startedAt = 0;
  hasStarted = false;
  doneAt: number | undefined;
  isGone = false;
  readonly #geometry: Geometry;
  readonly #queue: EventQueue;
  readonly #shell: HostShell;
  /** Bytes that the kernel took while effects were applied; reported to the transfer afterwards. */
  #taken: (readonly [Stream, number])[] = [];

  constructor(queue: EventQueue, shell: HostShell, options: SimHostOptions) {
    this.#geometry = options.geometry;
    this.#queue = queue;
    this.#shell = shell;
    this.name = options.name;
    this.isSeed = options.isSeed;
    this.isCulprit = options.isCulprit;
    this.delayMs = options.delayMs;
    this.up = options.up;
    this.down = options.down;
    this.uplink = new Uplink(queue, options.up);
    this.downlink = new Downlink(queue, options.down);
    const { pieceCount } = options.geometry;
    this.transfer = new Transfer({
      geometry: options.geometry,
      expected: () => GOOD_DIGEST,
      have: options.isSeed ? Bitfield.full(pieceCount) : new Bitfield(pieceCount),
      uploadBucket: new TokenBucket(0),
      downloadBucket: new TokenBucket(0),
      random: options.random,
      now: queue.now,
    });
    if (options.isSeed) this.doneAt = queue.now;
  }

  /** Payload bytes of blocks that were sent. */
  get sentBytes(): number {
    return this.uplink.sentBytes;
  }

  handle(event: TransferEvent): void {
    const effects = this.transfer.handle(event, this.#queue.now);
    for (const effect of effects) this.#apply(effect);
    // Reported after the effects, as the shell does after a flush.
    while (this.#taken.length > 0) {
      const taken = this.#taken;
      this.#taken = [];
      for (const [stream, bytes] of taken) {
        if (stream.isOpen) this.handle({ type: "uploaded", peer: stream.receiverHandle, bytes });
      }
    }
  }

  receive(stream: Stream, message: PeerMessage): void {
    if (message.type === "block") {
      this.receivedBytes += message.block.length;
      this.#isForged = stream.from.isCulprit;
    }
    this.handle({ type: "received", peer: stream.senderHandle, message });
  }

  /** The kernel took bytes because earlier ones have left. */
  tookLater(stream: Stream, bytes: number): void {
    this.#queue.after(0, {
      happen: () => {
        if (stream.isOpen) this.handle({ type: "uploaded", peer: stream.receiverHandle, bytes });
      },
    });
  }

  #apply(effect: TransferEffect): void {
    switch (effect.type) {
      case "send":
        this.streams.get(effect.peer)?.writeMessage(effect.message);
        break;
      case "serveBlock":
        this.#serve(effect.peer, effect.block);
        break;
      case "writeBlock":
        this.#write(effect.block);
        break;
      case "verifyPiece":
      case "digestBlocks":
        this.#shell.hash(this, effect);
        break;
      case "completed":
        this.doneAt = this.#queue.now;
        this.#shell.completed(this);
        break;
      case "closePeer": {
        const stream = this.streams.get(effect.peer);
        if (stream !== undefined) this.#shell.closePeer(this, stream, effect.fault);
        break;
      }
      default:
        break;
    }
  }

  /** Digests of the piece's blocks as the file has them: 20 bytes for each block. */
  digestsOf(piece: PieceIndex): Uint8Array {
    const count = this.#geometry.blockCount(piece);
    const digests = new Uint8Array(count * 20).fill(1);
    const first = this.#blockAt(this.#geometry.pieceOffset(piece));
    for (let i = 0; i < count; i++) if (this.#forged.has(first + i)) digests.fill(2, i * 20, (i + 1) * 20);
    return digests;
  }

  #write(block: Block): void {
    const first = this.#blockAt(this.#geometry.offsetOf(block));
    for (let i = 0; i < blocksIn(block.length); i++) {
      if (this.#isForged) this.#forged.add(first + i);
      else this.#forged.delete(first + i);
    }
  }

  #blockAt(offset: number): number {
    return offset / BLOCK_LENGTH;
  }

  #serve(peer: PeerHandle, block: Block): void {
    const stream = this.streams.get(peer);
    if (stream === undefined) return;
    const taken = stream.writeBlock(block);
    if (taken > 0) this.#taken.push([stream, taken]);
  }
}

export const GOOD_DIGEST = new Uint8Array(20).fill(1);
export const BAD_DIGEST = new Uint8Array(20).fill(2);
