import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DestinationError } from "../../src/lib/errors.ts";
import { outputPlace } from "../../src/storage/output-place.ts";
import { failureOf, StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();

function folder(): string {
  const path = fixture.folder();
  mkdirSync(join(path, "sub"));
  writeFileSync(join(path, "old.img"), "content");
  symlinkSync("sub", join(path, "link"));
  symlinkSync("nowhere", join(path, "dangling"));
  return path;
}

describe("outputPlace", () => {
  test("is --dir under the torrent's name when -o is not given, whatever stands there", async () => {
    const directory = join(folder(), "old.img");
    expect(await outputPlace(directory, undefined)).toEqual({ directory, fileName: undefined });
  });

  for (const given of ["sub", "link", "sub/", "new/", "old.img/", ".", "..", "sub/.", "new/.."]) {
    test(`takes ${given} as a directory`, async () => {
      const output = `${folder()}/${given}`;
      expect(await outputPlace("elsewhere", output)).toEqual({ directory: output, fileName: undefined });
    });
  }

  for (const given of ["new.img", "old.img", "dangling", "none/new.img"]) {
    test(`takes ${given} as a file's name, and makes nothing`, async () => {
      const path = folder();
      const before = readdirSync(path);
      const { directory, fileName } = await outputPlace("elsewhere", join(path, given));
      expect(join(directory, fileName ?? "")).toBe(join(path, given));
      expect(fileName).toBe(given.split("/").at(-1));
      expect(readdirSync(path)).toEqual(before);
    });
  }

  test("takes a bare name as one in the current directory", async () => {
    expect(await outputPlace("elsewhere", "no-such-file.img")).toEqual({
      directory: ".",
      fileName: "no-such-file.img",
    });
  });

  const refused: readonly (readonly [given: string, why: string])[] = [
    ["d\uFFFD", "not valid UTF-8"],
    ["d\uFFFD/", "not valid UTF-8"],
    ["old.img/new.img", "is not a directory"],
    [".p2pfile.db", "reserved"],
    ["x".repeat(256), "too long"],
  ];
  for (const [given, why] of refused) {
    test(`refuses ${JSON.stringify(given.slice(0, 20))}`, async () => {
      const error = await failureOf(outputPlace("elsewhere", join(folder(), given)));
      expect(error).toBeInstanceOf(DestinationError);
      expect(String(error)).toContain(why);
    });
  }

  test("refuses a --dir that is not UTF-8", async () => {
    expect(await failureOf(outputPlace("d\uFFFD", undefined))).toBeInstanceOf(DestinationError);
  });
});
