// Super-seeding by suggestions (BEP 6) rather than by hidden pieces (BEP 16): a seed suggests each piece that no leecher has
// to one peer alone, so that its uplink does not send a piece twice while other pieces have never left the seed. A piece
// that its peer is slow to fetch is reassigned to a peer that waits. Suggestions only: requests for other pieces are served
// as well.
import type { Bitfield } from "../torrent/bitfield.ts";
import { type PeerHandle, type PieceIndex, pieceIndex } from "../torrent/ids.ts";
import {
  FIRST_UNREQUESTED_SUGGESTIONS,
  MAX_UNREQUESTED_SUGGESTIONS,
  SUGGESTION_GROWTH_MS,
  REASSIGN_PIECE_TIMES,
} from "./limits.ts";

/** The pieces suggested to one peer. */
interface Assignment {
  /** Suggested and not yet announced by the peer, with the time of its first request for the piece, if any. */
  readonly assigned: Map<PieceIndex, number | undefined>;
  /** Pieces of `assigned` without a request. */
  readonly unrequested: Set<PieceIndex>;
  /** The size that `unrequested` is filled up to. */
  target: number;
  /** When the peer was last assigned a piece. */
  assignedAt: number;
  /** Running average of the time from its first request for a piece to its have; infinite until the first have. */
  pieceMs: number;
}

/** Weight of the newest piece in the running average. */
const PIECE_WEIGHT = 1 / 4;

export class SuperSeeding {
  /** Pieces to suggest, taken from the end. Some may be at a leecher already: #take skips those. */
  readonly #pool: PieceIndex[] = [];
  readonly #assignments = new Map<PeerHandle, Assignment>();
  readonly #leecherHas: (piece: PieceIndex) => boolean;

  /** `leecherHas`: a connected leecher has the piece. */
  constructor(pieceCount: number, leecherHas: (piece: PieceIndex) => boolean, random: () => number) {
    this.#leecherHas = leecherHas;
    for (let i = 0; i < pieceCount; i++) {
      // A random order, so that several seeds begin with different pieces.
      const at = Math.floor(random() * (i + 1));
      this.#pool.push(this.#pool[at] ?? pieceIndex(i));
      this.#pool[at] = pieceIndex(i);
    }
  }

  /** Assigns pieces to an unchoked peer until it has `target` unrequested ones. @returns the new ones, to suggest. */
  next(peer: PeerHandle, has: Bitfield, now: number): PieceIndex[] {
    const fresh: PieceIndex[] = [];
    const assignment = this.#assignments.get(peer) ?? {
      assigned: new Map(),
      unrequested: new Set(),
      target: FIRST_UNREQUESTED_SUGGESTIONS,
      assignedAt: Number.NEGATIVE_INFINITY,
      pieceMs: Number.POSITIVE_INFINITY,
    };
    if (assignment.unrequested.size === 0 && now - assignment.assignedAt < SUGGESTION_GROWTH_MS)
      assignment.target = Math.min(MAX_UNREQUESTED_SUGGESTIONS, assignment.target + 1);
    while (assignment.unrequested.size < assignment.target) {
      let piece = this.#take(has);
      if (piece === undefined && assignment.unrequested.size === 0) piece = this.#reassign(peer, has, now);
      if (piece === undefined) break;
      assignment.assigned.set(piece, undefined);
      assignment.unrequested.add(piece);
      fresh.push(piece);
    }
    if (fresh.length > 0) assignment.assignedAt = now;
    if (assignment.assigned.size > 0) this.#assignments.set(peer, assignment);
    return fresh;
  }

  /** The peer requested a block of the piece. @returns true for the first request of an assigned piece. */
  requested(peer: PeerHandle, piece: PieceIndex, now: number): boolean {
    const assignment = this.#assignments.get(peer);
    if (assignment?.unrequested.delete(piece) !== true) return false;
    assignment.assigned.set(piece, now);
    return true;
  }

  /** The peer sent a have for the piece. */
  announced(peer: PeerHandle, piece: PieceIndex, now: number): void {
    const assignment = this.#assignments.get(peer);
    if (assignment === undefined) return;
    const requestedAt = assignment.assigned.get(piece);
    if (requestedAt !== undefined) {
      const took = now - requestedAt;
      const known = Number.isFinite(assignment.pieceMs);
      assignment.pieceMs = known ? assignment.pieceMs + (took - assignment.pieceMs) * PIECE_WEIGHT : took;
    }
    assignment.assigned.delete(piece);
    assignment.unrequested.delete(piece);
  }

  /** True when the peer has fewer unrequested suggestions than it should. */
  needsSuggestions(peer: PeerHandle): boolean {
    const assignment = this.#assignments.get(peer);
    return assignment === undefined || assignment.unrequested.size < assignment.target;
  }

  /** True when no piece is left to suggest and every suggested piece was announced. O(peers). */
  get isExhausted(): boolean {
    if (this.#pool.length > 0) return false;
    for (const assignment of this.#assignments.values()) if (assignment.assigned.size > 0) return false;
    return true;
  }

  /** The peer left or was choked: its pieces return to the pool. */
  release(peer: PeerHandle): void {
    const assignment = this.#assignments.get(peer);
    if (assignment === undefined) return;
    this.#assignments.delete(peer);
    for (const piece of assignment.assigned.keys()) if (!this.#leecherHas(piece)) this.#pool.push(piece);
  }

  /** @returns a piece from the pool that neither a leecher nor the peer has. */
  #take(has: Bitfield): PieceIndex | undefined {
    for (;;) {
      const piece = this.#pool.pop();
      if (piece === undefined || !(this.#leecherHas(piece) || has.get(piece))) return piece;
    }
  }

  /**
   * The pool is empty: takes the last unrequested piece of the peer with most of them. If there is none, takes the piece whose
   * first request is oldest, when this peer would have fetched REASSIGN_PIECE_TIMES pieces meanwhile. O(peers).
   */
  #reassign(peer: PeerHandle, has: Bitfield, now: number): PieceIndex | undefined {
    const minAgeMs =
      REASSIGN_PIECE_TIMES * (this.#assignments.get(peer)?.pieceMs ?? Number.POSITIVE_INFINITY);
    let mostUnrequested: Assignment | undefined;
    let slowest: Assignment | undefined;
    let slowestPiece: PieceIndex | undefined;
    let oldestRequest = now - minAgeMs;
    for (const [other, assignment] of this.#assignments) {
      if (other === peer) continue;
      for (const [piece, requestedAt] of assignment.assigned) {
        if (this.#leecherHas(piece)) {
          assignment.assigned.delete(piece);
          assignment.unrequested.delete(piece);
        } else if (requestedAt !== undefined && requestedAt < oldestRequest && !has.get(piece)) {
          slowest = assignment;
          slowestPiece = piece;
          oldestRequest = requestedAt;
        }
      }
      if (assignment.unrequested.size > (mostUnrequested?.unrequested.size ?? 0))
        mostUnrequested = assignment;
    }
    // The last one, because a peer requests its suggestions in order.
    const unrequested = [...(mostUnrequested?.unrequested ?? [])].findLast((piece) => !has.get(piece));
    if (unrequested !== undefined) {
      mostUnrequested?.unrequested.delete(unrequested);
      mostUnrequested?.assigned.delete(unrequested);
    } else if (slowestPiece !== undefined) slowest?.assigned.delete(slowestPiece);
    return unrequested ?? slowestPiece;
  }
}
