import { describe, expect, test } from "bun:test";
import { HashFailure } from "../../src/hashing/hash-failure.ts";
import { DiskError } from "../../src/lib/errors.ts";
import { diskErrorOf, diskErrorOfCode } from "../../src/storage/disk-error.ts";

const DOING = "cannot write /data/x";

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

describe("diskErrorOf", () => {
  test("says in words what a known code means, thrown or returned", () => {
    const words = "cannot write /data/x: the disk is full; free some space and run the same command again";
    const cause = systemError("ENOSPC", "no space left on device, write");
    expect(diskErrorOf(DOING, cause)).toBeInstanceOf(DiskError);
    expect([diskErrorOf(DOING, cause).message, diskErrorOf(DOING, cause).cause]).toEqual([words, cause]);
    expect(diskErrorOf(DOING, new HashFailure("/data/x", "ENOSPC", "no space left")).message).toBe(words);
    expect(diskErrorOfCode(DOING, "ENOSPC").message).toBe(words);
  });

  test("gives the system's own words for any other code, and what to do", () => {
    const remedy = "check the disk and run the same command again";
    expect(diskErrorOf(DOING, systemError("ENXIO", "no such device")).message).toBe(
      `${DOING}: ENXIO: no such device; ${remedy}`,
    );
    expect(diskErrorOf(DOING, new Error("the system wrote 0 bytes")).message).toBe(
      `${DOING}: the system wrote 0 bytes; ${remedy}`,
    );
    expect(diskErrorOfCode(DOING, "errno 71").message).toBe(`${DOING}: errno 71; ${remedy}`);
  });

  test("does not name the disk when a worker died", () => {
    const failure = new HashFailure("/data/x", "EWORKER", "the hash worker died twice: out of memory");
    const { message } = diskErrorOf(DOING, failure);
    expect(message).toBe(
      "cannot hash /data/x: the hash worker died twice: out of memory; run the same command again",
    );
  });
});
