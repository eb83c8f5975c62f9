import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { PieceDigests } from "../../workers/piece-digests.ts";

describe("PieceDigests", () => {
  test("gives the same digests however the bytes are cut", () => {
    const bytes = Uint8Array.from({ length: 1003 }, (_, i) => i * 31);
    for (const pieceLength of [1, 7, 100, 501, 1003, 5000]) {
      let wanted = "";
      for (let at = 0; at < bytes.length; at += pieceLength) {
        wanted += createHash("sha1")
          .update(bytes.subarray(at, at + pieceLength))
          .digest("hex");
      }
      for (const cut of [1, 3, 7, 99, 100, 101, 1002, 2000]) {
        const pieces = new PieceDigests(bytes.length, pieceLength);
        for (let at = 0; at < bytes.length; at += cut) pieces.add(bytes.subarray(at, at + cut));
        expect(pieces.digests.toHex()).toBe(wanted);
      }
    }
  });

  test("ignores bytes beyond those announced", () => {
    const pieces = new PieceDigests(4, 2);
    pieces.add(new Uint8Array(9));
    expect(pieces.digests).toHaveLength(40);
  });
});
