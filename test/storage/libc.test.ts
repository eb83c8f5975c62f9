import { describe, expect, test } from "bun:test";
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allocate, lockExclusively, renameWithoutReplacing } from "../../src/storage/libc.ts";
import { StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();

describe("libc", () => {
  test("renames to a free name, unicode included, and never replaces", () => {
    const folder = fixture.folder();
    const from = join(folder, "von ä");
    const to = join(folder, "nach ö");
    writeFileSync(from, "1");
    writeFileSync(to, "2");
    expect(renameWithoutReplacing(from, to)).toBe("EEXIST");
    expect(readFileSync(to, "utf8")).toBe("2");
    expect(renameWithoutReplacing(from, join(folder, "free"))).toBeUndefined();
    expect(existsSync(from)).toBe(false);
    expect(renameWithoutReplacing(from, join(folder, "other"))).toBe("ENOENT");
  });

  test("reserves space beyond 4 GiB by offset, and gives the code of what cannot be", () => {
    const path = join(fixture.folder(), "file");
    const fd = openSync(path, "w+");
    expect(allocate(fd, 5 * 2 ** 30, 4096)).toBeUndefined();
    expect(statSync(path).size).toBe(5 * 2 ** 30 + 4096);
    expect(allocate(fd, 0, 2 ** 62)).toBe("EFBIG");
    expect(allocate(fd, 0, 0)).toBe("EINVAL");
    closeSync(fd);
    expect(allocate(fd, 0, 1)).toBe("EBADF");
  });

  test("locks an open file once, until it is closed", () => {
    const path = join(fixture.folder(), "file");
    const first = openSync(path, "w+");
    const second = openSync(path, "r+");
    expect([lockExclusively(first), lockExclusively(second)]).toEqual([undefined, "EWOULDBLOCK"]);
    closeSync(first);
    expect(lockExclusively(second)).toBeUndefined();
    closeSync(second);
  });
});
