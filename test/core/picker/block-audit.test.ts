import { describe, expect, test } from "bun:test";
import { BlockAudit } from "../../../src/core/picker/block-audit.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { MAX_AUDITED_BLOCKS } from "../../../src/core/picker/limits.ts";
import { SHA1_LENGTH } from "../../../src/lib/sha1.ts";

const piece = pieceIndex(0);

/** A digest for each block: 20 bytes of the given value. */
function digests(...blocks: number[]): Uint8Array {
  return new Uint8Array(blocks.flatMap((byte) => Array.from({ length: SHA1_LENGTH }, () => byte)));
}

describe("BlockAudit", () => {
  test("names exactly the peers whose block differs, once", () => {
    const audit = new BlockAudit();
    audit.remember(piece, Uint32Array.of(7, 8, 7, 9), digests(1, 2, 3, 4));
    expect(audit.awaits(piece)).toBe(true);
    expect(audit.culprits(piece, digests(1, 5, 3, 5))).toEqual(new Set([8, 9]));
    expect(audit.awaits(piece)).toBe(false);
    expect(audit.culprits(piece, digests(0, 0, 0, 0))).toEqual(new Set());
  });

  test("sees a difference in any byte of a digest", () => {
    const right = digests(1, 1);
    for (let at = 0; at < right.length; at++) {
      const audit = new BlockAudit();
      const wrong = right.slice();
      wrong[at] = 2;
      audit.remember(piece, Uint32Array.of(7, 8), wrong);
      expect(audit.culprits(piece, right)).toEqual(new Set([at < SHA1_LENGTH ? 7 : 8]));
    }
  });

  test("keeps the latest failure of a piece", () => {
    const audit = new BlockAudit();
    audit.remember(piece, Uint32Array.of(7), digests(2));
    audit.remember(piece, Uint32Array.of(8), digests(3));
    expect(audit.culprits(piece, digests(1))).toEqual(new Set([8]));
  });

  test("drops the oldest pieces above its limit, and keeps its count right", () => {
    const audit = new BlockAudit();
    const blocks = MAX_AUDITED_BLOCKS / 4;
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 10; i++) {
        audit.remember(pieceIndex(i), new Uint32Array(blocks).fill(1), new Uint8Array(blocks * SHA1_LENGTH));
        if (i % 3 === 0) audit.culprits(pieceIndex(i), new Uint8Array(blocks * SHA1_LENGTH));
      }
      const kept = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((i) => audit.awaits(pieceIndex(i)));
      // Every third piece is settled at once. Piece 9 displaced piece 4 before that.
      expect(kept).toEqual([5, 7, 8]);
    }
  });
});
