import { describe, expect, test } from "bun:test";
import { nearest } from "../../src/cli/nearest.ts";

const rows: readonly (readonly [word: string, words: readonly string[], best: string | undefined])[] = [
  // One letter is no hint, two are.
  ["p", ["port", "p"], undefined],
  ["ip", ["up", "port"], "up"],
  // Half of the letters may be wrong, and never more than three.
  ["abcd", ["abxy"], "abxy"],
  ["abcd", ["axyz"], undefined],
  ["abc", ["abx"], "abx"],
  ["abc", ["axy"], undefined],
  ["abcdefgh", ["abcdexyz"], "abcdexyz"],
  ["abcdefgh", ["abcdwxyz"], undefined],
  // Letters that are left out or too many count as those that are wrong.
  ["abcdefgh", ["abcde"], "abcde"],
  ["abcdefgh", ["abcd"], undefined],
  ["bcdefgh", ["abcdefgh"], "abcdefgh"],
  ["xabcdefgh", ["abcdefgh"], "abcdefgh"],
  // A word that stops early means the first one that goes on.
  ["upl", ["upload-limit", "upload"], "upload-limit"],
  ["up", ["upload-limit"], undefined],
  // The nearest one, and of several that are equally near the first.
  ["prot", ["prat-x", "port", "prof", "prop"], "prof"],
  ["", [""], undefined],
];

describe("The nearest word", () => {
  for (const [word, words, best] of rows) {
    test(`of ${words.join(", ")} to '${word}' is ${best ?? "none"}`, () => {
      expect(nearest(word, words)).toBe(best);
    });
  }
});
