import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { MAX_METADATA_LENGTH, MAX_SHARED_NAME_LENGTH } from "../../../src/core/format/limits.ts";
import {
  MAX_PIECE_COUNT,
  MAX_PIECE_LENGTH,
  MIN_PIECE_LENGTH,
  TARGET_PIECE_COUNT,
} from "../../../src/core/torrent/limits.ts";
import { MAX_SERVABLE_LENGTH, pieceLengthFor } from "../../../src/core/torrent/piece-length.ts";
import { GiB, KiB, MiB } from "../../../src/lib/units.ts";

describe("pieceLengthFor", () => {
  // These numbers must not change: another value changes the info hash of files that are already shared.
  const table: [string, number, number, number][] = [
    ["1 byte", 1, 128 * KiB, 1],
    ["1 MiB", 1 * MiB, 128 * KiB, 8],
    ["64 MiB", 64 * MiB, 128 * KiB, 512],
    ["128 MiB", 128 * MiB, 128 * KiB, 1024],
    ["128 MiB and a byte", 128 * MiB + 1, 256 * KiB, 513],
    ["256 MiB", 256 * MiB, 256 * KiB, 1024],
    ["256 MiB and a byte", 256 * MiB + 1, 512 * KiB, 513],
    ["512 MiB", 512 * MiB, 512 * KiB, 1024],
    ["512 MiB and a byte", 512 * MiB + 1, 1 * MiB, 513],
    ["1 GiB", 1 * GiB, 1 * MiB, 1024],
    ["8 GiB", 8 * GiB, 1 * MiB, 8192],
    ["8 GiB and a byte", 8 * GiB + 1, 2 * MiB, 4097],
    ["100 GiB", 100 * GiB, 16 * MiB, 6400],
    ["1 TiB", 1024 * GiB, 16 * MiB, 65_536],
    ["4 TiB", 4096 * GiB, 16 * MiB, 262_144],
  ];
  test.each(table)("%s", (_, fileLength, pieceLength, pieceCount) => {
    expect(pieceLengthFor(fileLength)).toBe(pieceLength);
    expect(Math.ceil(fileLength / pieceLength)).toBe(pieceCount);
  });

  test("is a power of two within its limits for every servable size", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 42, noNaN: true }), (exponent) => {
        const fileLength = Math.floor(2 ** exponent);
        const pieceLength = pieceLengthFor(fileLength);
        expect(Number.isInteger(Math.log2(pieceLength))).toBe(true);
        expect(pieceLength).toBeGreaterThanOrEqual(MIN_PIECE_LENGTH);
        expect(pieceLength).toBeLessThanOrEqual(MAX_PIECE_LENGTH);
        const pieceCount = Math.ceil(fileLength / pieceLength);
        if (pieceLength < MAX_PIECE_LENGTH) expect(pieceCount).toBeLessThanOrEqual(TARGET_PIECE_COUNT);
        if (fileLength >= 64 * MiB) expect(pieceCount).toBeGreaterThanOrEqual(250);
        expect(pieceCount).toBeLessThanOrEqual(MAX_PIECE_COUNT);
      }),
    );
  });

  test("the largest servable file has 4 TiB, and its metadata with the longest name stays within the limit", () => {
    expect(MAX_SERVABLE_LENGTH).toBe(4 * 1024 * GiB);
    const otherFields = 100 + MAX_SHARED_NAME_LENGTH;
    expect(20 * MAX_PIECE_COUNT + otherFields).toBeLessThan(MAX_METADATA_LENGTH);
  });
});
