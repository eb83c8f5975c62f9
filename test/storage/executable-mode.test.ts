import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { executableMode, makeExecutable } from "../../src/storage/executable-mode.ts";
import { StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();

test.each([
  [0o100644, 0o022, 0o755],
  [0o100600, 0o077, 0o700],
  [0o100664, 0o002, 0o775],
  [0o100644, 0o133, 0o644],
  [0o104644, 0o022, 0o755],
  [0o107755, 0o000, 0o755],
])("mode %o under umask %o becomes %o: never setuid, setgid or sticky", (mode, umask, expected) => {
  expect(executableMode(BigInt(mode), umask)).toBe(expected);
});

test("makeExecutable changes the open file, and gives the code of the system where it cannot", async () => {
  const path = join(fixture.folder(), "tool");
  const fd = openSync(path, "w");
  chmodSync(path, 0o4640);
  expect(await makeExecutable(fd)).toBeUndefined();
  expect(statSync(path).mode & 0o7777).toBe(executableMode(0o640n, process.umask()));
  closeSync(fd);
  expect(await makeExecutable(fd)).toBe("EBADF");
});
