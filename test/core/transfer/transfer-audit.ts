// A transfer with peers that do anything a peer may do, and a simple model that every effect is checked against: nothing is
// read from inside the transfer. Throws on a breach.
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import type { Geometry } from "../../../src/core/torrent/geometry.ts";
import { type PeerHandle, type PieceIndex, peerHandle } from "../../../src/core/torrent/ids.ts";
import { MAX_UPLOAD_IN_FLIGHT, SNUB_MS } from "../../../src/core/transfer/limits.ts";
import type { Block, PeerMessage } from "../../../src/core/torrent/peer-message.ts";
import { TokenBucket } from "../../../src/core/rate/token-bucket.ts";
import { Transfer } from "../../../src/core/transfer/transfer.ts";
import type { TransferEffect, TransferEvent } from "../../../src/core/transfer/transfer-types.ts";
import { AuditedPeer, type AuditedPeerOptions, isSame, nameOf, namesOf } from "../picker/audited-peer.ts";
import { DownloadModel } from "./download-model.ts";
import { must, OrderAudit } from "../picker/order-audit.ts";
import { BAD_DIGEST, GOOD_DIGEST, type Has } from "./transfer-fixture.ts";

export class AuditedTransfer {
  readonly geometry: Geometry;
  readonly peers = new Map<PeerHandle, AuditedPeer>();
  now = 0;
  readonly #transfer: Transfer;
  readonly #model: DownloadModel;
  readonly #audit: OrderAudit;
  #nextHandle = 1;

  constructor(geometry: Geometry, have: Has, random: () => number) {
    this.geometry = geometry;
    this.#model = new DownloadModel(this.geometry, have, this.peers);
    this.#audit = new OrderAudit(this.#model, this.peers);
    this.#transfer = new Transfer({
      geometry: this.geometry,
      expected: () => GOOD_DIGEST,
      have: this.#model.have.copy(),
      uploadBucket: new TokenBucket(0),
      downloadBucket: new TokenBucket(0),
      random,
      now: 0,
    });
  }

  get isComplete(): boolean {
    return this.#model.have.isFull;
  }

  /** Pieces to be hashed. */
  get verifying(): readonly PieceIndex[] {
    return this.#model.verifying;
  }

  join(options: AuditedPeerOptions & { readonly haveNoneSent: boolean }): AuditedPeer {
    const { fast, haveNoneSent, queueLimit, requestLength } = options;
    const handle = peerHandle(this.#nextHandle++);
    const peer = new AuditedPeer(handle, this.geometry.pieceCount, options, this.now);
    this.peers.set(handle, peer);
    const effects = this.#handle({ type: "peerJoined", peer: handle, fast, haveNoneSent });
    const messages = effects.flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
    const isComplete = announcedPieces(messages, this.geometry.pieceCount) === this.#model.have.count;
    must(isComplete, "every piece that we have is announced to a peer that joins");
    must(haveNoneSent || messages.length <= 1, "one message announces our pieces");
    must(!fast || haveNoneSent || messages.length === 1, "BEP 6 wants a first message about our pieces");
    this.#handle({ type: "peerQueueLimit", peer: handle, requests: queueLimit });
    if (requestLength !== undefined)
      this.#handle({ type: "peerRequestLength", peer: handle, bytes: requestLength });
    return peer;
  }

  leave(peer: AuditedPeer): void {
    peer.outstanding.clear();
    this.#model.releaseSoleSource(peer);
    this.peers.delete(peer.handle);
    this.#handle({ type: "peerLeft", peer: peer.handle });
  }

  receive(peer: AuditedPeer, message: PeerMessage): void {
    if (!this.peers.has(peer.handle)) return;
    this.#note(peer, message);
    const effects = this.#handle({ type: "received", peer: peer.handle, message });
    if (effects.some(({ type }) => type === "closePeer")) this.leave(peer);
    else if (message.type === "request" && !(peer.isUnchoked && this.#model.have.get(message.block.piece))) {
      // Without the fast extension there is no reject.
      if (!peer.fast) peer.pending.pop();
      must(peer.pending.length === 0 || peer.isUnchoked, "a request that is not allowed is answered at once");
      must(!effects.some(({ type }) => type === "serveBlock"), "a request that is not allowed is not served");
    } else if (message.type === "cancel") {
      must(effects.length <= 1, "a cancel is answered once");
      if (!peer.fast) peer.answered(message.block);
    }
  }

  /** The peer sends a block; its length may differ from that of the request. */
  deliver(peer: AuditedPeer, block: Block): void {
    const name = nameOf(block);
    const request = peer.outstanding.get(name)?.block;
    const isAsked = request !== undefined && isSame(request, block);
    const isExpired = !isAsked && peer.expired.get(name)?.length === block.length;
    if (isExpired) peer.expired.delete(name);
    else peer.outstanding.delete(name);
    peer.cancelled.delete(name);
    const isOfUse = this.geometry.blockIndex(block) !== undefined && !this.#model.isReceived(block);
    if (request !== undefined && !isExpired && !(isAsked && isOfUse)) this.#model.released(block.piece);
    const message = { type: "block", block } as const;
    const effects = this.#transfer.handle({ type: "received", peer: peer.handle, message }, this.now);
    const written = effects.flatMap((effect) => (effect.type === "writeBlock" ? [effect.block] : []));
    const isKept = written.length > 0;
    must(
      written.every((one) => isSame(one, block)),
      "what is written is what was received",
    );
    must(isKept || !isAsked || !isOfUse, `${name} is requested and missing: it is kept`);
    must(!isKept || ((isAsked || isExpired) && isOfUse), `${name} is not to be kept`);
    if (isKept) {
      for (const one of namesOf(block)) this.#model.received.set(one, peer.handle);
      peer.snubbed = false;
      peer.lastBlockAt = this.now;
    }
    this.#audit.check(effects, this.now);
    if (isKept && peer.choking) this.#model.releaseSoleSource(peer);
  }

  uploaded(peer: AuditedPeer): void {
    const block = peer.inFlight.shift();
    if (block !== undefined) this.#handle({ type: "uploaded", peer: peer.handle, bytes: block.length });
  }

  unreadable(peer: AuditedPeer): void {
    const block = peer.inFlight.pop();
    if (block === undefined) return;
    peer.pending.push(block);
    this.#handle({ type: "serveFailed", peer: peer.handle, block });
    if (!peer.fast) peer.answered(block);
    // The next request is served at the next tick.
    this.pass(0);
  }

  hashed(piece: PieceIndex, right: boolean): void {
    const digest = right ? GOOD_DIGEST : BAD_DIGEST;
    const isDisputed = !right && this.#model.contributorsOf(piece).size > 1;
    // A disputed piece is not requested before its blocks are digested.
    if (isDisputed)
      must(
        isDigestAlone(this.#handle({ type: "pieceHashed", piece, digest })),
        "a dispute orders the digests only",
      );
    const contributors = this.#model.hashed(piece, right);
    const effects = isDisputed
      ? this.#handle({ type: "blocksHashed", piece, digests: this.#blockDigests(piece) })
      : this.#handle({ type: "pieceHashed", piece, digest });
    const closed = effects.flatMap((effect) => (effect.type === "closePeer" ? [effect.peer] : []));
    const culprits = [...contributors].filter(
      (one) => !right && contributors.size === 1 && this.peers.has(one),
    );
    must(`${closed}` === `${culprits}`, "only the sole contributor of a failed piece is closed");
    const receivers = effects.flatMap((effect) =>
      effect.type === "send" && effect.message.type === "have" ? [effect.peer] : [],
    );
    const lacking = [...this.peers.values()].filter((peer) => right && !peer.bitfield.get(piece));
    must(
      `${receivers}` === `${lacking.map(({ handle }) => handle)}`,
      "a have goes to every peer that lacks the piece",
    );
    for (const handle of closed) {
      const peer = this.peers.get(handle);
      if (peer !== undefined) this.leave(peer);
    }
  }

  /** One tick after this time. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const peer of this.peers.values()) {
      const [oldest] = peer.outstanding.values();
      if (oldest === undefined || this.now - Math.max(oldest.at, peer.lastBlockAt) < SNUB_MS) continue;
      peer.snubbed = true;
      peer.expired.clear();
      for (const [name, { block }] of peer.outstanding) peer.expired.set(name, block);
      this.#forgetRequests(peer);
    }
    this.#handle({ type: "ticked" });
  }

  /** Checks what must hold between any two events. */
  checkInvariants(): void {
    for (const peer of this.peers.values()) {
      let wanted = false;
      peer.bitfield.forEachSet((piece) => (wanted ||= !this.#model.have.get(piece)));
      must(
        peer.amInterested === wanted,
        "we are interested in a peer exactly when it has a piece that we lack",
      );
      must(peer.isUnchoked || peer.pending.length === 0, "a choked peer has no pending request");
      const isFull = peer.bytesInFlight >= MAX_UPLOAD_IN_FLIGHT;
      must(peer.pending.length === 0 || isFull, "no request waits while there is room");
      for (const { block } of peer.outstanding.values())
        must(!this.#model.isReceived(block), `${nameOf(block)} is received and still requested`);
    }
  }

  /** Records the peer's message before the transfer receives it. */
  #note(peer: AuditedPeer, message: PeerMessage): void {
    switch (message.type) {
      case "bitfield":
      case "haveAll": {
        const { pieceCount } = this.geometry;
        const bits =
          message.type === "bitfield" ? Bitfield.parse(message.bytes, pieceCount) : Bitfield.full(pieceCount);
        peer.hasAnnounced = true;
        bits?.forEachSet((piece) => peer.bitfield.set(piece));
        break;
      }
      case "have":
        peer.hasAnnounced = true;
        peer.bitfield.set(message.piece);
        break;
      case "choke":
        peer.choking = true;
        if (peer.fast) this.#model.releaseSoleSource(peer);
        else this.#forgetRequests(peer);
        break;
      case "unchoke":
        peer.choking = false;
        peer.lastBlockAt = this.now;
        break;
      case "reject":
        if (peer.expired.get(nameOf(message.block))?.length === message.block.length)
          peer.expired.delete(nameOf(message.block));
        if (peer.outstanding.get(nameOf(message.block))?.block.length === message.block.length) {
          peer.outstanding.delete(nameOf(message.block));
          this.#model.released(message.block.piece);
        }
        break;
      case "request":
        peer.pending.push(message.block);
        break;
      default:
        break;
    }
  }

  #blockDigests(piece: PieceIndex): Uint8Array {
    return new Uint8Array(this.geometry.blockCount(piece) * GOOD_DIGEST.length);
  }

  #forgetRequests(peer: AuditedPeer): void {
    const pieces = [...peer.outstanding.values()].map(({ block }) => block.piece);
    peer.outstanding.clear();
    for (const piece of pieces) this.#model.released(piece);
    this.#model.releaseSoleSource(peer);
  }

  #handle(event: TransferEvent): TransferEffect[] {
    const effects = this.#transfer.handle(event, this.now);
    this.#audit.check(effects, this.now);
    return effects;
  }
}

function isDigestAlone(effects: readonly TransferEffect[]): boolean {
  return effects.length === 1 && effects[0]?.type === "digestBlocks";
}

/** Number of pieces that these messages announce; -1 for a bad bitfield. */
function announcedPieces(messages: readonly PeerMessage[], pieceCount: number): number {
  return messages.reduce((sum, message) => {
    if (message.type === "haveAll") return pieceCount;
    if (message.type === "bitfield") return Bitfield.parse(message.bytes, pieceCount)?.count ?? -1;
    return sum + (message.type === "have" ? 1 : 0);
  }, 0);
}
