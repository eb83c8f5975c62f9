import { describe, expect, test } from "bun:test";
import { directory, magnet, onOff } from "../../../src/cli/values/value-kind.ts";

describe("A switch that is written as a text", () => {
  for (const text of ["true", "yes", "on", "1", "True", "ON"])
    test(`is on for '${text}'`, () => {
      expect(onOff.read(text)).toBe(true);
    });
  for (const text of ["false", "no", "off", "0", "FALSE", "Off"])
    test(`is off for '${text}'`, () => {
      expect(onOff.read(text)).toBe(false);
    });
  for (const text of ["", "2", "y", "yes ", "enabled"])
    test(`is refused for '${text}'`, () => {
      expect(onOff.read(text)).toBeUndefined();
    });
});

test("An empty text is neither a directory nor a magnet, any other may be", () => {
  expect([directory.read(""), magnet.read("")]).toEqual([undefined, undefined]);
  expect([directory.read(" "), magnet.read("x")]).toEqual([" ", "x"]);
});
