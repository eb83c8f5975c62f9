import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { HASH_JOB_LENGTH, HASH_WINDOW_LENGTH } from "../../src/hashing/limits.ts";
import { toHex } from "../../src/lib/bytes.ts";
import { KiB, MiB } from "../../src/lib/units.ts";
import { bytes, digestsOf, failureOf, poolFixture } from "./pool-fixture.ts";

const { poolOf, fileOf } = poolFixture();

describe.each(["map", "pread"] as const)("HashPool with io %s", (io) => {
  const lengths = [
    1,
    19,
    16 * KiB - 1,
    16 * KiB,
    16 * KiB + 1,
    256 * KiB - 1,
    256 * KiB,
    256 * KiB + 1,
    MiB,
    3 * MiB + 5,
    HASH_JOB_LENGTH - 1,
    HASH_JOB_LENGTH,
    HASH_JOB_LENGTH + 1,
    bytes.length,
  ];

  test("gives the digests of node:crypto for lengths around every edge", async () => {
    const pool = poolOf({ io });
    for (const length of lengths) {
      const content = bytes.subarray(0, length);
      const path = fileOf(content, `edge-${io}`);
      for (const pieceLength of [256 * KiB, MiB]) {
        const digests = await pool.hashRange({ path, offset: 0, length, pieceLength });
        expect(toHex(digests)).toBe(toHex(digestsOf(content, pieceLength)));
      }
    }
  });

  test("hashes pieces longer than a window and longer than a job", async () => {
    const path = fileOf(bytes, `long-${io}`);
    const pieceLength = HASH_WINDOW_LENGTH + 16 * KiB;
    const digests = await poolOf({ io }).hashRange({ path, offset: 0, length: bytes.length, pieceLength });
    expect(toHex(digests)).toBe(toHex(digestsOf(bytes, pieceLength)));
  });

  test("hashes single pieces at any offset, of our own file as of others", async () => {
    const pool = poolOf({ io });
    const path = fileOf(bytes, `piece-${io}`);
    for (const [offset, length] of [
      [0, 1],
      [16 * KiB, MiB],
      [5 * MiB - 16 * KiB, 2 * MiB],
      [4097, 70_001],
    ] as const) {
      const wanted = toHex(digestsOf(bytes.subarray(offset, offset + length), length));
      expect(toHex(await pool.hashPiece(path, offset, length))).toBe(wanted);
      expect(toHex(await pool.hashPiece(path, offset, length, true))).toBe(wanted);
    }
  });

  test("reports progress that only grows and ends with the whole length", async () => {
    const path = fileOf(bytes, `progress-${io}`);
    const seen: number[] = [];
    const onProgress = (done: number) => seen.push(done);
    await poolOf({ io }).hashRange({ path, offset: 0, length: bytes.length, pieceLength: MiB, onProgress });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)).toBe(bytes.length);
  });

  test("answers ESHORT for a file that is shorter than asked, and goes on with the next", async () => {
    const pool = poolOf({ io });
    const path = fileOf(bytes.subarray(0, 2 * MiB), `short-${io}`);
    const asked = { path, offset: 0, length: 3 * MiB, pieceLength: MiB };
    expect((await failureOf(pool.hashRange(asked))).code).toBe("ESHORT");
    expect((await failureOf(pool.hashPiece(path, 5 * MiB, MiB))).code).toBe("ESHORT");
    expect((await pool.hashPiece(path, 0, MiB)).length).toBe(20);
  });

  test("does not take a replaced file for the old one", async () => {
    const pool = poolOf({ io, workers: 1 });
    const path = fileOf(bytes.subarray(0, MiB), `replaced-${io}`);
    const before = await pool.hashPiece(path, 0, MiB);
    rmSync(path);
    fileOf(bytes.subarray(MiB, 2 * MiB), `replaced-${io}`);
    expect(toHex(await pool.hashPiece(path, 0, MiB))).not.toBe(toHex(before));
  });
});
