// The fetching half of a transfer: what to ask whom, what to do with a block, when to stop waiting for a peer.
import { bytesEqual } from "../lib/bytes.ts";
import type { Bitfield } from "./bitfield.ts";
import { blocksIn, type Geometry } from "./geometry.ts";
import type { PieceIndex } from "./ids.ts";
import { BLOCK_LENGTH, ENDGAME_PATIENCE_MS, REFUSED_PAUSE_MS, SNUB_MS } from "./limits.ts";
import type { Block } from "./peer-message.ts";
import type { PeerState } from "./peer-state.ts";
import { PiecePicker } from "./piece-picker.ts";
import { RateMeter } from "./rate-meter.ts";
import { blockKey } from "./request-window.ts";
import type { TokenBucket } from "./token-bucket.ts";
import type { TransferEffect } from "./transfer-types.ts";

export class Downloads {
  readonly picker: PiecePicker;
  readonly #geometry: Geometry;
  readonly #have: Bitfield;
  readonly #expected: (piece: PieceIndex) => Uint8Array;
  readonly #bucket: TokenBucket;
  readonly #meter = new RateMeter();
  downloaded = 0;
  wasted = 0;

  constructor(
    geometry: Geometry,
    have: Bitfield,
    expected: (piece: PieceIndex) => Uint8Array,
    bucket: TokenBucket,
    random: () => number,
  ) {
    this.#geometry = geometry;
    this.#have = have;
    this.#expected = expected;
    this.#bucket = bucket;
    this.picker = new PiecePicker(geometry, have, random);
  }

  rate(now: number): number {
    return this.#meter.rate(now);
  }

  /** Asks for as many blocks as the peer's window and the rate limit allow. */
  fill(peer: PeerState, now: number, effects: TransferEffect[], most = Number.POSITIVE_INFINITY): void {
    if (peer.peerChoking || !peer.amInterested || now - peer.refusedAt < REFUSED_PAUSE_MS) return;
    // A snubbed peer gets one block at a time until it sends one. Under a limit blocks are asked for one by one.
    const room = peer.snubbed ? 1 - peer.window.outstandingCount : peer.window.room;
    const run = peer.snubbed || !this.#bucket.isUnlimited ? 1 : peer.window.runLength;
    const affordable = Math.ceil(this.#bucket.available(now) / BLOCK_LENGTH);
    if (affordable < room) this.#bucket.noteDemand();
    const allowed = Math.min(most, room, affordable);
    if (allowed <= 0) return;
    for (const block of this.picker.pick(peer, allowed, now, run)) this.#ask(peer, block, now, effects);
    if (peer.window.outstandingCount > 0 || !this.picker.isEndgame) return;
    const patience = Math.max(ENDGAME_PATIENCE_MS, 2 * peer.window.delayMs);
    const duplicate = this.picker.pickDuplicate(peer, patience, now, run);
    if (duplicate !== undefined) this.#ask(peer, duplicate, now, effects);
  }

  /** A block or a run arrived. It answers a request only when it begins and ends where that does. */
  received(
    peer: PeerState,
    block: Block,
    peers: ReadonlyMap<number, PeerState>,
    now: number,
    effects: TransferEffect[],
  ): void {
    const key = blockKey(block, this.#geometry.pieceLength);
    const isAnswer = peer.window.request(key)?.length === block.length;
    const isLate = !isAnswer && peer.late.get(key) === block.length;
    if (isLate) peer.late.delete(key);
    const request = isLate ? undefined : peer.window.arrived(key, now);
    const receipt = isAnswer || isLate ? this.picker.received(peer, block) : undefined;
    if (receipt === undefined || receipt.kind === "unwanted") {
      // Of a wrong length, or somebody else fetches the piece alone now: what was asked for is still missing.
      if (request !== undefined) this.picker.released(peer, request);
      // A peer that said it answers runs and does not is asked for single blocks.
      if (request !== undefined && !isAnswer) peer.window.allowRuns(BLOCK_LENGTH);
      this.wasted += block.length;
      return;
    }
    peer.lastBlockAt = now;
    peer.snubbed = false;
    peer.downloaded += receipt.newBytes;
    this.downloaded += receipt.newBytes;
    this.wasted += block.length - receipt.newBytes;
    this.#meter.add(receipt.newBytes, now);
    effects.push({ type: "writeBlock", block });
    // A run that it was asked for once more in shorter requests.
    if (isLate) this.#cancelOverlapping(peer, block, effects);
    for (const handle of receipt.cancel) {
      const other = peers.get(handle);
      if (other === undefined || !this.#cancelOverlapping(other, block, effects)) continue;
      if (this.#bucket.isUnlimited) this.fill(other, now, effects);
    }
    // It was on its way when the peer choked us, and nothing follows it.
    if (peer.peerChoking) this.picker.abandoned(peer);
    if (receipt.pieceComplete) effects.push({ type: "verifyPiece", piece: block.piece });
  }

  rejected(peer: PeerState, block: Block, now: number): void {
    const key = blockKey(block, this.#geometry.pieceLength);
    if (peer.window.forget(key, block.length)) {
      this.#giveBack(peer, block);
      // A choke explains its rejects; a peer that refuses without one is not asked again at once.
      if (!peer.peerChoking) {
        peer.window.collapse();
        peer.refusedAt = now;
      }
    }
    if (peer.late.get(key) === block.length) peer.late.delete(key);
  }

  /** Without the fast extension a choke silently drops what was asked; with it, rejects follow (BEP 6). */
  choked(peer: PeerState): void {
    if (!peer.fast) this.releaseAll(peer);
    this.picker.abandoned(peer);
  }

  releaseAll(peer: PeerState): void {
    for (const block of peer.window.drain()) this.#giveBack(peer, block);
  }

  /** Takes the requests away from a peer that owes us blocks and sends none. */
  checkSnubbed(peer: PeerState, now: number): void {
    const oldest = peer.window.oldestSentAt();
    if (oldest === undefined || now - Math.max(oldest, peer.lastBlockAt) < SNUB_MS) return;
    peer.snubbed = true;
    peer.window.collapse();
    // Only the latest batch is still expected; older ones would only be remembered for ever.
    peer.late.clear();
    for (const block of peer.window.drain()) {
      peer.late.set(blockKey(block, this.#geometry.pieceLength), block.length);
      this.#giveBack(peer, block);
    }
    this.picker.abandoned(peer);
  }

  /** @returns whether the piece is right, and who delivered it. */
  hashed(
    piece: PieceIndex,
    digest: Uint8Array,
  ): { readonly right: boolean; readonly contributors: Set<number> } {
    if (bytesEqual(digest, this.#expected(piece))) {
      this.#have.set(piece);
      return { right: true, contributors: this.picker.verified(piece) };
    }
    this.wasted += this.#geometry.lengthOfPiece(piece);
    return { right: false, contributors: this.picker.failed(piece) };
  }

  #ask(peer: PeerState, block: Block, now: number, effects: TransferEffect[]): void {
    this.#bucket.spend(block.length, now);
    peer.window.sent(blockKey(block, this.#geometry.pieceLength), block, now);
    effects.push({ type: "send", peer: peer.handle, message: { type: "request", block } });
  }

  /** Takes back those of the peer's requests that share blocks with this one and are here as a whole now. */
  #cancelOverlapping(peer: PeerState, received: Block, effects: TransferEffect[]): boolean {
    const { pieceLength } = this.#geometry;
    const requests = peer.window.overlapping(blockKey(received, pieceLength), blocksIn(received.length));
    let cancelled = false;
    for (const block of requests) {
      if (!this.picker.isHere(block)) continue;
      cancelled = peer.window.forget(blockKey(block, pieceLength), block.length);
      effects.push({ type: "send", peer: peer.handle, message: { type: "cancel", block } });
    }
    return cancelled;
  }

  #giveBack(peer: PeerState, block: Block): void {
    this.picker.released(peer, block);
    this.#bucket.refund(block.length);
  }
}
