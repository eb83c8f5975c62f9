import { describe, expect, test } from "bun:test";
import { closeSync, fstatSync, ftruncateSync, openSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { reserveSpace } from "../../src/storage/part-space.ts";
import { StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();
const SIZE = 40 * MiB;
const TMPFS = 0x01021994;

/** @returns size and bytes taken on the disk of an empty file that was given its space. */
async function given(directory: string): Promise<{ size: number; taken: number }> {
  const path = join(directory, "part");
  const fd = openSync(path, "w+");
  await reserveSpace({ fd, path, directory, size: SIZE, keep: false });
  const { size, blocks } = fstatSync(fd);
  closeSync(fd);
  return { size, taken: blocks * 512 };
}

describe("reserveSpace", () => {
  test("takes the space of a file on a disk", async () => {
    const folder = fixture.folder();
    if (statfsSync(folder).type === TMPFS) return console.warn("SKIPPED: the temporary folder is no disk");
    const { size, taken } = await given(folder);
    expect(size).toBe(SIZE);
    expect(taken).toBeGreaterThanOrEqual(SIZE);
  });

  test("leaves a file of an earlier run as it is: its holes are zeros and no missing space", async () => {
    const directory = fixture.folder();
    const path = join(directory, "part");
    const fd = openSync(path, "w+");
    ftruncateSync(fd, SIZE);
    await reserveSpace({ fd, path, directory, size: SIZE, keep: true });
    const { size, blocks } = fstatSync(fd);
    closeSync(fd);
    expect([size, blocks]).toEqual([SIZE, 0]);
  });

  test("gives a file on a tmpfs, which would clear every page, its length alone", async () => {
    const disk = fixture.smallDisk(64 * MiB);
    if (disk === undefined) return;
    expect(await given(disk)).toEqual({ size: SIZE, taken: 0 });
  });
});
