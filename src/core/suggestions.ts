// How a seed hands out the first copy: it suggests each piece that no leecher has to one peer alone (BEP 6), so that its
// link is not spent on the same piece twice while others have never left it. Advice only: whoever asks for something
// else gets it. Knows neither requests' blocks nor links.
import type { Bitfield } from "./bitfield.ts";
import { type PeerHandle, type PieceIndex, pieceIndex } from "./ids.ts";
import { FIRST_SUGGESTIONS_AHEAD, MAX_SUGGESTIONS_AHEAD } from "./limits.ts";

/** What one peer was told. */
interface Advice {
  /** Suggested, and not yet announced by the peer. */
  readonly given: Set<PieceIndex>;
  /** Those of `given` it has asked no block of. */
  readonly unused: Set<PieceIndex>;
  /** How many `unused` should be: one more each time that the peer has used up all of them. */
  ahead: number;
}

export class Suggestions {
  /** Pieces to suggest, in the order in which they are taken from the end; some are known to be out by now. */
  readonly #pool: PieceIndex[] = [];
  readonly #advice = new Map<PeerHandle, Advice>();
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
  next(peer: PeerHandle, has: Bitfield): PieceIndex[] {
    const fresh: PieceIndex[] = [];
    const advice = this.#advice.get(peer) ?? {
      given: new Set(),
      unused: new Set(),
      ahead: FIRST_SUGGESTIONS_AHEAD - 1,
    };
    if (advice.unused.size === 0) advice.ahead = Math.min(MAX_SUGGESTIONS_AHEAD, advice.ahead + 1);
    while (advice.unused.size < advice.ahead) {
      const piece = this.#take(has);
      if (piece === undefined) break;
      advice.given.add(piece);
      advice.unused.add(piece);
      fresh.push(piece);
    }
    if (advice.given.size > 0) this.#advice.set(peer, advice);
    return fresh;
  }

  /** The peer asked for a block of the piece. @returns true when it can use another suggestion. */
  used(peer: PeerHandle, piece: PieceIndex): boolean {
    return this.#advice.get(peer)?.unused.delete(piece) ?? false;
  }

  /** The peer announced the piece. */
  arrived(peer: PeerHandle, piece: PieceIndex): void {
    this.#advice.get(peer)?.given.delete(piece);
    this.used(peer, piece);
  }

  /** True when the peer can use a suggestion. */
  isIdle(peer: PeerHandle): boolean {
    const advice = this.#advice.get(peer);
    return advice === undefined || advice.unused.size < advice.ahead;
  }

  /** The peer left or was choked: others get what it did not fetch. */
  takeBack(peer: PeerHandle): void {
    const advice = this.#advice.get(peer);
    if (advice === undefined) return;
    this.#advice.delete(peer);
    for (const piece of advice.given) if (!this.#isOut(piece)) this.#pool.push(piece);
  }

  #take(has: Bitfield): PieceIndex | undefined {
    for (;;) {
      const piece = this.#pool.pop();
      if (piece === undefined || !(this.#isOut(piece) || has.get(piece))) return piece;
    }
  }
}
