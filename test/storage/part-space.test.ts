import { describe, expect, test } from "bun:test";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DiskError } from "../../src/lib/errors.ts";
import { MiB } from "../../src/lib/units.ts";
import { DISK_RESERVE_LENGTH } from "../../src/storage/limits.ts";
import { reserveSpace } from "../../src/storage/part-space.ts";
import { failureOf, StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();
const SIZE = 40 * MiB;
const TMPFS = 0x01021994;

/** Gives the part file of an earlier run, which holds `held` bytes of ones, its space. */
async function giveAgain(place: string, directory: string, held: number, size: number, keep = true) {
  const path = join(place, "part");
  writeFileSync(path, new Uint8Array(held).fill(1));
  const fd = openSync(path, "r+");
  const outcome = await reserveSpace({ fd, path, directory, size, keep }).then(
    () => "given",
    (error: unknown) => error,
  );
  closeSync(fd);
  return { outcome, content: readFileSync(path) };
}

function freeOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

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

  test("C9: asks of a disk only what the part file of an earlier run does not hold yet", async () => {
    const disk = fixture.smallDisk(64 * MiB);
    if (disk === undefined) return;
    const { outcome, content } = await giveAgain(disk, disk, 36 * MiB, SIZE);
    expect([outcome, content.length]).toEqual(["given", SIZE]);
    expect(content.indexOf(0)).toBe(36 * MiB);
  });

  test("asks nothing more of a disk for a part file that holds all of its space", async () => {
    const disk = fixture.smallDisk(20 * MiB);
    if (disk === undefined) return;
    const { outcome, content } = await giveAgain(disk, disk, 19 * MiB, 19 * MiB);
    expect([outcome, content.length]).toEqual(["given", 19 * MiB]);
  });

  test("C9: leaves a disk its reserve to the byte, and says what is needed and what is free", async () => {
    const disk = fixture.smallDisk(32 * MiB);
    if (disk === undefined) return;
    const path = join(disk, "part");
    const fd = openSync(path, "w+");
    const size = freeOf(disk) - DISK_RESERVE_LENGTH;
    const tooLarge = { fd, path, directory: disk, size: size + 1, keep: false };
    const failure = await failureOf(reserveSpace(tooLarge));
    expect(failure).toBeInstanceOf(DiskError);
    expect(failure.message).toBe(
      `not enough space in ${disk} for ${path}: 16.0 MiB needs 16.0 MiB more and 16.0 MiB of reserve, ` +
        `32.0 MiB is free; free some or choose another --dir`,
    );
    expect(fstatSync(fd).size).toBe(0);
    await reserveSpace({ ...tooLarge, size });
    expect(fstatSync(fd).size).toBe(size);
    closeSync(fd);
  });

  // The disk that is asked is another one than that of the file, so it is the reservation itself that fails.
  test.each([
    [true, 5],
    [false, 0],
  ])(
    "C9: a reservation that fails keeps the bytes of an earlier run and no others (%p)",
    async (keep, length) => {
      const disk = fixture.smallDisk(24 * MiB);
      const roomy = fixture.folder();
      if (disk === undefined || statfsSync(roomy).type === TMPFS) return;
      const before = freeOf(disk);
      const { outcome, content } = await giveAgain(disk, roomy, 5, SIZE, keep);
      expect(outcome).toBeInstanceOf(DiskError);
      expect(String(outcome)).toContain(`cannot reserve 40.0 MiB for ${join(disk, "part")}`);
      expect([...content.subarray(0, 5)]).toEqual(Array.from({ length }, () => 1));
      if (!keep) expect([content.length, freeOf(disk)]).toEqual([0, before]);
    },
  );

  test("gives a file its length alone where the file system can neither reserve nor say what is free", async () => {
    const directory = fixture.mount("ramfs", "mode=700");
    if (directory === undefined) return;
    const { outcome, content } = await giveAgain(directory, directory, 5, MiB);
    expect([outcome, content.length, content[4], content[5]]).toEqual(["given", MiB, 1, 0]);
  });

  test("says so when the file system does not give the file its length", async () => {
    const disk = fixture.smallDisk(64 * MiB);
    if (disk === undefined) return;
    const path = join(disk, "part");
    writeFileSync(path, "");
    const fd = openSync(path, "r");
    const failure = await failureOf(reserveSpace({ fd, path, directory: disk, size: MiB, keep: false }));
    closeSync(fd);
    expect(failure).toBeInstanceOf(DiskError);
    expect(failure.message).toContain(`cannot give ${path} its length of 1.00 MiB`);
  });
});
