import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, linkSync, lstatSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { strangeTrait, strangeTraitIn } from "../../src/storage/own-file-check.ts";
import { StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();
const MADE = { uid: 7n, mode: 0o100644n };

function found(changes: { uid?: bigint; mode?: bigint; nlink?: bigint; file?: boolean } = {}) {
  const { uid = 7n, mode = 0o100644n, nlink = 1n, file = true } = changes;
  return { uid, mode, nlink, isFile: () => file };
}

describe("strangeTrait", () => {
  test("C13: passes what looks as a file that was just made there", () => {
    expect(strangeTrait(found(), MADE)).toBeUndefined();
    expect(strangeTrait(found({ mode: 0o100600n }), MADE)).toBeUndefined();
    // A kill between this bit and the final name leaves a part file with it.
    expect(strangeTrait(found({ mode: 0o100755n }), MADE)).toBeUndefined();
    // A file system that shows every file as root's and writable to all.
    const shown = { uid: 0n, mode: 0o100777n };
    expect(strangeTrait(found(shown), shown)).toBeUndefined();
  });

  test("C13: tells a file of another kind, owner or mode, and one with a second name", () => {
    expect(strangeTrait(found({ file: false }), MADE)).toBe("is not a regular file");
    expect(strangeTrait(found({ nlink: 2n }), MADE)).toBe("has a second name");
    expect(strangeTrait(found({ uid: 8n }), MADE)).toBe("belongs to another user");
    expect(strangeTrait(found({ mode: 0o100664n }), MADE)).toBe("can be written by other users");
    expect(strangeTrait(found({ mode: 0o100646n }), MADE)).toBe("can be written by other users");
  });
});

describe("strangeTraitIn", () => {
  test("C13: compares with a file that it makes and removes", () => {
    const folder = fixture.folder();
    const path = join(folder, "file");
    const trait = () => strangeTraitIn(folder, lstatSync(path, { bigint: true }));
    writeFileSync(path, "");
    expect(trait()).toBeUndefined();
    chmodSync(path, 0o666);
    expect(trait()).toBe("can be written by other users");
    const before = process.umask(0);
    expect(trait()).toBeUndefined();
    process.umask(before);
    linkSync(path, join(folder, "second"));
    expect(trait()).toBe("has a second name");
    expect(readdirSync(folder).toSorted()).toEqual(["file", "second"]);
  });

  test("C13: a link is no regular file", () => {
    const folder = fixture.folder();
    symlinkSync("/etc/passwd", join(folder, "link"));
    expect(strangeTraitIn(folder, lstatSync(join(folder, "link"), { bigint: true }))).toBe(
      "is not a regular file",
    );
  });

  test("C13: a file of another user is not ours", () => {
    if (process.getuid?.() !== 0) return;
    const folder = fixture.folder();
    writeFileSync(join(folder, "file"), "");
    chownSync(join(folder, "file"), 65_534, 65_534);
    expect(strangeTraitIn(folder, lstatSync(join(folder, "file"), { bigint: true }))).toBe(
      "belongs to another user",
    );
  });
});
