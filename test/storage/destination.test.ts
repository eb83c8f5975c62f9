import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DestinationError } from "../../src/lib/errors.ts";
import { inspectDestination, prepareDirectory } from "../../src/storage/destination.ts";
import { failureOf, StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();

describe("inspectDestination", () => {
  test("finds a free name, also in a directory that is not there yet", async () => {
    const folder = fixture.folder();
    expect(await inspectDestination(folder, "model.bin", 7)).toBe("free");
    expect(await inspectDestination(join(folder, "new"), "model.bin", 7)).toBe("free");
  });

  test("refuses a directory that cannot be looked into: its name is not free", async () => {
    const file = join(fixture.folder(), "file");
    writeFileSync(file, "x");
    const failure = await failureOf(inspectDestination(file, "model.bin", 7));
    expect(failure).toBeInstanceOf(DestinationError);
    expect(failure.message).toStartWith(`${file}: `);
  });

  test("does not take a directory of the right size for the file", async () => {
    const folder = fixture.folder();
    mkdirSync(join(folder, "model.bin"));
    const { size } = statSync(join(folder, "model.bin"));
    const failure = await failureOf(inspectDestination(folder, "model.bin", size));
    expect(failure.message).toContain("already exists and is a directory");
  });

  test("finds a file of the same size, whose content is not its business", async () => {
    const folder = fixture.folder();
    const path = join(folder, "model.bin");
    writeFileSync(path, "content");
    expect(await inspectDestination(folder, "model.bin", 7)).toEqual({ sameSizePath: path });
  });

  const occupied: readonly [string, (path: string) => void][] = [
    ["another file", (path) => writeFileSync(path, "other size")],
    ["a symbolic link to a file of the right size", (path) => linkToFile(path)],
    ["a directory", (path) => mkdirSync(path)],
    ["a device", (path) => symlinkSync("/dev/zero", path)],
  ];
  test.each(occupied)("C12, C13: refuses a name where %s stands, and leaves it", async (_, make) => {
    const folder = fixture.folder();
    const path = join(folder, "model.bin");
    make(path);
    const failure = await failureOf(inspectDestination(folder, "model.bin", 7));
    expect(failure).toBeInstanceOf(DestinationError);
    expect(failure.message).toContain(`${path}: already exists`);
    expect(failure.message).toContain("move it away or choose another --dir");
    expect(existsSync(path)).toBe(true);
  });

  const bad = ["", ".", "..", "a/b", "../x", "a\0b", ".p2pfile.db", ".p2pfile.db-wal", ".x.0a.p2pfile-part"];
  test.each(bad)("C15, C20: refuses the name %j", async (name) => {
    const failure = await failureOf(inspectDestination(fixture.folder(), name, 7));
    expect(failure).toBeInstanceOf(DestinationError);
    expect(failure.message).toMatch(/^the torrent's name .* (cannot be the name of a file|is reserved for)/);
  });

  test("C16: refuses a name that no file system takes", async () => {
    const failure = await failureOf(inspectDestination(fixture.folder(), "ä".repeat(128), 7));
    expect(failure).toBeInstanceOf(DestinationError);
    expect(failure.message).toStartWith("the torrent's name is longer than 255 bytes: ");
    expect(await inspectDestination(fixture.folder(), "x".repeat(255), 7)).toBe("free");
  });
});

describe("prepareDirectory", () => {
  test("makes the last component, twice at once, and no more", async () => {
    const folder = fixture.folder();
    const wanted = join(folder, "models");
    expect(await Promise.all([prepareDirectory(wanted), prepareDirectory(wanted)])).toEqual([wanted, wanted]);
    const deep = join(folder, "a/b/c");
    const failure = await failureOf(prepareDirectory(deep));
    expect(failure).toBeInstanceOf(DestinationError);
    expect(failure.message).toBe(
      `${deep}: no such directory; make it first (mkdir -p) or choose another --dir`,
    );
    expect(existsSync(join(folder, "a"))).toBe(false);
  });

  test("names what is in the way or may not be written", async () => {
    const folder = fixture.folder();
    writeFileSync(join(folder, "file"), "x");
    expect((await failureOf(prepareDirectory(join(folder, "file")))).message).toContain("is not a directory");
    expect((await failureOf(prepareDirectory(join(folder, "file/x")))).message).toContain(
      "is not a directory",
    );
    expect(await failureOf(prepareDirectory("/proc/p2pfile"))).toBeInstanceOf(DestinationError);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("x");
  });
});

function linkToFile(path: string): void {
  const target = join(fixture.folder(), "target");
  writeFileSync(target, "content");
  symlinkSync(target, path);
}
