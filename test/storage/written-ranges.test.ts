import { describe, expect, test } from "bun:test";
import { closeSync, openSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { allocate } from "../../src/storage/libc.ts";
import { type ByteRange, writtenRanges } from "../../src/storage/written-ranges.ts";
import { StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();
const SIZE = 8 * MiB + 5;
const BYTES = new Uint8Array(MiB).fill(1);

/** Of a file of SIZE bytes to which BYTES were written at `offsets`. */
function rangesIn(folder: string, offsets: readonly number[], prepare?: (fd: number) => void): ByteRange[] {
  const path = join(folder, "file");
  const fd = openSync(path, "w+");
  truncateSync(path, SIZE);
  prepare?.(fd);
  for (const offset of offsets) writeSync(fd, BYTES, 0, Math.min(BYTES.length, SIZE - offset), offset);
  const ranges = writtenRanges(fd);
  closeSync(fd);
  return ranges;
}

describe("writtenRanges", () => {
  test("are empty in a file of nothing but a length", () => {
    expect(rangesIn(fixture.folder(), [])).toEqual([]);
  });

  test("are what was written, up to the end of the file", () => {
    const expected = [
      { start: MiB, end: 3 * MiB },
      { start: 8 * MiB, end: SIZE },
    ];
    expect(rangesIn(fixture.folder(), [MiB, 2 * MiB, 8 * MiB])).toEqual(expected);
    const disk = fixture.smallDisk(16 * MiB);
    if (disk !== undefined) expect(rangesIn(disk, [MiB, 2 * MiB, 8 * MiB])).toEqual(expected);
  });

  test("are without the space that is only reserved", () => {
    const reserve = (fd: number) => expect(allocate(fd, 0, SIZE)).toBeUndefined();
    expect(rangesIn(fixture.folder(), [4 * MiB], reserve)).toEqual([{ start: 4 * MiB, end: 5 * MiB }]);
  });

  test("are empty where the file system calls holes written", () => {
    const folder = fixture.mount("ramfs", "mode=755");
    if (folder === undefined) return;
    expect(rangesIn(folder, [64 * KiB])).toEqual([]);
  });

  test("are all of a file that was written from its first byte to its last", () => {
    const disk = fixture.smallDisk(16 * MiB);
    if (disk === undefined) return;
    const path = join(disk, "whole");
    const fd = openSync(path, "w+");
    writeSync(fd, BYTES, 0, BYTES.length, 0);
    expect(writtenRanges(fd)).toEqual([{ start: 0, end: MiB }]);
    closeSync(fd);
  });
});
