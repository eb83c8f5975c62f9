// Keeps the pieces that are not started in order of rarity, so that finding the rarest needs no sorting. The pieces lie in
// one array, grouped into buckets by availability; a change of availability by one swaps a piece across the edge of its
// bucket. Complete peers are not counted: they have every piece and do not change the order.
import { assert, present } from "../../lib/assert.ts";
import { type PieceIndex, pieceIndex } from "../torrent/ids.ts";

export class RarityOrder {
  readonly #availability: Uint16Array;
  /** Pieces in the order, rarest first. */
  readonly #order: Uint32Array;
  /** Index of a piece in `#order`; -1 when it is not in it. */
  readonly #position: Int32Array;
  /** Bucket `a` is [#starts[a], #starts[a + 1]); buckets past the end are empty. */
  #starts: number[] = [0];
  #size = 0;

  constructor(pieceCount: number) {
    this.#availability = new Uint16Array(pieceCount);
    this.#order = new Uint32Array(pieceCount);
    this.#position = new Int32Array(pieceCount).fill(-1);
  }

  /** Number of pieces in the order. */
  get size(): number {
    return this.#size;
  }

  /** True when some piece in the order has availability zero. */
  get hasZeroAvailability(): boolean {
    return this.#endOf(0) > 0;
  }

  contains(piece: PieceIndex): boolean {
    return present(this.#position[piece]) >= 0;
  }

  /** Connected peers, other than complete ones, that have the piece. */
  availability(piece: PieceIndex): number {
    return present(this.#availability[piece]);
  }

  /** Adds a piece; nothing happens when it is in the order already. O(distinct availabilities). */
  insert(piece: PieceIndex): void {
    if (this.contains(piece)) return;
    const bucket = this.availability(piece);
    this.#growTo(bucket);
    // Moves a hole from the end down to the piece's bucket: the first piece of each bucket above moves to its bucket's end.
    let hole = this.#size++;
    for (let above = this.#starts.length - 1; above > bucket; above--) {
      const first = present(this.#starts[above]);
      if (first !== hole) this.#place(present(this.#order[first]), hole);
      hole = first;
      this.#starts[above] = first + 1;
    }
    this.#place(piece, hole);
  }

  /** Removes a piece; nothing happens when it is not in the order. O(distinct availabilities). */
  remove(piece: PieceIndex): void {
    if (!this.contains(piece)) return;
    let hole = present(this.#position[piece]);
    this.#position[piece] = -1;
    for (let bucket = this.availability(piece); bucket < this.#starts.length; bucket++) {
      const last = this.#endOf(bucket) - 1;
      if (last !== hole && last >= 0) this.#place(present(this.#order[last]), hole);
      hole = last;
      if (bucket + 1 < this.#starts.length) this.#starts[bucket + 1] = last;
    }
    this.#size--;
  }

  /** One more peer has the piece. O(1). */
  increase(piece: PieceIndex): void {
    const bucket = this.availability(piece);
    if (this.contains(piece)) {
      this.#growTo(bucket + 1);
      const last = this.#endOf(bucket) - 1;
      this.#swap(present(this.#position[piece]), last);
      this.#starts[bucket + 1] = last;
    }
    this.#availability[piece] = bucket + 1;
  }

  /** One peer fewer has the piece. O(1). @throws InvariantError when no peer has it. */
  decrease(piece: PieceIndex): void {
    const bucket = this.availability(piece);
    assert(bucket > 0, `availability of piece ${piece} below zero`);
    if (this.contains(piece)) {
      const first = present(this.#starts[bucket]);
      this.#swap(present(this.#position[piece]), first);
      this.#starts[bucket] = first + 1;
    }
    this.#availability[piece] = bucket - 1;
  }

  /**
   * @returns the rarest piece that satisfies `accepts`, at random among equally rare ones, or undefined when none does.
   * O(size) when few pieces satisfy `accepts`.
   */
  rarest(accepts: (piece: PieceIndex) => boolean, random: () => number): PieceIndex | undefined {
    for (let bucket = 0; bucket < this.#starts.length; bucket++) {
      const start = present(this.#starts[bucket]);
      const found = this.#scan(start, this.#endOf(bucket) - start, accepts, random);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** @returns a random piece that satisfies `accepts`, of any rarity, or undefined when none does. */
  any(accepts: (piece: PieceIndex) => boolean, random: () => number): PieceIndex | undefined {
    return this.#scan(0, this.#size, accepts, random);
  }

  #scan(
    start: number,
    length: number,
    accepts: (piece: PieceIndex) => boolean,
    random: () => number,
  ): PieceIndex | undefined {
    if (length <= 0) return undefined;
    const offset = Math.floor(random() * length);
    for (let i = 0; i < length; i++) {
      const at = offset + i;
      const piece = pieceIndex(present(this.#order[start + (at < length ? at : at - length)]));
      if (accepts(piece)) return piece;
    }
    return undefined;
  }

  #endOf(bucket: number): number {
    return this.#starts[bucket + 1] ?? this.#size;
  }

  #growTo(bucket: number): void {
    while (this.#starts.length <= bucket) this.#starts.push(this.#size);
  }

  #place(piece: number, position: number): void {
    this.#order[position] = piece;
    this.#position[piece] = position;
  }

  #swap(a: number, b: number): void {
    if (a === b) return;
    const pieceA = present(this.#order[a]);
    const pieceB = present(this.#order[b]);
    this.#place(pieceB, a);
    this.#place(pieceA, b);
  }
}
