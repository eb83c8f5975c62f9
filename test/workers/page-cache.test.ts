import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { isCached } from "../../workers/page-cache.ts";

const folder = mkdtempSync(join(tmpdir(), "p2pfile-cache-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("isCached", () => {
  test("is true for what was just written, false for holes and beyond the end, at any offset", () => {
    const path = join(folder, "data");
    writeFileSync(path, new Uint8Array(MiB).fill(1));
    truncateSync(path, 3 * MiB);
    const fd = openSync(path, "r");
    for (const [offset, length] of [
      [0, MiB],
      [1, 1],
      [4095, 2],
      [5000, 70_000],
      [MiB - 1, 1],
    ] as const) {
      expect(isCached(fd, offset, length)).toBe(true);
    }
    expect(isCached(fd, 0, MiB + 64 * KiB + 1)).toBe(false);
    expect(isCached(fd, 2 * MiB, MiB)).toBe(false);
    expect(isCached(fd, 4 * MiB, MiB)).toBe(false);
    closeSync(fd);
    expect(isCached(fd, 0, MiB)).toBe(false);
  });
});
