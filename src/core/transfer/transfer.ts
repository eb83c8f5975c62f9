// Every decision about one torrent: handle(event, now) → effects. No clock, no randomness, no bytes, no I/O: time and
// randomness are arguments, so one test runs a whole swarm of transfers on a virtual clock.
import { assertNever } from "../../lib/assert.ts";
import { Bitfield } from "../torrent/bitfield.ts";
import { Downloads, type HashResult } from "./downloads.ts";
import { firstMessages } from "./first-messages.ts";
import type { Geometry } from "../torrent/geometry.ts";
import { OTHER_CLIENT_TARGET_DELAY_MS } from "./limits.ts";
import { type PeerHandle, peerHandle, type PieceIndex, pieceIndex } from "../torrent/ids.ts";
import type { PeerMessage } from "../torrent/peer-message.ts";
import { PeerState } from "./peer-state.ts";
import type { TokenBucket } from "../rate/token-bucket.ts";
import type { TransferEffect, TransferEvent, TransferStatus } from "./transfer-types.ts";
import { Uploads } from "./uploads.ts";

export interface TransferOptions {
  readonly geometry: Geometry;
  /** The expected SHA-1 of a piece, 20 bytes. */
  readonly expected: (piece: PieceIndex) => Uint8Array;
  /** Verified pieces. The transfer takes ownership. */
  readonly have: Bitfield;
  /** Pieces that may be in the file already: each is reported by `pieceChecked`. @default none */
  readonly unchecked?: Bitfield;
  /** Shared by all transfers of the process. */
  readonly uploadBucket: TokenBucket;
  readonly downloadBucket: TokenBucket;
  readonly random: () => number;
  readonly now: number;
}

export class Transfer {
  readonly #geometry: Geometry;
  readonly #have: Bitfield;
  readonly #peers = new Map<PeerHandle, PeerState>();
  readonly #downloads: Downloads;
  readonly #uploads: Uploads;
  /** Under a download limit only ticks send requests, so that all transfers of the process share the limit. */
  readonly #paced: boolean;
  #nextTurn = 0;

  constructor(options: TransferOptions) {
    const { geometry, have, unchecked, expected, uploadBucket, downloadBucket, random, now } = options;
    this.#geometry = geometry;
    this.#have = have;
    this.#paced = !downloadBucket.isUnlimited;
    this.#downloads = new Downloads(geometry, have, expected, downloadBucket, random, unchecked);
    const leecherHas = (piece: PieceIndex) => this.#downloads.picker.availability(piece) > 0;
    this.#uploads = new Uploads(geometry, have, uploadBucket, random, now, leecherHas);
  }

  /** Verified pieces. Read only. */
  get have(): Bitfield {
    return this.#have;
  }

  get isComplete(): boolean {
    return this.#have.isFull;
  }

  /** @param now milliseconds of a monotonic clock, never less than before. */
  handle(event: TransferEvent, now: number): TransferEffect[] {
    const effects: TransferEffect[] = [];
    switch (event.type) {
      case "peerJoined":
        this.#join(event, now, effects);
        break;
      case "peerLeft":
        this.#leave(event.peer, now, effects);
        break;
      case "peerQueueLimit":
        this.#peers.get(event.peer)?.window.limitTo(event.requests);
        break;
      case "peerRequestLength":
        this.#peers.get(event.peer)?.window.allowRuns(event.bytes);
        break;
      case "received": {
        const peer = this.#peers.get(event.peer);
        if (peer !== undefined) this.#receive(peer, event.message, now, effects);
        break;
      }
      case "uploaded": {
        const peer = this.#peers.get(event.peer);
        if (peer !== undefined) this.#uploads.sent(peer, event.bytes, now, effects);
        break;
      }
      case "serveFailed": {
        const peer = this.#peers.get(event.peer);
        if (peer !== undefined) this.#uploads.serveFailed(peer, event.block, effects);
        break;
      }
      case "pieceHashed":
        this.#pieceHashed(event.piece, event.digest, now, effects);
        break;
      case "pieceChecked":
        if (this.#downloads.checked(event.piece, event.isRight)) this.#verified(event.piece, effects);
        else this.#fillAll(now, effects);
        break;
      case "blocksHashed":
        this.#settle(event.piece, this.#downloads.blocksHashed(event.piece, event.digests), now, effects);
        break;
      case "paused":
        this.#downloads.receiveClock.setPaused(event.paused, now);
        break;
      case "ticked":
        this.#tick(now, effects);
        break;
      default:
        assertNever(event);
    }
    return effects;
  }

  status(now: number): TransferStatus {
    let seeds = 0;
    for (const peer of this.#peers.values()) if (peer.bitfield.isFull) seeds++;
    return {
      completedBytes: this.#geometry.bytesOf(this.#have),
      isComplete: this.isComplete,
      downloadRate: this.#downloads.rate(now),
      uploadRate: this.#uploads.rate(now),
      downloaded: this.#downloads.downloaded,
      uploaded: this.#uploads.uploaded,
      wasted: this.#downloads.wasted,
      wrongInARow: this.#downloads.wrongInARow,
      peers: this.#peers.size,
      seeds,
    };
  }

  /** The state of a connected peer. Read only. */
  peer(handle: PeerHandle): Readonly<PeerState> | undefined {
    return this.#peers.get(handle);
  }

  #join(event: TransferEvent & { type: "peerJoined" }, now: number, effects: TransferEffect[]): void {
    const { peer: handle, fast, otherClient = false } = event;
    const peer = new PeerState(handle, fast, this.#geometry, this.#downloads.receiveClock.at(now));
    if (otherClient) peer.window.setTargetDelay(OTHER_CLIENT_TARGET_DELAY_MS);
    this.#peers.set(handle, peer);
    this.#downloads.picker.addPeer(peer);
    for (const message of firstMessages(this.#have, event))
      effects.push({ type: "send", peer: handle, message });
  }

  #leave(handle: PeerHandle, now: number, effects: TransferEffect[]): void {
    const peer = this.#peers.get(handle);
    if (peer === undefined) return;
    this.#peers.delete(handle);
    this.#downloads.releaseAll(peer);
    this.#downloads.picker.removePeer(peer);
    this.#uploads.remove(peer);
    this.#uploads.fillSlots(this.#peers.values(), now, effects);
    this.#fillAll(now, effects);
  }

  #receive(peer: PeerState, message: PeerMessage, now: number, effects: TransferEffect[]): void {
    switch (message.type) {
      case "choke":
        peer.peerChoking = true;
        this.#downloads.choked(peer);
        this.#fillAll(now, effects);
        break;
      case "unchoke":
        peer.peerChoking = false;
        this.#downloads.unchoked(peer, this.#peers.values(), now);
        this.#fill(peer, now, effects);
        break;
      case "interested":
      case "notInterested":
        peer.peerInterested = message.type === "interested";
        this.#uploads.fillSlots(this.#peers.values(), now, effects);
        break;
      case "have":
        if (this.#downloads.picker.peerHas(peer, message.piece)) {
          this.#uploads.announced(peer, message.piece, now, effects);
          this.#updateInterest(peer, effects);
          this.#fill(peer, now, effects);
        }
        break;
      case "bitfield":
        this.#learnBitfield(peer, Bitfield.parse(message.bytes, this.#geometry.pieceCount), now, effects);
        break;
      case "haveAll":
        this.#learnBitfield(peer, Bitfield.full(this.#geometry.pieceCount), now, effects);
        break;
      case "request":
        this.#uploads.request(peer, message.block, now, effects);
        break;
      case "cancel":
        this.#uploads.cancel(peer, message.block, effects);
        break;
      case "block":
        this.#downloads.received(peer, message.block, this.#peers, now, effects);
        this.#fill(peer, now, effects);
        break;
      case "reject":
        this.#downloads.rejected(peer, message.block, now);
        break;
      case "suggest":
        this.#downloads.suggested(peer, message.piece, now);
        this.#fill(peer, now, effects);
        break;
      case "haveNone":
      case "allowedFast":
        break;
      default:
        assertNever(message);
    }
  }

  /** `bits` is undefined when the length of the bitfield does not fit the torrent. */
  #learnBitfield(peer: PeerState, bits: Bitfield | undefined, now: number, effects: TransferEffect[]): void {
    if (bits === undefined) {
      effects.push({ type: "closePeer", peer: peer.handle, fault: "badBitfield" });
      return;
    }
    if (peer.bitfield.isEmpty) {
      peer.bitfield = bits;
      this.#downloads.picker.peerHasMany(peer);
    } else {
      // A later bitfield counts as haves: a peer cannot lose pieces.
      bits.forEachSet((index) => this.#downloads.picker.peerHas(peer, pieceIndex(index)));
    }
    this.#updateInterest(peer, effects);
    this.#fill(peer, now, effects);
  }

  #pieceHashed(piece: PieceIndex, digest: Uint8Array, now: number, effects: TransferEffect[]): void {
    const result = this.#downloads.hashed(piece, digest, effects);
    if (result.state === "disputed") return;
    if (result.state === "failed") return this.#settle(piece, result, now, effects);
    this.#verified(piece, effects);
  }

  #verified(piece: PieceIndex, effects: TransferEffect[]): void {
    effects.push({ type: "pieceVerified", piece });
    const message: PeerMessage = { type: "have", piece };
    for (const peer of this.#peers.values()) {
      // A peer that has the piece needs no have, but a super-seeding peer must see which pieces have arrived.
      if (!peer.bitfield.get(piece) || peer.hasSuggested)
        effects.push({ type: "send", peer: peer.handle, message });
      this.#updateInterest(peer, effects);
    }
    if (this.isComplete) effects.push({ type: "completed" });
  }

  /** After a failed hash, and when the dispute about a piece is settled. Culprits that have disconnected are banned. */
  #settle(piece: PieceIndex, { state, culprits }: HashResult, now: number, effects: TransferEffect[]): void {
    if (state === "failed") effects.push({ type: "pieceFailed", piece });
    for (const culprit of culprits) {
      const peer = peerHandle(culprit);
      if (this.#peers.has(peer)) effects.push({ type: "closePeer", peer, fault: "hashMismatch" });
      else effects.push({ type: "banDisconnected", peer });
    }
    this.#fillAll(now, effects);
  }

  #updateInterest(peer: PeerState, effects: TransferEffect[]): void {
    const interested = peer.wanted > 0;
    if (interested === peer.amInterested) return;
    peer.amInterested = interested;
    effects.push({
      type: "send",
      peer: peer.handle,
      message: { type: interested ? "interested" : "notInterested" },
    });
  }

  #tick(now: number, effects: TransferEffect[]): void {
    this.#uploads.tick(this.#peers.values(), now, effects);
    this.#uploads.fillSlots(this.#peers.values(), now, effects);
    this.#uploads.serve(now, effects);
    if (this.isComplete) return;
    for (const peer of this.#peers.values()) this.#downloads.checkSnubbed(peer, now);
    this.#fillInTurns(now, effects);
  }

  /** Fills the windows of snubbed peers last. Under a download limit a turn is one request, so that all peers share it. */
  #fillInTurns(now: number, effects: TransferEffect[]): void {
    const peers = [...this.#peers.values()].toSorted((a, b) => Number(a.snubbed) - Number(b.snubbed));
    if (!this.#paced) {
      for (const peer of peers) this.#downloads.fill(peer, now, effects);
      return;
    }
    for (let idleTurns = 0; idleTurns < peers.length; idleTurns++) {
      const peer = peers[this.#nextTurn++ % peers.length];
      const before = effects.length;
      if (peer !== undefined) this.#downloads.fill(peer, now, effects, 1);
      if (effects.length > before) idleTurns = -1;
    }
  }

  #fill(peer: PeerState, now: number, effects: TransferEffect[]): void {
    if (!this.#paced) this.#downloads.fill(peer, now, effects);
  }

  #fillAll(now: number, effects: TransferEffect[]): void {
    if (!this.#paced && !this.isComplete) this.#fillInTurns(now, effects);
  }
}
