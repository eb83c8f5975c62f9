// One active piece: which of its blocks are free, requested or received, and which peer sent each.
import { assert, present } from "../../lib/assert.ts";
import { blocksIn, type Geometry } from "../torrent/geometry.ts";
import { MAX_ENDGAME_COPIES } from "./limits.ts";
import type { Block } from "../torrent/peer-message.ts";
import type { PeerHandle, PieceIndex } from "../torrent/ids.ts";

const FREE = 0;
const REQUESTED = 1;
const RECEIVED = 2;

export class PieceProgress {
  readonly piece: PieceIndex;
  readonly blockCount: number;
  readonly #state: Uint8Array;
  /** Handle of the peer that sent the block; 0 while it is missing. */
  readonly #contributor: Uint32Array;
  /** When the block was requested first, in milliseconds of the caller's clock. */
  readonly #requestedAt: Float64Array;
  /** Peers with an outstanding request for the block; the blocks of a run share one list. More than one in the end-game only. */
  readonly #requesters: (readonly PeerHandle[] | undefined)[];
  /** Of an exclusive piece: the only peer that may send blocks, so that another failed hash proves it the culprit. */
  soleSource: PeerHandle | undefined;
  /** True when one peer must send the whole piece: the previous attempt failed with several contributors. */
  readonly exclusive: boolean;
  /** The peer that suggested the piece. */
  suggestedBy: PeerHandle | undefined;
  #free: number;
  #received = 0;
  /** No free block lies before this index. */
  #firstFree = 0;

  constructor(piece: PieceIndex, blockCount: number, exclusive: boolean) {
    this.piece = piece;
    this.blockCount = blockCount;
    this.exclusive = exclusive;
    this.#state = new Uint8Array(blockCount);
    this.#contributor = new Uint32Array(blockCount);
    this.#requestedAt = new Float64Array(blockCount);
    this.#requesters = Array.from({ length: blockCount });
    this.#free = blockCount;
  }

  /** Blocks that are neither requested nor received. */
  get freeCount(): number {
    return this.#free;
  }

  /** Blocks that are requested and not received. */
  get requestedCount(): number {
    return this.blockCount - this.#free - this.#received;
  }

  get isComplete(): boolean {
    return this.#received === this.blockCount;
  }

  /** One more peer may be asked for a requested block, in the end-game. */
  mayDuplicate(peer: PeerHandle, block: number): boolean {
    if (this.isReceived(block)) return false;
    const requesters = this.requestersOf(block);
    return requesters.length < MAX_ENDGAME_COPIES && !requesters.includes(peer);
  }

  /** Not of an exclusive piece that another peer is to send. */
  mayDeliver(peer: PeerHandle): boolean {
    return !this.exclusive || this.soleSource === undefined || this.soleSource === peer;
  }

  /** How many of the `count` blocks from `first` on are not received. */
  missingIn(first: number, count: number): number {
    let missing = 0;
    for (let block = first; block < first + count; block++) if (this.#state[block] !== RECEIVED) missing++;
    return missing;
  }

  isReceived(block: number): boolean {
    return this.#state[block] === RECEIVED;
  }

  /** Peers with an outstanding request for this block. */
  requestersOf(block: number): readonly PeerHandle[] {
    return this.#requesters[block] ?? [];
  }

  /** When the block was requested first; 0 when it never was. */
  requestedAt(block: number): number {
    return present(this.#requestedAt[block]);
  }

  /** The first free block. Amortised O(1). */
  nextFree(): number | undefined {
    if (this.#free === 0) return undefined;
    while (this.#state[this.#firstFree] !== FREE) this.#firstFree++;
    return this.#firstFree;
  }

  /** The number of consecutive free blocks from `first` on, at most `most`. */
  freeRun(first: number, most: number): number {
    let count = 0;
    while (count < most && this.#state[first + count] === FREE) count++;
    return count;
  }

  /** `count` blocks from `first` on are requested from the peer. @throws InvariantError when one of them is received. */
  request(first: number, count: number, peer: PeerHandle, now: number): void {
    assert(this.missingIn(first, count) === count, `block ${first} of piece ${this.piece} is already here`);
    const sole = [peer];
    for (let block = first; block < first + count; block++) {
      if (this.#state[block] === FREE) {
        this.#free--;
        this.#state[block] = REQUESTED;
        this.#requestedAt[block] = now;
      }
      const requesters = this.#requesters[block];
      if (requesters === undefined) this.#requesters[block] = sole;
      else if (!requesters.includes(peer)) this.#requesters[block] = [...requesters, peer];
    }
  }

  /** The peer will not send the run: its missing blocks are free again, unless they are requested from another peer too. */
  release(first: number, count: number, peer: PeerHandle): void {
    for (let block = first; block < first + count; block++) {
      if (this.#state[block] !== REQUESTED) continue;
      const requesters = this.#requesters[block]?.filter((requester) => requester !== peer) ?? [];
      if (requesters.length > 0) {
        this.#requesters[block] = requesters;
        continue;
      }
      this.#requesters[block] = undefined;
      this.#state[block] = FREE;
      this.#free++;
      if (block < this.#firstFree) this.#firstFree = block;
    }
  }

  /** Drops the sole source and every block it sent, so that the next attempt again has one contributor. */
  restart(): void {
    this.#state.fill(FREE);
    this.#contributor.fill(0);
    this.#requesters.fill(undefined);
    this.#free = this.blockCount;
    this.#received = 0;
    this.#firstFree = 0;
    this.soleSource = undefined;
  }

  /**
   * The peer sent `count` blocks from `first` on, at least one of which is missing. The run is kept as a whole, so the peer
   * becomes the contributor of the others too.
   * @returns the other peers with a request for any of the new blocks, each once.
   */
  receive(first: number, count: number, peer: PeerHandle): readonly PeerHandle[] {
    assert(this.missingIn(first, count) > 0, `block ${first} of piece ${this.piece} came twice`);
    let others: PeerHandle[] | undefined;
    for (let block = first; block < first + count; block++) {
      this.#contributor[block] = peer;
      if (this.#state[block] === RECEIVED) continue;
      if (this.#state[block] === FREE) this.#free--;
      this.#state[block] = RECEIVED;
      this.#received++;
      const requesters = this.#requesters[block] ?? NO_PEERS;
      this.#requesters[block] = undefined;
      for (const other of requesters) {
        if (other !== peer && !others?.includes(other)) (others ??= []).push(other);
      }
    }
    return others ?? NO_PEERS;
  }

  /** Handle of the contributor of each block; 0 while it is missing. Read only. */
  get contributorByBlock(): Uint32Array {
    return this.#contributor;
  }

  /** Handles of the peers that sent the blocks, each once. */
  contributors(): Set<number> {
    return new Set(this.#contributor.filter((peer) => peer !== 0));
  }
}

const NO_PEERS: readonly PeerHandle[] = [];

/** Bytes of a run that are missing of its piece. */
export function missingBytes(
  geometry: Geometry,
  progress: PieceProgress,
  first: number,
  block: Block,
): number {
  const count = blocksIn(block.length);
  if (progress.missingIn(first, count) === count) return block.length;
  let bytes = 0;
  for (let at = first; at < first + count; at++) {
    if (!progress.isReceived(at)) bytes += geometry.block(block.piece, at).length;
  }
  return bytes;
}
