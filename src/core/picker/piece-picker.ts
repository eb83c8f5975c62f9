// The piece picker: chooses the blocks to request from a peer. Started pieces come first (strict priority), then the rarest,
// the very first piece at random, and at the end a block that another peer is slow to send (end-game, bounded). It returns
// runs of blocks up to the length that the caller asks for. It must not know choking, rate limits or bytes. A piece is in
// exactly one state: verified, unchecked (perhaps in the file already), active (requested in part or in full, or being
// hashed), or in the rarity order.
import { assert } from "../../lib/assert.ts";
import { Bitfield } from "../torrent/bitfield.ts";
import { blocksIn, type Geometry, roomForRun } from "../torrent/geometry.ts";
import { type PieceIndex, pieceIndex } from "../torrent/ids.ts";
import { BLOCK_LENGTH } from "../torrent/limits.ts";
import { MAX_OPEN_PIECE_BYTES } from "./limits.ts";
import type { Block } from "../torrent/peer-message.ts";
import type { PickerPeer, Receipt } from "./picker-types.ts";
import { missingBytes, PieceProgress } from "./piece-progress.ts";
import { RarityOrder } from "./rarity-order.ts";

const UNWANTED: Receipt = { kind: "unwanted" };

export class PiecePicker {
  readonly #geometry: Geometry;
  /** Verified pieces. Owned by the transfer, which calls `verified` after each change. */
  readonly #have: Bitfield;
  readonly #random: () => number;
  readonly #order: RarityOrder;
  readonly #active = new Map<PieceIndex, PieceProgress>();
  /** Active pieces with a free block (not requested, not received), oldest first. */
  readonly #notFull = new Set<PieceProgress>();
  readonly #peers = new Set<PickerPeer>();
  /** Pieces that failed their hash with several contributors: in the next attempt one peer sends the whole piece. */
  readonly #exclusive = new Set<PieceIndex>();
  /** The most active pieces without a free block. */
  readonly #maxFull: number;

  /** `unchecked`: pieces that may be in the file already; nothing of them is requested before their check. */
  constructor(
    geometry: Geometry,
    have: Bitfield,
    random: () => number,
    unchecked = new Bitfield(geometry.pieceCount),
  ) {
    this.#geometry = geometry;
    this.#have = have;
    this.#random = random;
    this.#order = new RarityOrder(geometry.pieceCount);
    this.#maxFull = Math.max(2, Math.floor(MAX_OPEN_PIECE_BYTES / geometry.pieceLength));
    for (let i = 0; i < geometry.pieceCount; i++)
      if (!have.get(i) && !unchecked.get(i)) this.#order.insert(pieceIndex(i));
  }

  /** True when every missing block is requested: only duplicates are left to request. */
  get isEndgame(): boolean {
    return this.#order.size === 0 && this.#notFull.size === 0;
  }

  addPeer(peer: PickerPeer): void {
    this.#peers.add(peer);
  }

  removePeer(peer: PickerPeer): void {
    if (!this.#peers.delete(peer)) return;
    this.releaseSoleSource(peer);
    if (!peer.counted) return;
    for (let i = 0; i < this.#geometry.pieceCount; i++) {
      if (peer.bitfield.get(i)) this.#order.decrease(pieceIndex(i));
    }
  }

  /** The peer's first bitfield arrived: the caller has set its bits, which were all clear before. O(pieces). */
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

  /** The peer has one more piece; sets its bit. @returns false when the bit was set already. */
  peerHas(peer: PickerPeer, piece: PieceIndex): boolean {
    if (peer.bitfield.get(piece)) return false;
    peer.bitfield.set(piece);
    peer.counted = true;
    this.#order.increase(piece);
    if (!this.#have.get(piece)) peer.wanted++;
    if (this.#order.contains(piece)) peer.pickable++;
    return true;
  }

  /** True when some piece that is not started has availability zero: no connected leecher has it. */
  get hasZeroAvailability(): boolean {
    return this.#order.hasZeroAvailability;
  }

  availability(piece: PieceIndex): number {
    return this.#order.availability(piece);
  }

  /** As `pick`, but only from pieces that the peer suggested and that no other leecher has. */
  pickSuggested(peer: PickerPeer, count: number, now: number, run = 1): Block[] {
    const picked: Block[] = [];
    let left = count;
    for (const progress of this.#notFull) {
      if (left < run) return picked;
      if (progress.suggestedBy === peer.handle) left = this.#takeFree(peer, progress, left, run, now, picked);
    }
    while (left >= run && this.#active.size - this.#notFull.size < this.#maxFull) {
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
   * Chooses up to `count` blocks for the peer, in runs of at most `run` blocks, and marks them as requested. Stops when
   * less than a whole run is left of `count`: otherwise requests would become shorter and shorter.
   */
  pick(peer: PickerPeer, count: number, now: number, run = 1): Block[] {
    const picked: Block[] = [];
    let left = count;
    for (const progress of this.#notFull) {
      if (left < run) return picked;
      if (peer.bitfield.get(progress.piece)) left = this.#takeFree(peer, progress, left, run, now, picked);
    }
    while (left >= run && peer.pickable > 0 && this.#active.size - this.#notFull.size < this.#maxFull) {
      const progress = this.#start(peer);
      if (progress === undefined) break;
      left = this.#takeFree(peer, progress, left, run, now, picked);
    }
    return picked;
  }

  /**
   * The end-game: chooses a run that was requested from another peer more than `minAgeMs` ago, the oldest first, and of that
   * request as much as is missing, up to `run` blocks. One block is requested from MAX_ENDGAME_COPIES peers at most.
   */
  pickDuplicate(peer: PickerPeer, minAgeMs: number, now: number, run = 1): Block | undefined {
    let best: { readonly progress: PieceProgress; readonly block: number } | undefined;
    let bestAt = Number.POSITIVE_INFINITY;
    for (const progress of this.#active.values()) {
      if (progress.exclusive || progress.isComplete || !peer.bitfield.get(progress.piece)) continue;
      for (let block = 0; block < progress.blockCount; block++) {
        const requestedAt = progress.requestedAt(block);
        if (requestedAt >= bestAt || requestedAt > now - minAgeMs) continue;
        if (!progress.mayDuplicate(peer.handle, block)) continue;
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
      progress.mayDuplicate(peer.handle, block + count)
    )
      count++;
    progress.request(block, count, peer.handle, now);
    return this.#geometry.block(progress.piece, block, count);
  }

  /** True when every block of this run of an active piece is received. */
  isReceived(block: Block): boolean {
    const progress = this.#active.get(block.piece);
    return progress?.missingIn(block.begin / BLOCK_LENGTH, blocksIn(block.length)) === 0;
  }

  /** A run arrived that was requested from this peer. It is kept as a whole when any of its blocks is missing. */
  received(peer: PickerPeer, block: Block): Receipt {
    const progress = this.#active.get(block.piece);
    const first = this.#geometry.blockIndex(block);
    if (progress === undefined || first === undefined) return UNWANTED;
    if (progress.exclusive && progress.soleSource !== peer.handle) return UNWANTED;
    const newBytes = missingBytes(this.#geometry, progress, first, block);
    if (newBytes === 0) return UNWANTED;
    const cancel = progress.receive(first, blocksIn(block.length), peer.handle);
    if (progress.freeCount === 0) this.#notFull.delete(progress);
    return { kind: "kept", newBytes, cancel, pieceComplete: progress.isComplete };
  }

  /** The peer will not send the run (choked, rejected, gone, too slow): other peers may be asked. */
  released(peer: PickerPeer, block: Block): void {
    const progress = this.#active.get(block.piece);
    if (progress === undefined) return;
    progress.release(block.begin / BLOCK_LENGTH, blocksIn(block.length), peer.handle);
    this.#restartIfSole(peer, progress);
    if (progress.freeCount > 0) this.#notFull.add(progress);
  }

  /** The peer sends nothing for now (choked, snubbed, gone): pieces with it as sole source may have another. O(active). */
  releaseSoleSource(peer: PickerPeer): void {
    for (const progress of this.#active.values()) this.#restartIfSole(peer, progress);
  }

  #restartIfSole(peer: PickerPeer, progress: PieceProgress): void {
    if (progress.soleSource !== peer.handle || progress.isComplete || progress.requestedCount > 0) return;
    progress.restart();
    this.#notFull.add(progress);
  }

  /** The piece passed its hash; its bit in `have` is set already. @returns the handles of its contributors. */
  verified(piece: PieceIndex): Set<number> {
    const progress = this.#end(piece);
    this.#exclusive.delete(piece);
    for (const peer of this.#peers) if (peer.bitfield.get(piece)) peer.wanted--;
    return progress.contributors();
  }

  /** An unchecked piece was hashed: it is right and its bit in `have` is set already, or it is missing. */
  checked(piece: PieceIndex): void {
    assert(!this.#active.has(piece) && !this.#order.contains(piece), `piece ${piece} was not unchecked`);
    const isRight = this.#have.get(piece);
    if (!isRight) this.#order.insert(piece);
    for (const peer of this.#peers) {
      if (!peer.bitfield.get(piece)) continue;
      if (isRight) peer.wanted--;
      else peer.pickable++;
    }
  }

  /** Handle of the contributor of each block of a piece that is being hashed. */
  contributorByBlock(piece: PieceIndex): Uint32Array {
    const progress = this.#active.get(piece);
    assert(progress?.isComplete === true, `piece ${piece} is not being hashed`);
    return progress.contributorByBlock;
  }

  /** The piece failed its hash and is missing again. @returns the handles of its contributors. */
  failed(piece: PieceIndex): Set<number> {
    const contributors = this.#end(piece).contributors();
    if (contributors.size > 1) this.#exclusive.add(piece);
    this.#order.insert(piece);
    for (const peer of this.#peers) if (peer.bitfield.get(piece)) peer.pickable++;
    return contributors;
  }

  #end(piece: PieceIndex): PieceProgress {
    const progress = this.#active.get(piece);
    assert(progress !== undefined, `piece ${piece} is not active`);
    this.#active.delete(piece);
    this.#notFull.delete(progress);
    return progress;
  }

  #start(peer: PickerPeer): PieceProgress | undefined {
    const accepts = (piece: PieceIndex) => peer.bitfield.get(piece);
    // The first piece is random: a rare piece is often slow to get, and any whole piece is enough to upload.
    const first = this.#have.count === 0 && this.#active.size === 0;
    const piece = first ? this.#order.any(accepts, this.#random) : this.#order.rarest(accepts, this.#random);
    return piece === undefined ? undefined : this.#begin(piece);
  }

  #begin(piece: PieceIndex): PieceProgress {
    this.#order.remove(piece);
    for (const other of this.#peers) if (other.bitfield.get(piece)) other.pickable--;
    const progress = new PieceProgress(piece, this.#geometry.blockCount(piece), this.#exclusive.has(piece));
    this.#active.set(piece, progress);
    this.#notFull.add(progress);
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
    if (!progress.mayDeliver(peer.handle)) return count;
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
    if (progress.freeCount === 0) this.#notFull.delete(progress);
    return left;
  }
}
