import { afterAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesEqual } from "../../src/lib/bytes.ts";
import { KiB, MiB } from "../../src/lib/units.ts";
import { MappedFile } from "../../workers/mapped-file.ts";

const folder = mkdtempSync(join(tmpdir(), "p2pfile-map-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = randomBytes(7 * MiB + 99);
const path = join(folder, "data");
writeFileSync(path, bytes);

function reserved(windowLength: number): MappedFile {
  const mapping = MappedFile.reserve(windowLength);
  if (mapping === undefined) throw new Error("this system maps nothing");
  return mapping;
}

/** The lines of the process's memory map that name the file. */
function mappings(): string[] {
  return readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .filter((line) => line.endsWith(path));
}

describe("MappedFile", () => {
  test("shows the file's bytes at every kind of offset", () => {
    const mapping = reserved(3 * MiB);
    const fd = openSync(path, "r");
    const windows = [
      [0, MiB],
      [2 * MiB, 3 * MiB],
      [MiB + 16 * KiB, 3 * MiB],
      [4 * MiB - 1, 2],
      [4097, 1],
      [2 * MiB - 16 * KiB, 3 * MiB],
      [7 * MiB, 99],
    ] as const;
    for (const [offset, length] of windows) {
      const view = mapping.window(fd, offset, length);
      expect(view?.length).toBe(length);
      expect(bytesEqual(view ?? new Uint8Array(), bytes.subarray(offset, offset + length))).toBe(true);
    }
    mapping.unmap();
    closeSync(fd);
  });

  test("holds one read-only window at a time and none after unmap", () => {
    const mapping = reserved(MiB);
    const fd = openSync(path, "r");
    for (let offset = 0; offset < 6 * MiB; offset += MiB) mapping.window(fd, offset, MiB);
    mapping.unmap();
    expect(mappings()).toEqual([]);
    mapping.window(fd, 0, MiB);
    expect(mappings()).toHaveLength(1);
    expect(mappings()[0]).toContain(" r--s ");
    mapping.unmap();
    expect(mappings()).toEqual([]);
    closeSync(fd);
  });

  test("P6: answers undefined, not a signal, when pages are not there", () => {
    const short = join(folder, "short");
    writeFileSync(short, bytes);
    const mapping = reserved(4 * MiB);
    const fd = openSync(short, "r");
    truncateSync(short, MiB);
    expect(mapping.window(fd, 0, 4 * MiB)).toBeUndefined();
    expect(mapping.window(fd, 0, MiB)).toBeDefined();
    mapping.unmap();
    closeSync(fd);
  });

  test("refuses a window larger than it reserved and a descriptor that cannot be mapped", () => {
    const mapping = reserved(MiB);
    const fd = openSync(path, "r");
    expect(mapping.window(fd, 0, MiB + 1)).toBeUndefined();
    closeSync(fd);
    expect(mapping.window(fd, 0, MiB)).toBeUndefined();
    const folderFd = openSync(folder, "r");
    expect(mapping.window(folderFd, 0, MiB)).toBeUndefined();
    closeSync(folderFd);
    mapping.unmap();
  });
});
