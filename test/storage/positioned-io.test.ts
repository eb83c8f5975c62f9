import { expect, test } from "bun:test";
import { join } from "node:path";
import { StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();
const FIXTURE = join(import.meta.dir, "fixtures/short-counts.ts");

test("a system that takes and gives a few bytes at a time gets and gives all of them, each at its place", () => {
  const env = { ...process.env, P2PFILE_TEST_FILE: join(fixture.folder(), "file") };
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "test", FIXTURE], { env });
  const line = stdout
    .toString()
    .split("\n")
    .find((text) => text.startsWith("{"));
  if (line === undefined) throw new Error(stderr.toString());
  expect(JSON.parse(line)).toEqual({
    written: true,
    content: "....abcdefghijk",
    reads: [
      [null, 8, "bcdefghi"],
      [null, 6, "abcdef"],
      // The file ends early, or has ended before.
      [null, 5, "ghijk---"],
      [null, 0, "----"],
      [null, 3, "cde"],
    ],
    unread: ["Error: EIO", 0],
    again: "ABC.ab",
    stuck: "Error: the system wrote 0 bytes",
    failed: "Error: EIO",
  });
});
