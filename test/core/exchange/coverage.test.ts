import { describe, expect, test } from "bun:test";
import { Coverage } from "../../../src/core/exchange/coverage.ts";
import { MAX_PARTLY_SENT_PIECES, RECENT_REQUEST_MS } from "../../../src/core/exchange/limits.ts";
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";

/** Three pieces of two blocks, the last block shorter. */
const geometry = new Geometry(6 * BLOCK_LENGTH - 5, 2 * BLOCK_LENGTH);
const block = (piece: number, index: number, count = 1) => geometry.block(pieceIndex(piece), index, count);
const announced = (...pieces: readonly number[]) => {
  const bits = new Bitfield(geometry.pieceCount);
  for (const piece of pieces) bits.set(piece);
  return bits;
};

describe("Coverage", () => {
  test("is whole when each piece is announced or was sent, in whatever order", () => {
    const coverage = new Coverage(geometry);
    coverage.sent(block(2, 1));
    coverage.sent(block(0, 0, 2));
    coverage.sent(block(0, 0));
    expect(coverage.isWhole(announced(1))).toBe(false);
    expect(coverage.isWhole(announced(0, 1))).toBe(false);
    coverage.sent(block(2, 0));
    expect(coverage.isWhole(announced(0))).toBe(false);
    expect(coverage.isWhole(announced(1))).toBe(true);
  });

  test("at a close counts what was requested lately as well", () => {
    const coverage = new Coverage(geometry);
    coverage.sent(block(0, 0));
    coverage.requested(block(0, 1), 0);
    coverage.requested(block(2, 0, 2), 100);
    expect(coverage.isWhole(announced(1))).toBe(false);
    expect(coverage.isWholeAtClose(announced(1), RECENT_REQUEST_MS)).toBe(true);
    expect(coverage.isWholeAtClose(announced(), RECENT_REQUEST_MS)).toBe(false);
    expect(coverage.isWholeAtClose(announced(1), RECENT_REQUEST_MS + 1)).toBe(false);
  });

  test("keeps a bounded number of pieces that were sent in part", () => {
    const large = new Geometry(2 * BLOCK_LENGTH * (MAX_PARTLY_SENT_PIECES + 1), 2 * BLOCK_LENGTH);
    const coverage = new Coverage(large);
    for (const index of [0, 1])
      for (let piece = 0; piece < large.pieceCount; piece++)
        coverage.sent(large.block(pieceIndex(piece), index));
    // Each was forgotten before its second block came.
    expect(coverage.isWhole(new Bitfield(large.pieceCount))).toBe(false);
  });
});
