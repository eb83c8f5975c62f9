import { describe, expect, test } from "bun:test";
import { DiskError, ExitCode, IntegrityError } from "../../../src/lib/errors.ts";
import { localFailure } from "../../../src/session/file/local-failure.ts";

describe("localFailure", () => {
  test("an error with a name of its own stays as it is", () => {
    const error = new IntegrityError("the source changed");
    expect(localFailure("/data/model.bin", error)).toBe(error);
  });

  test("P8: a system error is told with the file and its code, and kept as the cause", () => {
    const cause = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
    const failure = localFailure("/data/model.bin", cause);
    expect(failure).toBeInstanceOf(DiskError);
    expect(failure.message).toStartWith("/data/model.bin: reading or writing failed (EIO); ");
    expect([failure.exitCode, failure.cause]).toEqual([ExitCode.disk, cause]);
  });

  test.each([
    ["an error without a code", new Error("worker died"), "(worker died)"],
    ["a word", "gone", "(gone)"],
    ["nothing", undefined, "(undefined)"],
  ])("%s is told in its own words", (_name, error, words) => {
    expect(localFailure("x", error).message).toContain(words);
  });
});
