import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { DiskError } from "../../src/lib/errors.ts";
import { creationErrorOf } from "../../src/storage/creation-error.ts";
import { prepareDirectory } from "../../src/storage/destination.ts";
import { failureOf, StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();
const coded = (code: string) => Object.assign(new Error(code), { code });

test("a full disk and too many open files are named, also where a new file was wanted", async () => {
  const path = join(fixture.folder(), "new");
  expect((await creationErrorOf(path, coded("ENOSPC")))?.message).toContain("the disk is full");
  expect((await creationErrorOf(path, coded("EMFILE")))?.message).toBe(
    `cannot create ${path}: too many open files; raise the limit (ulimit -n)`,
  );
  expect((await creationErrorOf(path, coded("ENFILE")))?.message).toContain("fs.file-max");
});

test("what the directory is to blame for is no error of the disk", async () => {
  for (const code of ["EACCES", "EROFS", "ELOOP"]) {
    expect(await creationErrorOf("/x/y", coded(code))).toBeUndefined();
  }
});

test("C9: a file system without free inodes is named as that, for a file and for a directory", async () => {
  const disk = fixture.folder();
  // The root directory and one more.
  const isMounted = Bun.spawnSync([
    "mount",
    "-t",
    "tmpfs",
    "-o",
    "nr_inodes=2,size=1m",
    "p2pfile-test",
    disk,
  ]).success;
  if (!isMounted) return console.warn("SKIPPED: a small file system cannot be mounted here");
  try {
    mkdirSync(join(disk, "last"));
    const refused = await failureOf(open(join(disk, "new"), "w"));
    expect((await creationErrorOf(join(disk, "new"), refused))?.message).toContain("no free inodes (df -i)");
    const directory = await failureOf(prepareDirectory(join(disk, "sub")));
    expect(directory).toBeInstanceOf(DiskError);
    expect(String(directory)).toContain("no free inodes (df -i)");
  } finally {
    Bun.spawnSync(["umount", "-l", disk]);
  }
});
