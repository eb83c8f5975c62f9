// The fetching half of a transfer: what to ask whom, what to do with a block, when to stop waiting for a peer.
import { bytesEqual } from "../../lib/bytes.ts";
import type { Bitfield } from "../torrent/bitfield.ts";
import { BlockAudit } from "../picker/block-audit.ts";
import { blocksIn, type Geometry } from "../torrent/geometry.ts";
import type { PieceIndex } from "../torrent/ids.ts";
import { BLOCK_LENGTH } from "../torrent/limits.ts";
import {
  ENDGAME_PATIENCE_MS,
  MAX_SUGGESTIONS,
  MAX_UNASKED_LENGTH,
  REFUSED_PAUSE_MS,
  SNUB_MS,
  SUGGESTED_ONLY_MS,
} from "./limits.ts";
import { ReceiveClock } from "./receive-clock.ts";
import type { Block } from "../torrent/peer-message.ts";
import type { PeerState } from "./peer-state.ts";
import { PiecePicker } from "../picker/piece-picker.ts";
import { RateMeter } from "../rate/rate-meter.ts";
import { blockKey } from "./request-window.ts";
import type { TokenBucket } from "../rate/token-bucket.ts";
import type { TransferEffect } from "./transfer-types.ts";

/** `culprits`: handles of the peers whose data is proved wrong, gone ones among them. */
export interface Verdict {
  readonly state: "right" | "wrong" | "disputed";
  readonly culprits: ReadonlySet<number>;
}

const NOBODY: ReadonlySet<number> = new Set();

export class Downloads {
  readonly picker: PiecePicker;
  /** By it a peer is late. */
  readonly receiveClock = new ReceiveClock();
  readonly #geometry: Geometry;
  readonly #have: Bitfield;
  readonly #expected: (piece: PieceIndex) => Uint8Array;
  readonly #bucket: TokenBucket;
  readonly #meter = new RateMeter();
  readonly #audit = new BlockAudit();
  downloaded = 0;
  wasted = 0;
  /** Pieces that failed since one was right. */
  wrongInARow = 0;

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
    // Also with a full window: what the peer holds back now, it may send faster than the limit later.
    this.#bucket.noteDemand();
    if (this.#followSuggestions(peer, Math.min(most, affordable), run, now, effects)) return;
    const allowed = Math.min(most, room, affordable);
    if (allowed <= 0) return;
    const receiveTime = this.receiveClock.at(now);
    for (const block of this.picker.pick(peer, allowed, receiveTime, run))
      this.#ask(peer, block, now, effects);
    if (peer.window.outstandingCount > 0 || !this.picker.isEndgame) return;
    const patience = Math.max(ENDGAME_PATIENCE_MS, 2 * peer.window.delayMs);
    const duplicate = this.picker.pickDuplicate(peer, patience, receiveTime, run);
    if (duplicate !== undefined) this.#ask(peer, duplicate, now, effects);
  }

  suggested(peer: PeerState, piece: PieceIndex, now: number): void {
    if (this.#have.get(piece) || peer.suggested.length >= MAX_SUGGESTIONS) return;
    peer.suggested.push(piece);
    peer.steeredAt = now;
  }

  /**
   * Asks for what the peer suggested, a whole piece at once. @returns true while it should be asked for nothing else,
   * because it hands out pieces that nobody has and gives each to one of us.
   */
  #followSuggestions(
    peer: PeerState,
    most: number,
    run: number,
    now: number,
    effects: TransferEffect[],
  ): boolean {
    const followsOnly = now - peer.steeredAt < SUGGESTED_ONLY_MS;
    if (peer.snubbed || !(followsOnly || peer.suggested.length > 0)) return false;
    const room = Math.min(most, peer.window.roomFor(blocksIn(this.#geometry.pieceLength)));
    for (const block of this.picker.pickSuggested(peer, room, this.receiveClock.at(now), run))
      this.#ask(peer, block, now, effects);
    // What it was asked for waits for its turn over there.
    if (peer.window.outstandingCount > 0) peer.steeredAt = now;
    return this.picker.hasUnseen;
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
      if (!isAnswer && !isLate) peer.unasked += block.length;
      if (peer.unasked > MAX_UNASKED_LENGTH + peer.downloaded / 10)
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

  unchoked(peer: PeerState, all: Iterable<PeerState>, now: number): void {
    peer.lastBlockAt = this.receiveClock.at(now);
    for (const other of all) if (other.window.outstandingCount > 0) return peer.window.beginBesideOthers();
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
    const receiveTime = this.receiveClock.at(now);
    if (oldest === undefined || receiveTime - Math.max(oldest, peer.lastBlockAt) < SNUB_MS) return;
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

  /**
   * @returns whether the piece is right, and who lied as far as that is known by now: a wrong piece that several gave
   * stays as it is, and wanted by nobody, until the digests of its blocks are taken.
   */
  hashed(piece: PieceIndex, digest: Uint8Array, effects: TransferEffect[]): Verdict {
    const right = bytesEqual(digest, this.#expected(piece));
    if (right) {
      this.wrongInARow = 0;
      this.#have.set(piece);
      this.picker.verified(piece);
      // At the end nobody is asked for anything any more, and the file leaves its place.
      if (this.#audit.awaits(piece) && !this.#have.isFull) effects.push({ type: "digestBlocks", piece });
      return { state: "right", culprits: NOBODY };
    }
    this.wrongInARow++;
    this.wasted += this.#geometry.lengthOfPiece(piece);
    const contributors = this.picker.contributorByBlock(piece);
    if (contributors.every((contributor) => contributor === contributors[0]))
      return { state: "wrong", culprits: this.picker.failed(piece) };
    effects.push({ type: "digestBlocks", piece });
    return { state: "disputed", culprits: NOBODY };
  }

  /** The blocks of a disputed piece, or of the right one that settles the dispute, were hashed. */
  blocksHashed(piece: PieceIndex, digests: Uint8Array): Verdict {
    if (this.#have.get(piece)) return { state: "right", culprits: this.#audit.culprits(piece, digests) };
    this.#audit.remember(piece, this.picker.contributorByBlock(piece), digests);
    this.picker.failed(piece);
    return { state: "wrong", culprits: NOBODY };
  }

  #ask(peer: PeerState, block: Block, now: number, effects: TransferEffect[]): void {
    this.#bucket.spend(block.length, now);
    const key = blockKey(block, this.#geometry.pieceLength);
    peer.window.sent(key, block, now, this.receiveClock.at(now));
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
