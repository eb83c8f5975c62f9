import { describe, expect, test } from "bun:test";
import { assert, assertNever } from "../../src/lib/assert.ts";
import {
  BusyError,
  DestinationError,
  DiskError,
  IntegrityError,
  InvariantError,
  NoPeerError,
  P2pfileError,
  SourceError,
  systemErrorCode,
  UsageError,
} from "../../src/lib/errors.ts";

describe("P2pfileError", () => {
  // The exit codes are part of the command line contract.
  const table: [new (message: string, options?: ErrorOptions) => P2pfileError, string, number][] = [
    [InvariantError, "InvariantError", 1],
    [UsageError, "UsageError", 2],
    [SourceError, "SourceError", 3],
    [DestinationError, "DestinationError", 4],
    [DiskError, "DiskError", 5],
    [NoPeerError, "NoPeerError", 6],
    [IntegrityError, "IntegrityError", 7],
    [BusyError, "BusyError", 8],
  ];
  test("each kind has its name, exit code, message and cause", () => {
    for (const [Kind, name, exitCode] of table) {
      const cause = new Error("why");
      const error = new Kind("what", { cause });
      expect(error).toBeInstanceOf(P2pfileError);
      expect([error.name, error.exitCode as number, error.message, error.cause]).toEqual([
        name,
        exitCode,
        "what",
        cause,
      ]);
    }
  });
});

test("assert throws an InvariantError with its message, and only when the condition is false", () => {
  expect(() => assert(true, "fine")).not.toThrow();
  expect(() => assert(false, "broken")).toThrow(new InvariantError("broken"));
});

test("assertNever names the case that was not expected", () => {
  expect(() => assertNever({ type: "new" } as never)).toThrow('unexpected case {"type":"new"}');
});

test("systemErrorCode reads the code of a system error and of nothing else", () => {
  expect(systemErrorCode(Object.assign(new Error("no file"), { code: "ENOENT" }))).toBe("ENOENT");
  for (const other of [undefined, null, "ENOENT", new Error("plain"), { code: 2 }]) {
    expect(systemErrorCode(other)).toBeUndefined();
  }
});
