import { describe, expect, test } from "bun:test";
import { canRedraw, hasColors, speaksUnicode } from "../../../src/cli/screen/terminal.ts";
import { FakeStream } from "../fake-environment.ts";

const stream = (isTerminal: boolean) => Object.assign(new FakeStream(), { isTerminal });

describe("A stream", () => {
  const rows: readonly (readonly [boolean, Record<string, string>, redraws: boolean, colors: boolean])[] = [
    [true, {}, true, true],
    [true, { TERM: "xterm" }, true, true],
    [true, { NO_COLOR: "" }, true, true],
    [true, { NO_COLOR: "0" }, true, false],
    [true, { TERM: "dumb" }, false, false],
    [false, {}, false, false],
  ];
  for (const [isTerminal, variables, redraws, colors] of rows) {
    const kind = isTerminal ? "a terminal" : "no terminal";
    test(`that is ${kind} with ${JSON.stringify(variables)} ${colors ? "has" : "has no"} colours`, () => {
      expect(canRedraw(stream(isTerminal), variables)).toBe(redraws);
      expect(hasColors(stream(isTerminal), variables)).toBe(colors);
    });
  }
});

describe("The locale", () => {
  const rows: readonly (readonly [Record<string, string>, boolean])[] = [
    [{}, false],
    [{ LANG: "C.UTF-8" }, true],
    [{ LANG: "de_DE.utf8" }, true],
    [{ LANG: "de_DE.ISO-8859-1" }, false],
    [{ LC_CTYPE: "C", LANG: "C.UTF-8" }, false],
    [{ LC_CTYPE: "C.UTF-8", LANG: "C" }, true],
    [{ LC_ALL: "C", LC_CTYPE: "C.UTF-8" }, false],
    [{ LC_ALL: "C.UTF-8", LC_CTYPE: "C" }, true],
    [{ LC_ALL: "", LC_CTYPE: "", LANG: "C.UTF-8" }, true],
  ];
  for (const [variables, speaks] of rows) {
    test(`${JSON.stringify(variables)} ${speaks ? "speaks" : "does not speak"} Unicode`, () => {
      expect(speaksUnicode(variables)).toBe(speaks);
    });
  }
});
