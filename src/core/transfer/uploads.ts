// The upload half of a transfer: answers requests and chokes. It decides which block leaves when; the shell reads and sends.
// Under a rate limit peers take turns block by block, so that they share it fairly; a run counts as many turns as it has
// blocks.
import type { Bitfield } from "../torrent/bitfield.ts";
import { chooseOptimistic, chooseUnchoked, uploadSlots, type ChokeCandidate } from "./choker.ts";
import { blocksIn, type Geometry } from "../torrent/geometry.ts";
import type { PeerHandle, PieceIndex } from "../torrent/ids.ts";
import {
  MAX_BAD_REQUESTS,
  MAX_PACED_UPLOAD_IN_FLIGHT,
  MAX_UPLOAD_IN_FLIGHT,
  MIN_PACED_UPLOAD_IN_FLIGHT,
  OPTIMISTIC_UNCHOKE_MS,
  PACED_UPLOAD_MS,
  RECHOKE_MS,
} from "./limits.ts";
import { MAX_INBOUND_REQUESTS } from "../torrent/limits.ts";
import { BLOCK_HEADER_LENGTH, type Block } from "../torrent/peer-message.ts";
import type { PeerState } from "./peer-state.ts";
import { RateMeter } from "../rate/rate-meter.ts";
import { SuperSeeding } from "./super-seeding.ts";
import type { TokenBucket } from "../rate/token-bucket.ts";
import type { TransferEffect } from "./transfer-types.ts";

export class Uploads {
  readonly #geometry: Geometry;
  readonly #have: Bitfield;
  readonly #bucket: TokenBucket;
  readonly #random: () => number;
  readonly #meter = new RateMeter();
  /** Under a rate limit: peers with queued requests, in the order of their turns. */
  #roundRobin: PeerState[] = [];
  readonly #unchoked = new Set<PeerState>();
  /** Undefined unless we had the whole file from the start. */
  readonly #superSeeding: SuperSeeding | undefined;
  /** Bytes in flight to one peer under a rate limit, at most. */
  readonly #pacedInFlight: number;
  #optimistic: PeerHandle | undefined;
  #rechokeAt: number;
  #optimisticAt: number;
  /** Payload bytes that sockets took. */
  uploaded = 0;

  /** `leecherHas`: a connected leecher has the piece. */
  constructor(
    geometry: Geometry,
    have: Bitfield,
    bucket: TokenBucket,
    random: () => number,
    now: number,
    leecherHas: (piece: PieceIndex) => boolean,
  ) {
    if (have.isFull) this.#superSeeding = new SuperSeeding(geometry.pieceCount, leecherHas, random);
    this.#geometry = geometry;
    this.#have = have;
    this.#bucket = bucket;
    this.#pacedInFlight = Math.max(
      MIN_PACED_UPLOAD_IN_FLIGHT,
      Math.min(MAX_PACED_UPLOAD_IN_FLIGHT, bucket.bytesIn(PACED_UPLOAD_MS)),
    );
    this.#random = random;
    this.#rechokeAt = now + RECHOKE_MS;
    this.#optimisticAt = now + OPTIMISTIC_UNCHOKE_MS;
  }

  rate(now: number): number {
    return this.#meter.rate(now);
  }

  request(peer: PeerState, block: Block, now: number, effects: TransferEffect[]): void {
    if (peer.amChoking || !this.#have.get(block.piece) || peer.uploads.length >= MAX_INBOUND_REQUESTS) {
      // Some refused requests are honest, because a request may cross our choke; a flood of them is not.
      if (++peer.badRequests > MAX_BAD_REQUESTS) {
        effects.push({ type: "closePeer", peer: peer.handle, fault: "badRequest" });
      } else this.#reject(peer, block, effects);
      return;
    }
    if (this.#bucket.isUnlimited && peer.uploadInFlight < MAX_UPLOAD_IN_FLIGHT) {
      // The queue is empty: #feed leaves no request in it while there is room in flight.
      this.#order(peer, block, effects);
    } else {
      if (!this.#bucket.isUnlimited && peer.uploads.length === 0) this.#roundRobin.push(peer);
      peer.uploads.push(block);
    }
    if (this.#superSeeding?.requested(peer.handle, block.piece, now) === true)
      this.#suggest(peer, now, effects);
  }

  /** The peer cancels a request. A block that is in flight already is not affected. */
  cancel(peer: PeerState, block: Block, effects: TransferEffect[]): void {
    if (!peer.uploads.remove(block)) return;
    if (peer.uploads.length === 0) this.#leaveRoundRobin(peer);
    // BEP 6: every request is answered; a cancelled one with a reject.
    this.#reject(peer, block, effects);
  }

  /** The peer's socket took payload bytes: there is room in flight. */
  sent(peer: PeerState, bytes: number, now: number, effects: TransferEffect[]): void {
    peer.uploadInFlight = Math.max(0, peer.uploadInFlight - bytes);
    peer.uploaded += bytes;
    this.uploaded += bytes;
    this.#meter.add(bytes, now);
    this.#feed(peer, effects);
  }

  /** The block could not be read. */
  serveFailed(peer: PeerState, block: Block, effects: TransferEffect[]): void {
    peer.uploadInFlight = Math.max(0, peer.uploadInFlight - block.length);
    this.#reject(peer, block, effects);
    this.#feed(peer, effects);
  }

  /** Orders queued blocks while there is room in flight. Without a rate limit peers do not wait for one another. O(blocks). */
  #feed(peer: PeerState, effects: TransferEffect[]): void {
    if (!this.#bucket.isUnlimited) return;
    while (peer.uploadInFlight < MAX_UPLOAD_IN_FLIGHT) {
      const block = peer.uploads.shift();
      if (block === undefined) return;
      this.#order(peer, block, effects);
    }
  }

  #order(peer: PeerState, block: Block, effects: TransferEffect[]): void {
    peer.uploadInFlight += block.length;
    effects.push({ type: "serveBlock", peer: peer.handle, block });
  }

  /**
   * Under a rate limit: orders blocks while there are tokens, one request a turn; after a run its peer sits out as many turns
   * as the run has further blocks. Only ticks call this, so that all transfers of the process share the limit equally.
   */
  serve(now: number, effects: TransferEffect[]): void {
    let idleTurns = 0;
    while (this.#roundRobin.length > 0 && idleTurns < this.#roundRobin.length) {
      const peer = this.#roundRobin[0];
      const block = peer?.uploads.peek();
      if (peer === undefined || block === undefined) {
        this.#roundRobin.shift();
        continue;
      }
      if (peer.turnsToSkip > 0) {
        idleTurns = 0;
        peer.turnsToSkip--;
      } else if (peer.uploadInFlight >= this.#pacedInFlight) idleTurns++;
      else {
        if (!this.#bucket.take(block.length + BLOCK_HEADER_LENGTH, now)) return;
        idleTurns = 0;
        peer.turnsToSkip = blocksIn(block.length) - 1;
        peer.uploads.shift();
        this.#order(peer, block, effects);
      }
      this.#roundRobin.shift();
      if (peer.uploads.length > 0) this.#roundRobin.push(peer);
    }
  }

  /** The peer sent a have. */
  announced(peer: PeerState, piece: PieceIndex, now: number, effects: TransferEffect[]): void {
    this.#superSeeding?.announced(peer.handle, piece, now);
    if (this.#superSeeding?.needsSuggestions(peer.handle) === true) this.#suggest(peer, now, effects);
  }

  #suggest(peer: PeerState, now: number, effects: TransferEffect[]): void {
    // To a single unchoked peer the order of the pieces does not matter.
    if (this.#superSeeding === undefined || !peer.fast || peer.amChoking || this.#unchoked.size < 2) return;
    for (const piece of this.#superSeeding.next(peer.handle, peer.bitfield, now)) {
      effects.push({ type: "send", peer: peer.handle, message: { type: "suggest", piece } });
    }
  }

  /** The peer disconnected. */
  remove(peer: PeerState): void {
    this.#unchoked.delete(peer);
    peer.uploads.clear();
    this.#superSeeding?.release(peer.handle);
    this.#leaveRoundRobin(peer);
    if (this.#optimistic === peer.handle) this.#optimistic = undefined;
  }

  /** Between rounds: unchokes interested peers while slots are free. Only peers without interest are choked for it. */
  fillSlots(peers: Iterable<PeerState>, now: number, effects: TransferEffect[]): void {
    const waiting: PeerState[] = [];
    let interested = 0;
    for (const peer of peers) {
      if (!peer.peerInterested) continue;
      interested++;
      if (peer.amChoking) waiting.push(peer);
    }
    if (waiting.length === 0) return;
    let free = this.#slots(interested, now) + 1 - this.#unchoked.size;
    for (const peer of this.#unchoked) {
      if (free >= waiting.length) break;
      if (peer.peerInterested) continue;
      this.#choke(peer, effects);
      free++;
    }
    if (free <= 0) return;
    for (const peer of waiting.toSorted((a, b) => a.uploaded - b.uploaded).slice(0, free)) {
      this.#unchoke(peer, now, effects);
    }
  }

  /** Runs the timers of the choker, 10 s and 30 s (BEP 3). */
  tick(peers: Iterable<PeerState>, now: number, effects: TransferEffect[]): void {
    this.#reassignSlow(now, effects);
    if (now < this.#rechokeAt) return;
    this.#rechokeAt = now + RECHOKE_MS;
    const all = [...peers];
    const candidates = all.map((peer): ChokeCandidate => ({
      handle: peer.handle,
      interested: peer.peerInterested,
      uploaded: peer.uploaded,
      uploadedLastRound: peer.uploaded - peer.uploadedAtLastRound,
      unchoked: !peer.amChoking,
    }));
    if (now >= this.#optimisticAt) {
      this.#optimisticAt = now + OPTIMISTIC_UNCHOKE_MS;
      this.#optimistic = chooseOptimistic(candidates, this.#random) ?? this.#optimistic;
    }
    const interested = candidates.filter((candidate) => candidate.interested).length;
    const chosen = chooseUnchoked(candidates, this.#slots(interested, now), this.#optimistic);
    for (const peer of all) {
      peer.uploadedAtLastRound = peer.uploaded;
      if (chosen.has(peer.handle)) this.#unchoke(peer, now, effects);
      else this.#choke(peer, effects);
    }
  }

  /** A piece that a peer is slow to fetch can be reassigned without any event: ticks look for it. */
  #reassignSlow(now: number, effects: TransferEffect[]): void {
    if (this.#superSeeding === undefined || this.#superSeeding.isExhausted) return;
    for (const peer of this.#unchoked) {
      if (this.#superSeeding.needsSuggestions(peer.handle)) this.#suggest(peer, now, effects);
    }
  }

  #slots(interested: number, now: number): number {
    return uploadSlots(this.#meter.rate(now), this.#geometry.pieceLength, interested);
  }

  #unchoke(peer: PeerState, now: number, effects: TransferEffect[]): void {
    if (!peer.amChoking) return;
    peer.amChoking = false;
    this.#unchoked.add(peer);
    peer.badRequests = 0;
    // Suggestions precede the unchoke, or the peer would request other pieces first. With a second unchoked peer the first
    // one gets suggestions too.
    if (this.#unchoked.size > 2) this.#suggest(peer, now, effects);
    else for (const other of this.#unchoked) this.#suggest(other, now, effects);
    effects.push({ type: "send", peer: peer.handle, message: { type: "unchoke" } });
  }

  #choke(peer: PeerState, effects: TransferEffect[]): void {
    if (peer.amChoking) return;
    peer.amChoking = true;
    this.#unchoked.delete(peer);
    effects.push({ type: "send", peer: peer.handle, message: { type: "choke" } });
    for (let block = peer.uploads.shift(); block !== undefined; block = peer.uploads.shift()) {
      this.#reject(peer, block, effects);
    }
    peer.uploads.clear();
    this.#superSeeding?.release(peer.handle);
    this.#leaveRoundRobin(peer);
  }

  #reject(peer: PeerState, block: Block, effects: TransferEffect[]): void {
    if (peer.fast) effects.push({ type: "send", peer: peer.handle, message: { type: "reject", block } });
  }

  #leaveRoundRobin(peer: PeerState): void {
    this.#roundRobin = this.#roundRobin.filter((other) => other !== peer);
  }
}
