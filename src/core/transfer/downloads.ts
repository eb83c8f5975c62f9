// The download half of a transfer: which blocks to request from a peer, what to do with a block that arrives, and when a
// peer is snubbed.
import { bytesEqual } from "../../lib/bytes.ts";
import type { Bitfield } from "../torrent/bitfield.ts";
import { BlockAudit } from "../picker/block-audit.ts";
import { blocksIn, type Geometry } from "../torrent/geometry.ts";
import type { PieceIndex } from "../torrent/ids.ts";
import { BLOCK_LENGTH } from "../torrent/limits.ts";
import {
  ENDGAME_DUPLICATE_MS,
  MAX_SUGGESTIONS,
  MAX_UNREQUESTED_LENGTH,
  REJECT_PAUSE_MS,
  SNUB_MS,
  SUPER_SEED_TIMEOUT_MS,
} from "./limits.ts";
import { ReceiveClock } from "./receive-clock.ts";
import type { Block } from "../torrent/peer-message.ts";
import type { PeerState } from "./peer-state.ts";
import { PiecePicker } from "../picker/piece-picker.ts";
import { RateMeter } from "../rate/rate-meter.ts";
import { blockKey } from "./request-window.ts";
import type { TokenBucket } from "../rate/token-bucket.ts";
import type { TransferEffect } from "./transfer-types.ts";

export interface HashResult {
  /** Disputed: the piece failed with several contributors, and its blocks are to be digested. */
  readonly state: "verified" | "failed" | "disputed";
  /** Handles of the peers whose blocks are proved wrong, disconnected ones included. */
  readonly culprits: ReadonlySet<number>;
}

const NO_PEERS: ReadonlySet<number> = new Set();

export class Downloads {
  readonly picker: PiecePicker;
  /** The clock of request timeouts. */
  readonly receiveClock = new ReceiveClock();
  readonly #geometry: Geometry;
  readonly #have: Bitfield;
  readonly #expected: (piece: PieceIndex) => Uint8Array;
  readonly #bucket: TokenBucket;
  readonly #meter = new RateMeter();
  readonly #audit = new BlockAudit();
  /** Payload bytes that were new. */
  downloaded = 0;
  /** Payload bytes that were of no use. */
  wasted = 0;
  /** Pieces that failed their hash since the last verified piece. */
  wrongInARow = 0;

  constructor(
    geometry: Geometry,
    have: Bitfield,
    expected: (piece: PieceIndex) => Uint8Array,
    bucket: TokenBucket,
    random: () => number,
    unchecked?: Bitfield,
  ) {
    this.#geometry = geometry;
    this.#have = have;
    this.#expected = expected;
    this.#bucket = bucket;
    this.picker = new PiecePicker(geometry, have, random, unchecked);
  }

  rate(now: number): number {
    return this.#meter.rate(now);
  }

  /** Requests as many blocks as the peer's request window and the rate limit allow, `most` at most. */
  fill(peer: PeerState, now: number, effects: TransferEffect[], most = Number.POSITIVE_INFINITY): void {
    if (peer.peerChoking || !peer.amInterested || now - peer.rejectedAt < REJECT_PAUSE_MS) return;
    // A snubbed peer has one block outstanding until it sends one. Under a download limit each request is a single block.
    const room = peer.snubbed ? 1 - peer.window.outstandingCount : peer.window.room;
    const run = peer.snubbed || !this.#bucket.isUnlimited ? 1 : peer.window.runLength;
    const withinRate = Math.ceil(this.#bucket.available(now) / BLOCK_LENGTH);
    // There is demand also with a full window: the peer may send what it holds back faster than the limit later.
    this.#bucket.noteDemand();
    if (this.#requestSuggested(peer, Math.min(most, withinRate), run, now, effects)) return;
    const allowed = Math.min(most, room, withinRate);
    if (allowed <= 0) return;
    const receiveTime = this.receiveClock.at(now);
    for (const block of this.picker.pick(peer, allowed, receiveTime, run))
      this.#request(peer, block, now, effects);
    if (peer.window.outstandingCount > 0 || !this.picker.isEndgame) return;
    const minAgeMs = Math.max(ENDGAME_DUPLICATE_MS, 2 * peer.window.delayMs);
    const duplicate = this.picker.pickDuplicate(peer, minAgeMs, receiveTime, run);
    if (duplicate !== undefined) this.#request(peer, duplicate, now, effects);
  }

  /** The peer suggests a piece (BEP 6). */
  suggested(peer: PeerState, piece: PieceIndex, now: number): void {
    if (this.#have.get(piece) || peer.suggested.length >= MAX_SUGGESTIONS) return;
    peer.suggested.push(piece);
    peer.suggestionsActiveAt = now;
  }

  /**
   * Requests the pieces that the peer suggested, each as a whole.
   * @returns true while nothing else is to be requested from it: it is super-seeding, and there are pieces without a copy at
   * any leecher, each of which it suggests to one leecher.
   */
  #requestSuggested(
    peer: PeerState,
    most: number,
    run: number,
    now: number,
    effects: TransferEffect[],
  ): boolean {
    const isSuperSeeding = now - peer.suggestionsActiveAt < SUPER_SEED_TIMEOUT_MS;
    if (peer.snubbed || !(isSuperSeeding || peer.suggested.length > 0)) return false;
    const room = Math.min(most, peer.window.roomFor(blocksIn(this.#geometry.pieceLength)));
    for (const block of this.picker.pickSuggested(peer, room, this.receiveClock.at(now), run))
      this.#request(peer, block, now, effects);
    // Outstanding blocks wait in the peer's upload queue: it is not silent.
    if (peer.window.outstandingCount > 0) peer.suggestionsActiveAt = now;
    return this.picker.hasZeroAvailability;
  }

  /** A block or a run arrived. It answers a request only when begin and length are the same. */
  received(
    peer: PeerState,
    block: Block,
    peers: ReadonlyMap<number, PeerState>,
    now: number,
    effects: TransferEffect[],
  ): void {
    const key = blockKey(block, this.#geometry.pieceLength);
    const isAnswer = peer.window.request(key)?.length === block.length;
    const isExpired = !isAnswer && peer.expired.get(key) === block.length;
    if (isExpired) peer.expired.delete(key);
    const request = isExpired ? undefined : peer.window.arrived(key, now);
    const receipt = isAnswer || isExpired ? this.picker.received(peer, block) : undefined;
    if (receipt === undefined || receipt.kind === "unwanted") {
      // The length is wrong, or the piece has another sole source by now: the requested blocks are still missing.
      if (request !== undefined) this.picker.released(peer, request);
      // The peer answers runs with another length: its next requests are single blocks.
      if (request !== undefined && !isAnswer) peer.window.allowRuns(BLOCK_LENGTH);
      this.wasted += block.length;
      if (!isAnswer && !isExpired) peer.unrequested += block.length;
      if (peer.unrequested > MAX_UNREQUESTED_LENGTH + peer.downloaded / 10)
        effects.push({ type: "closePeer", peer: peer.handle, fault: "unexpectedMessage" });
      return;
    }
    peer.lastBlockAt = this.receiveClock.at(now);
    peer.snubbed = false;
    peer.downloaded += receipt.newBytes;
    this.downloaded += receipt.newBytes;
    this.wasted += block.length - receipt.newBytes;
    this.#meter.add(receipt.newBytes, now);
    effects.push({ type: "writeBlock", block });
    // Blocks of an expired run may be requested from this peer once more, in shorter requests.
    if (isExpired) this.#cancelOverlapping(peer, block, effects);
    for (const handle of receipt.cancel) {
      const other = peers.get(handle);
      if (other === undefined || !this.#cancelOverlapping(other, block, effects)) continue;
      if (this.#bucket.isUnlimited) this.fill(other, now, effects);
    }
    // The block was in flight when the peer choked us; no other follows.
    if (peer.peerChoking) this.picker.releaseSoleSource(peer);
    if (receipt.pieceComplete) effects.push({ type: "verifyPiece", piece: block.piece });
  }

  /** The peer rejects a request (BEP 6). */
  rejected(peer: PeerState, block: Block, now: number): void {
    const key = blockKey(block, this.#geometry.pieceLength);
    if (peer.window.forget(key, block.length)) {
      this.#release(peer, block);
      // A choke explains its rejects. A peer that rejects without choking us gets no request for a while.
      if (!peer.peerChoking) {
        peer.window.collapse();
        peer.rejectedAt = now;
      }
    }
    if (peer.expired.get(key) === block.length) peer.expired.delete(key);
  }

  /** The peer unchokes us. Beside outstanding requests to other peers its window starts small. */
  unchoked(peer: PeerState, all: Iterable<PeerState>, now: number): void {
    peer.lastBlockAt = this.receiveClock.at(now);
    for (const other of all) if (other.window.outstandingCount > 0) return peer.window.startSmall();
  }

  /** The peer chokes us. Without the fast extension that drops our requests silently; with it, rejects follow (BEP 6). */
  choked(peer: PeerState): void {
    if (!peer.fast) this.releaseAll(peer);
    this.picker.releaseSoleSource(peer);
  }

  /** Makes the peer's requests available to other peers. */
  releaseAll(peer: PeerState): void {
    for (const block of peer.window.drain()) this.#release(peer, block);
  }

  /** Snubs a peer that owes blocks and has sent none for SNUB_MS: its requests expire and go to other peers. */
  checkSnubbed(peer: PeerState, now: number): void {
    const oldest = peer.window.oldestSentAt();
    const receiveTime = this.receiveClock.at(now);
    if (oldest === undefined || receiveTime - Math.max(oldest, peer.lastBlockAt) < SNUB_MS) return;
    peer.snubbed = true;
    peer.window.collapse();
    // Only the latest batch is kept: expired requests must not pile up.
    peer.expired.clear();
    for (const block of peer.window.drain()) {
      peer.expired.set(blockKey(block, this.#geometry.pieceLength), block.length);
      this.#release(peer, block);
    }
    this.picker.releaseSoleSource(peer);
  }

  /**
   * The piece was hashed. A failed piece with several contributors stays active, so that none of its blocks is requested
   * or overwritten before they are digested.
   * @param digest 20 bytes.
   * @returns the state of the piece, and the culprit when it is known already.
   */
  hashed(piece: PieceIndex, digest: Uint8Array, effects: TransferEffect[]): HashResult {
    if (bytesEqual(digest, this.#expected(piece))) {
      this.wrongInARow = 0;
      this.#have.set(piece);
      this.picker.verified(piece);
      // Not with the last piece: the download is complete, and its file is about to be moved.
      if (this.#audit.awaits(piece) && !this.#have.isFull) effects.push({ type: "digestBlocks", piece });
      return { state: "verified", culprits: NO_PEERS };
    }
    this.wrongInARow++;
    this.wasted += this.#geometry.lengthOfPiece(piece);
    const contributors = this.picker.contributorByBlock(piece);
    if (contributors.every((contributor) => contributor === contributors[0]))
      return { state: "failed", culprits: this.picker.failed(piece) };
    effects.push({ type: "digestBlocks", piece });
    return { state: "disputed", culprits: NO_PEERS };
  }

  /** A piece that was in the file before was hashed. @returns `isRight`. */
  checked(piece: PieceIndex, isRight: boolean): boolean {
    if (isRight) this.#have.set(piece);
    this.picker.checked(piece);
    return isRight;
  }

  /**
   * The blocks of a disputed piece were digested, or those of the verified piece that settles the dispute.
   * @param digests 20 bytes for each block.
   */
  blocksHashed(piece: PieceIndex, digests: Uint8Array): HashResult {
    if (this.#have.get(piece)) return { state: "verified", culprits: this.#audit.culprits(piece, digests) };
    this.#audit.remember(piece, this.picker.contributorByBlock(piece), digests);
    this.picker.failed(piece);
    return { state: "failed", culprits: NO_PEERS };
  }

  #request(peer: PeerState, block: Block, now: number, effects: TransferEffect[]): void {
    this.#bucket.spend(block.length, now);
    const key = blockKey(block, this.#geometry.pieceLength);
    peer.window.sent(key, block, now, this.receiveClock.at(now));
    effects.push({ type: "send", peer: peer.handle, message: { type: "request", block } });
  }

  /** Cancels the peer's requests that overlap `received` and are received in full. @returns whether one was cancelled. */
  #cancelOverlapping(peer: PeerState, received: Block, effects: TransferEffect[]): boolean {
    const { pieceLength } = this.#geometry;
    const requests = peer.window.overlapping(blockKey(received, pieceLength), blocksIn(received.length));
    let cancelled = false;
    for (const block of requests) {
      if (!this.picker.isReceived(block)) continue;
      cancelled = peer.window.forget(blockKey(block, pieceLength), block.length);
      effects.push({ type: "send", peer: peer.handle, message: { type: "cancel", block } });
    }
    return cancelled;
  }

  #release(peer: PeerState, block: Block): void {
    this.picker.released(peer, block);
    this.#bucket.refund(block.length);
  }
}
