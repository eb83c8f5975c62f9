// One piece somebody works on: which of its blocks are free, asked for, or here, and who gave them.
import { assert } from "../../lib/assert.ts";
import type { PeerHandle, PieceIndex } from "../torrent/ids.ts";

const FREE = 0;
const REQUESTED = 1;
const RECEIVED = 2;

export class PieceProgress {
  readonly piece: PieceIndex;
  readonly blockCount: number;
  readonly #state: Uint8Array;
  /** Who delivered the block, by handle; 0 is nobody. */
  readonly #contributor: Uint32Array;
  /** When the block was asked for first, in milliseconds of the caller's clock. */
  readonly #requestedAt: Float64Array;
  /** Peers asked for the block right now; the blocks of a run share one list. More than one only in the endgame. */
  readonly #requesters: (readonly PeerHandle[] | undefined)[];
  /** Set after a failed hash with several contributors: only this peer may deliver, so that the next failure is its own. */
  soleSource: PeerHandle | undefined;
  /** True while only one peer may deliver this piece. */
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

  /** Blocks nobody was asked for. */
  get freeCount(): number {
    return this.#free;
  }

  /** Blocks asked for and not here. */
  get requestedCount(): number {
    return this.blockCount - this.#free - this.#received;
  }

  get isComplete(): boolean {
    return this.#received === this.blockCount;
  }

  /** How many of the `count` blocks from `first` on are not here. */
  missingIn(first: number, count: number): number {
    let missing = 0;
    for (let block = first; block < first + count; block++) if (this.#state[block] !== RECEIVED) missing++;
    return missing;
  }

  isReceived(block: number): boolean {
    return this.#state[block] === RECEIVED;
  }

  /** Peers asked for this block and not yet answered. */
  requestersOf(block: number): readonly PeerHandle[] {
    return this.#requesters[block] ?? [];
  }

  requestedAt(block: number): number {
    return this.#requestedAt[block] ?? 0;
  }

  /** The first block nobody was asked for. Amortised O(1). */
  nextFree(): number | undefined {
    if (this.#free === 0) return undefined;
    while (this.#state[this.#firstFree] !== FREE) this.#firstFree++;
    return this.#firstFree;
  }

  /** How many blocks in a row from `first` on, at most `most`, nobody was asked for. */
  freeRun(first: number, most: number): number {
    let count = 0;
    while (count < most && this.#state[first + count] === FREE) count++;
    return count;
  }

  /** The peer was asked for `count` blocks from `first` on, none of which is here. */
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

  /** The peer will not deliver the run: what is not here of it is free again unless another was asked too. */
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

  /** The sole source is given up, and what it delivered with it: the next failure again has one culprit. */
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
   * The peer delivered `count` blocks from `first` on, at least one of which is not here yet. The run is kept whole, so
   * the peer now stands for those that were here too.
   * @returns the other peers that were asked for any of the new blocks, each once.
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
      const requesters = this.#requesters[block] ?? NOBODY;
      this.#requesters[block] = undefined;
      for (const other of requesters) {
        if (other !== peer && !others?.includes(other)) (others ??= []).push(other);
      }
    }
    return others ?? NOBODY;
  }

  /** Who delivered each block, by handle; 0 is nobody. Read only. */
  get contributorByBlock(): Uint32Array {
    return this.#contributor;
  }

  /** Handles of the peers that delivered the blocks, each once. */
  contributors(): Set<number> {
    return new Set(this.#contributor.filter((peer) => peer !== 0));
  }
}

const NOBODY: readonly PeerHandle[] = [];
