// The arithmetic of pieces and blocks: counts, offsets and checks, derived from a file's length and piece length.
import { assert } from "../../lib/assert.ts";
import type { Bitfield } from "./bitfield.ts";
import { type PieceIndex, pieceIndex } from "./ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "./limits.ts";
import type { Block } from "./peer-message.ts";

export class Geometry {
  /** Bytes of the whole file, > 0. */
  readonly length: number;
  /** Bytes of every piece but the last. */
  readonly pieceLength: number;
  readonly pieceCount: number;

  constructor(length: number, pieceLength: number) {
    assert(Number.isSafeInteger(length) && length > 0, `bad length ${length}`);
    assert(Number.isSafeInteger(pieceLength) && pieceLength > 0, `bad piece length ${pieceLength}`);
    this.length = length;
    this.pieceLength = pieceLength;
    this.pieceCount = Math.ceil(length / pieceLength);
  }

  /** @returns the index from outside as a PieceIndex, or undefined unless 0 <= index < pieceCount. */
  piece(index: number): PieceIndex | undefined {
    return Number.isInteger(index) && index >= 0 && index < this.pieceCount ? pieceIndex(index) : undefined;
  }

  pieceOffset(piece: PieceIndex): number {
    return piece * this.pieceLength;
  }

  lengthOfPiece(piece: PieceIndex): number {
    return Math.min(this.pieceLength, this.length - piece * this.pieceLength);
  }

  blockCount(piece: PieceIndex): number {
    return Math.ceil(this.lengthOfPiece(piece) / BLOCK_LENGTH);
  }

  /** The run of `count` blocks of the piece that begins with block `index`: 0 <= index, index + count <= blockCount(piece). */
  block(piece: PieceIndex, index: number, count = 1): Block {
    const begin = index * BLOCK_LENGTH;
    return { piece, begin, length: Math.min(count * BLOCK_LENGTH, this.lengthOfPiece(piece) - begin) };
  }

  /** @returns the index of the run's first block in its piece, or undefined unless the run consists of whole blocks. */
  blockIndex({ piece, begin, length }: Block): number | undefined {
    const end = begin + length;
    const pieceEnd = this.lengthOfPiece(piece);
    if (begin < 0 || begin % BLOCK_LENGTH !== 0 || length <= 0 || end > pieceEnd) return undefined;
    return end % BLOCK_LENGTH === 0 || end === pieceEnd ? begin / BLOCK_LENGTH : undefined;
  }

  /** True when a peer may request these bytes: inside the piece, not empty, at most `maxLength`. */
  isServable(block: Block, maxLength: number): boolean {
    return (
      block.length > 0 &&
      block.length <= maxLength &&
      block.begin >= 0 &&
      block.begin + block.length <= this.lengthOfPiece(block.piece)
    );
  }

  /** Sum of the lengths of these pieces, in bytes. */
  bytesOf(pieces: Bitfield): number {
    const last = this.pieceCount - 1;
    const missingTail = pieces.get(last) ? this.pieceCount * this.pieceLength - this.length : 0;
    return pieces.count * this.pieceLength - missingTail;
  }

  /** Offset of the block in the file, in bytes. */
  offsetOf(block: Block): number {
    return block.piece * this.pieceLength + block.begin;
  }
}

/** Number of blocks in a run of `length` bytes; the last one may be short. */
export function blocksIn(length: number): number {
  return Math.ceil(length / BLOCK_LENGTH);
}

/** No run crosses a multiple of this many blocks in its piece, so that a run lies in one read span and in one write span. */
export const MAX_RUN = MAX_REQUEST_LENGTH / BLOCK_LENGTH;

/** The most blocks of a run that begins with block `first` of its piece. */
export function roomForRun(first: number): number {
  return MAX_RUN - (first % MAX_RUN);
}
