// How a seed hands out the first copy: it suggests each piece that no leecher has to one peer alone (BEP 6), so that its
// link is not spent on the same piece twice while others have never left it. What a peer is slow to fetch goes to one
// that waits. Assignment only: whoever asks for something else gets it. Knows neither requests' blocks nor links.
import type { Bitfield } from "../torrent/bitfield.ts";
import { type PeerHandle, type PieceIndex, pieceIndex } from "../torrent/ids.ts";
import {
  FIRST_SUGGESTIONS_AHEAD,
  MAX_SUGGESTIONS_AHEAD,
  SUGGESTION_GROWTH_MS,
  SUGGESTION_PATIENCE,
} from "./limits.ts";

/** What one peer was told. */
interface Assignment {
  /** Suggested, not taken back and not yet announced by the peer; when it asked for the first block, if it did. */
  readonly assigned: Map<PieceIndex, number | undefined>;
  /** Those of `assigned` it has asked no block of. */
  readonly unused: Set<PieceIndex>;
  /** How many `unused` should be. */
  ahead: number;
  /** When it last got some. */
  assignedAt: number;
  /** Running average of the time from its first request for a piece to its announcement; infinite until there was one. */
  pieceMs: number;
}

/** Weight of the newest piece in the running average. */
const PIECE_WEIGHT = 1 / 4;

export class SuperSeeding {
  /** Pieces to suggest, in the order in which they are taken from the end; some are known to be out by now. */
  readonly #pool: PieceIndex[] = [];
  readonly #assignments = new Map<PeerHandle, Assignment>();
  readonly #isOut: (piece: PieceIndex) => boolean;

  /** `isOut`: an incomplete peer has the piece. */
  constructor(pieceCount: number, isOut: (piece: PieceIndex) => boolean, random: () => number) {
    this.#isOut = isOut;
    for (let i = 0; i < pieceCount; i++) {
      // A random order, so that several seeds begin with different pieces.
      const at = Math.floor(random() * (i + 1));
      this.#pool.push(this.#pool[at] ?? pieceIndex(i));
      this.#pool[at] = pieceIndex(i);
    }
  }

  /** The peer may ask us for blocks. @returns the pieces to suggest to it now, so that it has some ahead. */
  next(peer: PeerHandle, has: Bitfield, now: number): PieceIndex[] {
    const fresh: PieceIndex[] = [];
    const assignment = this.#assignments.get(peer) ?? {
      assigned: new Map(),
      unused: new Set(),
      ahead: FIRST_SUGGESTIONS_AHEAD,
      assignedAt: Number.NEGATIVE_INFINITY,
      pieceMs: Number.POSITIVE_INFINITY,
    };
    if (assignment.unused.size === 0 && now - assignment.assignedAt < SUGGESTION_GROWTH_MS)
      assignment.ahead = Math.min(MAX_SUGGESTIONS_AHEAD, assignment.ahead + 1);
    while (assignment.unused.size < assignment.ahead) {
      let piece = this.#take(has);
      if (piece === undefined && assignment.unused.size === 0) piece = this.#reassign(peer, has, now);
      if (piece === undefined) break;
      assignment.assigned.set(piece, undefined);
      assignment.unused.add(piece);
      fresh.push(piece);
    }
    if (fresh.length > 0) assignment.assignedAt = now;
    if (assignment.assigned.size > 0) this.#assignments.set(peer, assignment);
    return fresh;
  }

  /** The peer asked for a block of the piece. @returns true when it can use another suggestion. */
  used(peer: PeerHandle, piece: PieceIndex, now: number): boolean {
    const assignment = this.#assignments.get(peer);
    if (assignment?.unused.delete(piece) !== true) return false;
    assignment.assigned.set(piece, now);
    return true;
  }

  /** The peer announced the piece. */
  arrived(peer: PeerHandle, piece: PieceIndex, now: number): void {
    const assignment = this.#assignments.get(peer);
    if (assignment === undefined) return;
    const askedAt = assignment.assigned.get(piece);
    if (askedAt !== undefined) {
      const took = now - askedAt;
      const known = Number.isFinite(assignment.pieceMs);
      assignment.pieceMs = known ? assignment.pieceMs + (took - assignment.pieceMs) * PIECE_WEIGHT : took;
    }
    assignment.assigned.delete(piece);
    assignment.unused.delete(piece);
  }

  /** True when the peer can use a suggestion. */
  isIdle(peer: PeerHandle): boolean {
    const assignment = this.#assignments.get(peer);
    return assignment === undefined || assignment.unused.size < assignment.ahead;
  }

  /** Nothing is left to suggest, and nothing that was suggested is on its way. O(peers). */
  get isExhausted(): boolean {
    if (this.#pool.length > 0) return false;
    for (const assignment of this.#assignments.values()) if (assignment.assigned.size > 0) return false;
    return true;
  }

  /** The peer left or was choked: others get what it did not fetch. */
  release(peer: PeerHandle): void {
    const assignment = this.#assignments.get(peer);
    if (assignment === undefined) return;
    this.#assignments.delete(peer);
    for (const piece of assignment.assigned.keys()) if (!this.#isOut(piece)) this.#pool.push(piece);
  }

  #take(has: Bitfield): PieceIndex | undefined {
    for (;;) {
      const piece = this.#pool.pop();
      if (piece === undefined || !(this.#isOut(piece) || has.get(piece))) return piece;
    }
  }

  /**
   * Every piece was handed out: one that its peer has not begun, of the peer that has most of them; or else the one that
   * is on its way for longest, when this peer would long have had it. O(peers).
   */
  #reassign(peer: PeerHandle, has: Bitfield, now: number): PieceIndex | undefined {
    const patience = SUGGESTION_PATIENCE * (this.#assignments.get(peer)?.pieceMs ?? Number.POSITIVE_INFINITY);
    /** Whoever has most to begin, and whoever has the oldest piece on its way. */
    let longest: Assignment | undefined;
    let latest: Assignment | undefined;
    let oldest: PieceIndex | undefined;
    let oldestAt = now - patience;
    for (const [other, assignment] of this.#assignments) {
      if (other === peer) continue;
      for (const [piece, askedAt] of assignment.assigned) {
        if (this.#isOut(piece)) {
          assignment.assigned.delete(piece);
          assignment.unused.delete(piece);
        } else if (askedAt !== undefined && askedAt < oldestAt && !has.get(piece)) {
          latest = assignment;
          oldest = piece;
          oldestAt = askedAt;
        }
      }
      if (assignment.unused.size > (longest?.unused.size ?? 0)) longest = assignment;
    }
    // The one it would come to last.
    const unbegun = [...(longest?.unused ?? [])].findLast((piece) => !has.get(piece));
    if (unbegun !== undefined) {
      longest?.unused.delete(unbegun);
      longest?.assigned.delete(unbegun);
    } else if (oldest !== undefined) latest?.assigned.delete(oldest);
    return unbegun ?? oldest;
  }
}
