import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DestinationError } from "../../src/lib/errors.ts";
import {
  canOthersWrite,
  foreignTrait,
  ownUid,
  privateDirectory,
} from "../../src/storage/private-directory.ts";
import { StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();
const US = 1000n;

describe("canOthersWrite", () => {
  const table: [string, bigint, bigint, boolean][] = [
    ["ours", US, 0o755n, false],
    ["ours, for us alone", US, 0o700n, false],
    ["root's", 0n, 0o755n, false],
    ["another user's", 1001n, 0o700n, true],
    ["ours, which a group can write to", US, 0o775n, true],
    ["ours, which all can write to", US, 0o757n, true],
    ["a sticky one, which all can write to", 0n, 0o1777n, true],
  ];
  test.each(table)("C13: a directory that is %s", (_, uid, mode, expected) => {
    expect(canOthersWrite({ uid, mode }, US)).toBe(expected);
  });
});

describe("foreignTrait", () => {
  const found = (uid: bigint, mode: bigint, directory = true) => ({
    uid,
    mode,
    isDirectory: () => directory,
  });
  test("passes a directory of ours with mode 700, and says what another one is", () => {
    expect(foreignTrait(found(US, 0o40700n), US)).toBeUndefined();
    // A set group id is inherited.
    expect(foreignTrait(found(US, 0o42700n), US)).toBeUndefined();
    expect(foreignTrait(found(US, 0o40700n, false), US)).toBe("is not a directory");
    expect(foreignTrait(found(0n, 0o40700n), US)).toBe("belongs to another user");
    for (const mode of [0o710n, 0o701n, 0o777n, 0o500n])
      expect(foreignTrait(found(US, mode), US)).toStartWith("has mode");
  });
});

describe("privateDirectory", () => {
  test("C13: is the directory itself, resolved, while no other user can write to it", () => {
    const folder = fixture.folder();
    const link = join(fixture.folder(), "link");
    symlinkSync(folder, link);
    expect(privateDirectory(link)).toEqual({ path: folder });
  });

  test("C16: is none where a link leads to a path that is not UTF-8, though its look-alike stands there", () => {
    const folder = fixture.folder();
    mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0xff)]));
    mkdirSync(join(folder, "\uFFFD"));
    symlinkSync(Buffer.of(0xff), join(folder, "link"));
    expect(() => privateDirectory(join(folder, "link"))).toThrow(DestinationError);
  });

  test.each([0o1777, 0o777, 0o775])("C13: is one of our own in a directory of mode %o", (mode) => {
    const folder = fixture.folder();
    chmodSync(folder, mode);
    const own = join(folder, `.p2pfile-${ownUid()}`);
    expect(privateDirectory(folder)).toEqual({ path: own });
    expect(lstatSync(own).mode & 0o777).toBe(0o700);
    expect(privateDirectory(folder)).toEqual({ path: own });
  });

  const planted: [string, (path: string) => void, string][] = [
    ["a link", (path) => symlinkSync("/etc", path), "is not a directory"],
    ["a file", (path) => writeFileSync(path, ""), "is not a directory"],
    ["a directory that others can read", (path) => mkdirSync(path, 0o755), "has mode 755"],
  ];
  test.each(planted)("C13: is none where %s is planted under its name", (_, plant, why) => {
    const folder = fixture.folder();
    chmodSync(folder, 0o1777);
    const own = join(folder, `.p2pfile-${ownUid()}`);
    plant(own);
    const found = privateDirectory(folder);
    expect("problem" in found && found.problem).toContain(`${own} ${why}`);
  });

  test("C13: is none where another user made it", () => {
    if (process.getuid?.() !== 0) return;
    const folder = fixture.folder();
    chmodSync(folder, 0o1777);
    const own = join(folder, ".p2pfile-0");
    mkdirSync(own, 0o700);
    chownSync(own, 65_534, 65_534);
    expect(privateDirectory(folder)).toEqual({ problem: `${own} belongs to another user` });
  });
});
