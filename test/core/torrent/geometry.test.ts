import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { blocksIn, Geometry } from "../../../src/core/torrent/geometry.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { GiB, KiB, MiB } from "../../../src/lib/units.ts";

const geometry = new Geometry(100_000, 65_536);
const first = pieceIndex(0);
const last = pieceIndex(1);

describe("Geometry", () => {
  test("cuts a file into pieces and blocks, the last one of each shorter", () => {
    expect(geometry.pieceCount).toBe(2);
    expect([geometry.lengthOfPiece(first), geometry.lengthOfPiece(last)]).toEqual([65_536, 34_464]);
    expect([geometry.blockCount(first), geometry.blockCount(last)]).toEqual([4, 3]);
    expect(geometry.block(last, 2)).toEqual({ piece: last, begin: 32_768, length: 1696 });
    expect(geometry.offsetOf(geometry.block(last, 2))).toBe(98_304);
  });

  test("has one whole last piece when the length is a multiple", () => {
    const even = new Geometry(2 * MiB, MiB);
    expect([even.pieceCount, even.lengthOfPiece(last)]).toEqual([2, MiB]);
    expect(new Geometry(1, 16 * KiB).blockCount(first)).toBe(1);
  });

  test.each([-1, 2, 0.5, Number.NaN, 2 ** 32])("refuses the index %p", (index) => {
    expect(geometry.piece(index)).toBeUndefined();
  });

  test("accepts the indices of its pieces", () => {
    expect([geometry.piece(0), geometry.piece(1)]).toEqual([first, last]);
  });

  test.each([
    [0, 1],
    [-1, 1],
    [1.5, 1],
    [1, 0],
    [Number.NaN, 1],
    [2 ** 53, 1],
  ])("cannot be made of length %p and piece length %p", (length, pieceLength) => {
    expect(() => new Geometry(length, pieceLength)).toThrow();
  });

  const strange: [string, number, number][] = [
    ["off the grid", 1, BLOCK_LENGTH],
    ["negative", -BLOCK_LENGTH, BLOCK_LENGTH],
    ["beyond the piece", 65_536, BLOCK_LENGTH],
    ["too short", 0, BLOCK_LENGTH - 1],
    ["too long", 0, BLOCK_LENGTH + 1],
    ["empty", 0, 0],
    ["of a negative length", 32_768, -BLOCK_LENGTH],
    ["a run off the grid", 1, 2 * BLOCK_LENGTH],
    ["a run that is too short", 0, 2 * BLOCK_LENGTH - 1],
    ["a run beyond the piece", 32_768, 3 * BLOCK_LENGTH],
  ];
  test.each(strange)("blockIndex is undefined for a block that is %s", (_, begin, length) => {
    expect(geometry.blockIndex({ piece: first, begin, length })).toBeUndefined();
  });

  test("a run consists of whole blocks of one piece, the last block of the file shorter", () => {
    expect(geometry.block(first, 1, 3)).toEqual({
      piece: first,
      begin: BLOCK_LENGTH,
      length: 3 * BLOCK_LENGTH,
    });
    expect(geometry.block(last, 0, 3)).toEqual({ piece: last, begin: 0, length: 34_464 });
    expect(geometry.blockIndex({ piece: last, begin: 16_384, length: 18_080 })).toBe(1);
    expect(geometry.blockIndex({ piece: last, begin: 16_384, length: 18_081 })).toBeUndefined();
    expect([1, BLOCK_LENGTH, BLOCK_LENGTH + 1, 34_464].map(blocksIn)).toEqual([1, 1, 2, 3]);
  });

  const requests: [string, Block, boolean][] = [
    ["a block", { piece: first, begin: 0, length: BLOCK_LENGTH }, true],
    ["any bytes inside the piece", { piece: first, begin: 5, length: 7 }, true],
    ["the last byte", { piece: last, begin: 34_463, length: 1 }, true],
    ["nothing", { piece: first, begin: 0, length: 0 }, false],
    ["a negative begin", { piece: first, begin: -1, length: 1 }, false],
    ["a negative length", { piece: first, begin: 10, length: -1 }, false],
    ["past the end of the last piece", { piece: last, begin: 34_463, length: 2 }, false],
    ["a begin and length that would wrap in 32 bits", { piece: first, begin: 2 ** 32 - 1, length: 2 }, false],
  ];
  test.each(requests)("isServable is right for %s", (_, block, expected) => {
    expect(geometry.isServable(block, MAX_REQUEST_LENGTH)).toBe(expected);
  });

  test("isServable respects the longest request", () => {
    const large = new Geometry(GiB, MiB);
    const block = (length: number): Block => ({ piece: first, begin: 0, length });
    expect(large.isServable(block(MAX_REQUEST_LENGTH), MAX_REQUEST_LENGTH)).toBe(true);
    expect(large.isServable(block(MAX_REQUEST_LENGTH + 1), MAX_REQUEST_LENGTH)).toBe(false);
  });

  test("offsets stay exact beyond 32 bits", () => {
    const huge = new Geometry(16 * 1024 * GiB, 64 * MiB);
    const piece = pieceIndex(huge.pieceCount - 1);
    const block = huge.block(piece, huge.blockCount(piece) - 1);
    expect(huge.offsetOf(block) + block.length).toBe(huge.length);
  });

  test("the blocks of all pieces cover the file once, in order", () => {
    const length = fc.integer({ min: 1, max: 3_000_000 });
    const pieceLength = fc.integer({ min: 1, max: 20 }).map((blocks) => blocks * BLOCK_LENGTH);
    fc.assert(
      fc.property(length, pieceLength, (length, pieceLength) => {
        const geometry = new Geometry(length, pieceLength);
        let offset = 0;
        for (let index = 0; index < geometry.pieceCount; index++) {
          const piece = geometry.piece(index)!;
          expect(geometry.pieceOffset(piece)).toBe(offset);
          for (let at = 0; at < geometry.blockCount(piece); at++) {
            const block = geometry.block(piece, at);
            expect(geometry.offsetOf(block)).toBe(offset);
            expect(geometry.blockIndex(block)).toBe(at);
            const rest = geometry.block(piece, at, geometry.blockCount(piece) - at);
            expect([geometry.blockIndex(rest), blocksIn(rest.length)]).toEqual([
              at,
              geometry.blockCount(piece) - at,
            ]);
            expect(rest.begin + rest.length).toBe(geometry.lengthOfPiece(piece));
            expect(geometry.isServable(block, BLOCK_LENGTH)).toBe(true);
            offset += block.length;
          }
        }
        expect(offset).toBe(length);
      }),
    );
  });
});
