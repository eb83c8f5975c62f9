// Decides which blocks to ask which peer for: started pieces first (strict priority), then the rarest, the first one at
// random, and at the very end the same block from a second peer (bounded endgame). Blocks are handed out in runs of up
// to a length the caller names. It must not know choking, rate limits or bytes. A piece is in exactly one state: had,
// active (somebody works on it or it is being verified), or in the rarity order (nobody does).
import { assert } from "../../lib/assert.ts";
import type { Bitfield } from "../torrent/bitfield.ts";
import { blocksIn, type Geometry, roomForRun } from "../torrent/geometry.ts";
import { type PieceIndex, pieceIndex } from "../torrent/ids.ts";
import { BLOCK_LENGTH } from "../torrent/limits.ts";
import { MAX_ENDGAME_COPIES, MAX_OPEN_PIECE_BYTES } from "./limits.ts";
import type { Block } from "../torrent/peer-message.ts";
import type { PickerPeer, Receipt } from "./picker-types.ts";
import { PieceProgress } from "./piece-progress.ts";
import { RarityOrder } from "./rarity-order.ts";

const UNWANTED: Receipt = { kind: "unwanted" };

export class PiecePicker {
  readonly #geometry: Geometry;
  /** Verified pieces; owned by the transfer, changed only together with `verified`. */
  readonly #have: Bitfield;
  readonly #random: () => number;
  readonly #order: RarityOrder;
  readonly #active = new Map<PieceIndex, PieceProgress>();
  /** Active pieces with a block nobody was asked for, oldest first. */
  readonly #open = new Set<PieceProgress>();
  readonly #peers = new Set<PickerPeer>();
  /** Pieces that failed with several contributors: the next try has a sole source. */
  readonly #suspect = new Set<PieceIndex>();
  readonly #maxActive: number;

  constructor(geometry: Geometry, have: Bitfield, random: () => number) {
    this.#geometry = geometry;
    this.#have = have;
    this.#random = random;
    this.#order = new RarityOrder(geometry.pieceCount);
    this.#maxActive = Math.max(2, Math.floor(MAX_OPEN_PIECE_BYTES / geometry.pieceLength));
    for (let i = 0; i < geometry.pieceCount; i++) if (!have.get(i)) this.#order.insert(pieceIndex(i));
  }

  /** True when every missing block was asked for: only duplicates are left to ask. */
  get isEndgame(): boolean {
    return this.#order.size === 0 && this.#open.size === 0;
  }

  /** Pieces being fetched or verified. */
  get activeCount(): number {
    return this.#active.size;
  }

  addPeer(peer: PickerPeer): void {
    this.#peers.add(peer);
  }

  removePeer(peer: PickerPeer): void {
    if (!this.#peers.delete(peer)) return;
    this.abandoned(peer);
    if (!peer.counted) return;
    for (let i = 0; i < this.#geometry.pieceCount; i++) {
      if (peer.bitfield.get(i)) this.#order.decrease(pieceIndex(i));
    }
  }

  /** The peer's whole bitfield became known; its bits are set already and were all clear before. O(pieces). */
  peerHasMany(peer: PickerPeer): void {
    peer.counted = !peer.bitfield.isFull;
    peer.wanted = 0;
    peer.pickable = 0;
    for (let i = 0; i < this.#geometry.pieceCount; i++) {
      const piece = pieceIndex(i);
      if (!peer.bitfield.get(piece)) continue;
      if (peer.counted) this.#order.increase(piece);
      if (!this.#have.get(piece)) peer.wanted++;
      if (this.#order.contains(piece)) peer.pickable++;
    }
  }

  /** The peer got one more piece; sets its bit. @returns false when it had it already. */
  peerHas(peer: PickerPeer, piece: PieceIndex): boolean {
    if (peer.bitfield.get(piece)) return false;
    peer.bitfield.set(piece);
    peer.counted = true;
    this.#order.increase(piece);
    if (!this.#have.get(piece)) peer.wanted++;
    if (this.#order.contains(piece)) peer.pickable++;
    return true;
  }

  /** True when a piece nobody works on is had by no incomplete peer we know. */
  get hasUnseen(): boolean {
    return this.#order.hasUnseen;
  }

  availability(piece: PieceIndex): number {
    return this.#order.availability(piece);
  }

  /** As `pick`, but only of pieces that the peer suggested and that nobody else has by now. */
  pickSuggested(peer: PickerPeer, count: number, now: number, run = 1): Block[] {
    const picked: Block[] = [];
    let left = count;
    for (const progress of this.#open) {
      if (left < run) return picked;
      if (progress.suggestedBy === peer.handle) left = this.#takeFree(peer, progress, left, run, now, picked);
    }
    while (left >= run && this.#active.size - this.#open.size < this.#maxActive) {
      const piece = peer.suggested.shift();
      if (piece === undefined) break;
      if (!this.#order.contains(piece) || !peer.bitfield.get(piece)) continue;
      if (this.#order.availability(piece) > 0) continue;
      const progress = this.#begin(piece);
      progress.suggestedBy = peer.handle;
      left = this.#takeFree(peer, progress, left, run, now, picked);
    }
    return picked;
  }

  /**
   * Chooses up to `count` blocks for the peer, in runs of at most `run`, and marks them as asked for. Stops when less
   * than a whole run is left of `count`: the rest would become ever shorter requests.
   */
  pick(peer: PickerPeer, count: number, now: number, run = 1): Block[] {
    const picked: Block[] = [];
    let left = count;
    for (const progress of this.#open) {
      if (left < run) return picked;
      if (peer.bitfield.get(progress.piece)) left = this.#takeFree(peer, progress, left, run, now, picked);
    }
    while (left >= run && peer.pickable > 0 && this.#active.size - this.#open.size < this.#maxActive) {
      const progress = this.#start(peer);
      if (progress === undefined) break;
      left = this.#takeFree(peer, progress, left, run, now, picked);
    }
    return picked;
  }

  /**
   * Blocks that others were asked for longer than `patienceMs` ago, for a peer with nothing else to do at the end: the
   * oldest first, and as much as is left of its request up to `run` blocks. At most MAX_ENDGAME_COPIES peers are asked
   * for one block.
   */
  pickDuplicate(peer: PickerPeer, patienceMs: number, now: number, run = 1): Block | undefined {
    let best: { readonly progress: PieceProgress; readonly block: number } | undefined;
    let bestAt = Number.POSITIVE_INFINITY;
    for (const progress of this.#active.values()) {
      if (progress.exclusive || progress.isComplete || !peer.bitfield.get(progress.piece)) continue;
      for (let block = 0; block < progress.blockCount; block++) {
        const requestedAt = progress.requestedAt(block);
        if (requestedAt >= bestAt || requestedAt > now - patienceMs) continue;
        if (!this.#mayDuplicate(peer, progress, block)) continue;
        best = { progress, block };
        bestAt = requestedAt;
      }
    }
    if (best === undefined) return undefined;
    const { progress, block } = best;
    const most = Math.min(run, roomForRun(block), progress.blockCount - block);
    let count = 1;
    while (
      count < most &&
      progress.requestedAt(block + count) === bestAt &&
      this.#mayDuplicate(peer, progress, block + count)
    )
      count++;
    progress.request(block, count, peer.handle, now);
    return this.#geometry.block(progress.piece, block, count);
  }

  /** True when all of this run of a piece being fetched is here. */
  isHere(block: Block): boolean {
    const progress = this.#active.get(block.piece);
    return progress?.missingIn(block.begin / BLOCK_LENGTH, blocksIn(block.length)) === 0;
  }

  /** A run arrived that this peer was asked for. It is kept whole when any block of it is missing. */
  received(peer: PickerPeer, block: Block): Receipt {
    const progress = this.#active.get(block.piece);
    const first = this.#geometry.blockIndex(block);
    if (progress === undefined || first === undefined) return UNWANTED;
    if (progress.exclusive && progress.soleSource !== peer.handle) return UNWANTED;
    const newBytes = this.#missingBytes(progress, first, block);
    if (newBytes === 0) return UNWANTED;
    const cancel = progress.receive(first, blocksIn(block.length), peer.handle);
    if (progress.freeCount === 0) this.#open.delete(progress);
    return { kind: "kept", newBytes, cancel, pieceComplete: progress.isComplete };
  }

  /** The peer will not deliver the run (choked, rejected, gone, too slow): others may be asked. */
  released(peer: PickerPeer, block: Block): void {
    const progress = this.#active.get(block.piece);
    if (progress === undefined) return;
    progress.release(block.begin / BLOCK_LENGTH, blocksIn(block.length), peer.handle);
    this.#giveUpSole(peer, progress);
    if (progress.freeCount > 0) this.#open.add(progress);
  }

  /** The peer delivers nothing for now (choked, snubbed, gone): pieces it fetches alone are open to others. O(active). */
  abandoned(peer: PickerPeer): void {
    for (const progress of this.#active.values()) this.#giveUpSole(peer, progress);
  }

  #giveUpSole(peer: PickerPeer, progress: PieceProgress): void {
    if (progress.soleSource !== peer.handle || progress.isComplete || progress.requestedCount > 0) return;
    progress.restart();
    this.#open.add(progress);
  }

  /** The piece's hash was right; its bit in `have` is set already. @returns who delivered it. */
  verified(piece: PieceIndex): Set<number> {
    const progress = this.#end(piece);
    this.#suspect.delete(piece);
    for (const peer of this.#peers) if (peer.bitfield.get(piece)) peer.wanted--;
    return progress.contributors();
  }

  /** Who delivered each block of a piece being verified, by handle. */
  contributorByBlock(piece: PieceIndex): Uint32Array {
    const progress = this.#active.get(piece);
    assert(progress?.isComplete === true, `piece ${piece} is not being verified`);
    return progress.contributorByBlock;
  }

  /** The piece's hash was wrong: it is missing again. @returns who delivered it. */
  failed(piece: PieceIndex): Set<number> {
    const contributors = this.#end(piece).contributors();
    if (contributors.size > 1) this.#suspect.add(piece);
    this.#order.insert(piece);
    for (const peer of this.#peers) if (peer.bitfield.get(piece)) peer.pickable++;
    return contributors;
  }

  #end(piece: PieceIndex): PieceProgress {
    const progress = this.#active.get(piece);
    assert(progress !== undefined, `piece ${piece} was not being fetched`);
    this.#active.delete(piece);
    this.#open.delete(progress);
    return progress;
  }

  #start(peer: PickerPeer): PieceProgress | undefined {
    const accepts = (piece: PieceIndex) => peer.bitfield.get(piece);
    // The first piece is taken at random: what is rare is often slow to get, and any whole piece lets us trade.
    const first = this.#have.count === 0 && this.#active.size === 0;
    const piece = first ? this.#order.any(accepts, this.#random) : this.#order.rarest(accepts, this.#random);
    return piece === undefined ? undefined : this.#begin(piece);
  }

  #begin(piece: PieceIndex): PieceProgress {
    this.#order.remove(piece);
    for (const other of this.#peers) if (other.bitfield.get(piece)) other.pickable--;
    const progress = new PieceProgress(piece, this.#geometry.blockCount(piece), this.#suspect.has(piece));
    this.#active.set(piece, progress);
    this.#open.add(progress);
    return progress;
  }

  /** @returns what is left of `count`. */
  #takeFree(
    peer: PickerPeer,
    progress: PieceProgress,
    count: number,
    run: number,
    now: number,
    picked: Block[],
  ): number {
    if (!this.#mayDeliver(peer, progress)) return count;
    if (progress.exclusive) progress.soleSource = peer.handle;
    let left = count;
    while (left >= run) {
      const first = progress.nextFree();
      if (first === undefined) break;
      const length = progress.freeRun(first, Math.min(run, roomForRun(first)));
      progress.request(first, length, peer.handle, now);
      picked.push(this.#geometry.block(progress.piece, first, length));
      left -= length;
    }
    if (progress.freeCount === 0) this.#open.delete(progress);
    return left;
  }

  #mayDuplicate(peer: PickerPeer, progress: PieceProgress, block: number): boolean {
    if (progress.isReceived(block)) return false;
    const requesters = progress.requestersOf(block);
    return requesters.length < MAX_ENDGAME_COPIES && !requesters.includes(peer.handle);
  }

  #missingBytes(progress: PieceProgress, first: number, block: Block): number {
    const count = blocksIn(block.length);
    if (progress.missingIn(first, count) === count) return block.length;
    let bytes = 0;
    for (let at = first; at < first + count; at++) {
      if (!progress.isReceived(at)) bytes += this.#geometry.block(block.piece, at).length;
    }
    return bytes;
  }

  #mayDeliver(peer: PickerPeer, progress: PieceProgress): boolean {
    return !progress.exclusive || progress.soleSource === undefined || progress.soleSource === peer.handle;
  }
}
