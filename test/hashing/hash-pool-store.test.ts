import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { toHex } from "../../src/lib/bytes.ts";
import { KiB, MiB } from "../../src/lib/units.ts";
import { bytes, digestsOf, failureOf, poolFixture, spawnDying } from "./pool-fixture.ts";

const { poolOf, fileOf } = poolFixture();

function shared(content: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = new Uint8Array(new SharedArrayBuffer(content.length));
  copy.set(content);
  return copy;
}

describe("HashPool.storePiece", () => {
  test("puts the bytes into the file and answers with their digest", async () => {
    const pool = poolOf();
    const file = fileOf(new Uint8Array(4 * MiB), "stored", "r+");
    for (const [offset, length] of [
      [0, 1],
      [16 * KiB, 64 * KiB],
      [MiB, MiB],
      [3 * MiB - 5, 64 * KiB + 1],
    ] as const) {
      const content = bytes.subarray(offset, offset + length);
      const digest = await pool.storePiece(file, offset, shared(content));
      expect(toHex(digest)).toBe(toHex(digestsOf(content, length)));
      const stored = readFileSync(file.path).subarray(offset, offset + length);
      expect(Buffer.compare(stored, content)).toBe(0);
    }
    expect(readFileSync(file.path).length).toBe(4 * MiB);
  });

  test("writes nothing but its own bytes of a longer buffer", async () => {
    const file = fileOf(new Uint8Array(64 * KiB), "stored-part", "r+");
    const buffer = shared(bytes.subarray(0, 64 * KiB));
    await poolOf().storePiece(file, 100, buffer.subarray(1000, 1020));
    const expected = new Uint8Array(64 * KiB);
    expected.set(bytes.subarray(1000, 1020), 100);
    expect(Buffer.compare(readFileSync(file.path), expected)).toBe(0);
  });

  test("makes holes of steps of zeros, in the place of what was there", async () => {
    const file = fileOf(new Uint8Array(2 * MiB).fill(7), "stored-sparse", "r+");
    const before = statSync(file.path).blocks;
    const content = new Uint8Array(MiB);
    content.set(bytes.subarray(0, 64 * KiB), 256 * KiB);
    content.set([1], MiB - 1);
    const digest = await poolOf().storePiece(file, MiB, shared(content));
    expect(toHex(digest)).toBe(toHex(digestsOf(content, MiB)));
    const stored = readFileSync(file.path);
    expect(Buffer.compare(stored.subarray(MiB), content)).toBe(0);
    expect(stored.subarray(0, MiB).every((byte) => byte === 7)).toBe(true);
    // Two of sixteen steps hold data.
    expect(before - statSync(file.path).blocks).toBe((14 * 64 * KiB) / 512);
  });

  test("fails with the system's code when the file cannot be written", async () => {
    const { path } = fileOf(new Uint8Array(10), "stored-never");
    const fd = openSync(path, "r");
    const failure = await failureOf(poolOf().storePiece({ path, fd }, 0, shared(bytes.subarray(0, 10))));
    closeSync(fd);
    expect(failure.code).toBe("EBADF");
  });

  test("stores a piece again when its worker died", async () => {
    const { spawn } = spawnDying(1);
    const file = fileOf(new Uint8Array(MiB), "stored-again", "r+");
    const content = bytes.subarray(0, MiB);
    const digest = await poolOf({ spawn }).storePiece(file, 0, shared(content));
    expect(toHex(digest)).toBe(toHex(digestsOf(content, MiB)));
    expect(Buffer.compare(readFileSync(file.path), content)).toBe(0);
  });
});
