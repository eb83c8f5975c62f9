import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { HASH_JOB_LENGTH, HASH_WINDOW_LENGTH } from "../../src/hashing/limits.ts";
import { toHex } from "../../src/lib/bytes.ts";
import { KiB, MiB } from "../../src/lib/units.ts";
import { bytes, digestsOf, failureOf, poolFixture } from "./pool-fixture.ts";

const { poolOf, fileOf, pathOf } = poolFixture();

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
      const file = fileOf(content, `edge-${io}`);
      for (const pieceLength of [256 * KiB, MiB]) {
        const digests = await pool.hashRange({ ...file, offset: 0, length, pieceLength });
        expect(toHex(digests)).toBe(toHex(digestsOf(content, pieceLength)));
      }
    }
  });

  test("hashes pieces longer than a window and longer than a job", async () => {
    const file = fileOf(bytes, `long-${io}`);
    const pieceLength = HASH_WINDOW_LENGTH + 16 * KiB;
    const digests = await poolOf({ io }).hashRange({ ...file, offset: 0, length: bytes.length, pieceLength });
    expect(toHex(digests)).toBe(toHex(digestsOf(bytes, pieceLength)));
  });

  test("hashes single pieces at any offset, of our own file as of others", async () => {
    const pool = poolOf({ io });
    const file = fileOf(bytes, `piece-${io}`);
    for (const [offset, length] of [
      [0, 1],
      [16 * KiB, MiB],
      [5 * MiB - 16 * KiB, 2 * MiB],
      [4097, 70_001],
    ] as const) {
      const wanted = toHex(digestsOf(bytes.subarray(offset, offset + length), length));
      expect(toHex(await pool.hashPiece(file, offset, length))).toBe(wanted);
      expect(toHex(await pool.hashPiece(file, offset, length, true))).toBe(wanted);
    }
  });

  test("reports progress that only grows and ends with the whole length", async () => {
    const file = fileOf(bytes, `progress-${io}`);
    const seen: number[] = [];
    const onProgress = (done: number) => seen.push(done);
    await poolOf({ io }).hashRange({
      ...file,
      offset: 0,
      length: bytes.length,
      pieceLength: MiB,
      onProgress,
    });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)).toBe(bytes.length);
  });

  test("answers ESHORT for a file that is shorter than asked, and goes on with the next", async () => {
    const pool = poolOf({ io });
    const file = fileOf(bytes.subarray(0, 2 * MiB), `short-${io}`);
    const asked = { ...file, offset: 0, length: 3 * MiB, pieceLength: MiB };
    expect((await failureOf(pool.hashRange(asked))).code).toBe("ESHORT");
    expect((await failureOf(pool.hashPiece(file, 5 * MiB, MiB))).code).toBe("ESHORT");
    expect((await pool.hashPiece(file, 0, MiB)).length).toBe(20);
  });

  test("a file put at the path meanwhile is not hashed in place of the open one", async () => {
    const pool = poolOf({ io, workers: 1 });
    const name = `replaced-${io}`;
    const file = fileOf(bytes.subarray(0, MiB), name);
    const digest = toHex(digestsOf(bytes.subarray(0, MiB), MiB));
    rmSync(file.path);
    expect(toHex(await pool.hashPiece(file, 0, MiB))).toBe(digest);
    pathOf(bytes.subarray(MiB, 2 * MiB), name);
    expect(toHex(await pool.hashPiece(file, 0, MiB))).toBe(digest);
    expect(toHex(await pool.hashPiece(file, 0, MiB, true))).toBe(digest);
  });
});
