// What a peer of another program must have by now: the pieces that it has announced, and the blocks that we have sent. Many programs announce
// no piece to a peer that has it, or leave as soon as they have the last block.
import { Bitfield } from "../torrent/bitfield.ts";
import type { Geometry } from "../torrent/geometry.ts";
import { type PieceIndex, pieceIndex } from "../torrent/ids.ts";
import { BLOCK_LENGTH } from "../torrent/limits.ts";
import type { Block } from "../torrent/peer-message.ts";
import { MAX_PARTLY_SENT_PIECES, MAX_RECENT_REQUESTS, RECENT_REQUEST_MS } from "./limits.ts";

/** The pieces that a peer has announced. */
export type Announced = Pick<Bitfield, "get" | "count">;

interface Requested {
  readonly block: Block;
  readonly at: number;
}

export class Coverage {
  readonly #geometry: Geometry;
  readonly #sent: Bitfield;
  /** The blocks of pieces that were not sent as a whole, the piece that was begun first in front. */
  readonly #partly = new Map<PieceIndex, Set<number>>();
  /** Oldest first. */
  readonly #requests: Requested[] = [];

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
    this.#sent = new Bitfield(geometry.pieceCount);
  }

  requested(block: Block, now: number): void {
    this.#requests.push({ block, at: now });
    if (this.#requests.length > MAX_RECENT_REQUESTS) this.#requests.shift();
  }

  sent({ piece, begin, length }: Block): void {
    if (this.#sent.get(piece)) return;
    const blocks = this.#partly.get(piece) ?? new Set();
    for (let at = begin; at < begin + length; at += BLOCK_LENGTH) blocks.add(Math.floor(at / BLOCK_LENGTH));
    this.#partly.delete(piece);
    if (blocks.size < this.#geometry.blockCount(piece)) {
      this.#partly.set(piece, blocks);
      const [oldest] = this.#partly.keys();
      if (this.#partly.size > MAX_PARTLY_SENT_PIECES && oldest !== undefined) this.#partly.delete(oldest);
    } else this.#sent.set(piece);
  }

  /** Every piece is announced or was sent. */
  isWhole(announced: Announced): boolean {
    const { pieceCount } = this.#geometry;
    if (announced.count + this.#sent.count < pieceCount) return false;
    return this.#missing(announced).next().done === true;
  }

  /** The same for a peer that closes its connection: what it requested last may have reached it. */
  isWholeAtClose(announced: Announced, now: number): boolean {
    const recent = new Map<PieceIndex, Set<number>>();
    for (const { block, at } of this.#requests) {
      if (now - at > RECENT_REQUEST_MS) continue;
      const blocks = recent.get(block.piece) ?? new Set(this.#partly.get(block.piece));
      for (let from = block.begin; from < block.begin + block.length; from += BLOCK_LENGTH)
        blocks.add(Math.floor(from / BLOCK_LENGTH));
      recent.set(block.piece, blocks);
    }
    for (const piece of this.#missing(announced)) {
      if ((recent.get(piece)?.size ?? 0) < this.#geometry.blockCount(piece)) return false;
    }
    return true;
  }

  *#missing(announced: Announced): Generator<PieceIndex> {
    for (let index = 0; index < this.#geometry.pieceCount; index++) {
      const piece = pieceIndex(index);
      if (!announced.get(piece) && !this.#sent.get(piece)) yield piece;
    }
  }
}
