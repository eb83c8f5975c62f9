// The strict scanner and the codec behind it: valid inputs, malformed inputs, and that no input makes them hang or throw.
import { describe, expect, test } from "bun:test";
import bencode from "bencode";
import * as fc from "fast-check";
import {
  asDict,
  type BencodeInput,
  type BencodeValue,
  decodeBencode,
  dictBytes,
  dictDict,
  dictInteger,
  dictList,
  dictText,
  encodeBencode,
  scanPrefix,
} from "../../../src/core/format/bencode.ts";
import { MAX_BENCODE_DEPTH, MAX_BENCODE_ITEMS } from "../../../src/core/format/limits.ts";

/** Each character is one byte, so that tables can hold bytes that are not UTF-8. */
const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const max = Number.MAX_SAFE_INTEGER;

describe("decodeBencode", () => {
  const good: [string, unknown][] = [
    ["i0e", 0],
    ["i-7e", -7],
    [`i${max}e`, max],
    [`i-${max}e`, -max],
    ["0:", new Uint8Array(0)],
    ["3:a:e", latin1("a:e")],
    ["le", []],
    ["li1el2:abee", [1, [latin1("ab")]]],
    ["de", new Map()],
    [
      "d1:b1:x1:ai1ee",
      new Map<string, unknown>([
        ["b", latin1("x")],
        ["a", 1],
      ]),
    ],
    ["d0:i1ee", new Map([["", 1]])],
    [
      "d11:constructori1e8:toStringi2ee",
      new Map([
        ["constructor", 1],
        ["toString", 2],
      ]),
    ],
  ];
  test.each(good)("reads %s", (text, value) => {
    expect(decodeBencode(latin1(text))).toEqual(value as BencodeValue);
  });

  const bad = [
    "",
    "i",
    "l",
    "d",
    "e",
    "1",
    "x",
    " i1e",
    "ie",
    "i-e",
    "i-0e",
    "i03e",
    "i-03e",
    "i 3e",
    "i+3e",
    "i1.5e",
    "i1",
    "i1x",
    `i${max + 1}e`,
    `i-${max + 1}e`,
    "i9223372036854775808e",
    "i99999999999999999999e",
    "3:ab",
    "10:abc",
    "-1:",
    "l-3:",
    "d-3:",
    "l-3:e",
    "00:",
    "03:abc",
    "1.9:a",
    "+1:a",
    "999999999:x",
    "99999999999999999999:x",
    ":",
    "1a:b",
    "i1ei2e",
    "0:x",
    "lee",
    "dee",
    "li1e",
    "d1:a",
    "d1:ae",
    "d1:ai1e",
    "di1ei1ee",
    "dlei1ee",
    "d1:ai1e1:ai2ee",
    "d1:bi1e1:ai1e1:bi2ee",
    "d9:__proto__d1:xi1eee",
    "ld9:__proto__i1eee",
  ];
  test.each(bad)("B3, B6: refuses %p", (text) => {
    expect(decodeBencode(latin1(text))).toBeUndefined();
  });

  test("names a key that is not UTF-8 by its hexadecimal digits", () => {
    expect(decodeBencode(latin1("d2:\xff\xfei1ee"))).toEqual(new Map([["fffe", 1]]));
  });

  test("B4: refuses two keys that the decoder would merge into one", () => {
    expect(decodeBencode(latin1("d2:\xff\xfei1e4:fffei2ee"))).toBeUndefined();
    expect(decodeBencode(latin1("d4:\xef\xbb\xbfai1e1:ai2ee"))).toBeUndefined();
    expect(decodeBencode(latin1("d12:\xef\xbb\xbf__proto__i1ee"))).toBeUndefined();
  });

  test("keeps the same key in different dictionaries apart", () => {
    expect(decodeBencode(latin1("ld1:ai1eed1:ai2eee"))).toEqual([new Map([["a", 1]]), new Map([["a", 2]])]);
  });

  test("returns copies, so that a reused receive buffer cannot change a value", () => {
    const bytes = latin1("d1:a3:xyze");
    const dict = asDict(decodeBencode(bytes));
    bytes.fill(0);
    expect(dict && dictText(dict, "a")).toBe("xyz");
  });

  test("B1: allows the deepest nesting of its limit and not one more", () => {
    const nested = (depth: number) => latin1("l".repeat(depth) + "e".repeat(depth));
    expect(decodeBencode(nested(MAX_BENCODE_DEPTH))).toBeDefined();
    expect(decodeBencode(nested(MAX_BENCODE_DEPTH + 1))).toBeUndefined();
    expect(decodeBencode(latin1("d1:ad1:aleee"), { maxDepth: 2, maxItems: 100 })).toBeUndefined();
  });

  test("B2: counts values and keys against its item limit", () => {
    const limits = { maxDepth: 4, maxItems: 5 };
    expect(decodeBencode(latin1("d1:ai1e1:bi2ee"), limits)).toBeDefined();
    expect(decodeBencode(latin1("d1:ai1e1:blee"), limits)).toBeDefined();
    expect(decodeBencode(latin1("d1:ai1e1:bli1eee"), limits)).toBeUndefined();
    expect(decodeBencode(latin1(`l${"i1e".repeat(MAX_BENCODE_ITEMS)}e`))).toBeUndefined();
    expect(decodeBencode(latin1(`l${"i1e".repeat(MAX_BENCODE_ITEMS - 1)}e`))).toBeDefined();
  });

  test("B1: returns undefined instead of overflowing the stack when a caller allows a million levels", () => {
    const bytes = latin1("l".repeat(1_000_000) + "e".repeat(1_000_000));
    expect(decodeBencode(bytes, { maxDepth: 1e7, maxItems: 1e7 })).toBeUndefined();
  });

  test.each(["l", "d1:a", "i1e", "1:"])("B1, B2: answers a megabyte of %p quickly", (unit) => {
    const bytes = latin1(unit.repeat(1_000_000 / unit.length));
    const start = performance.now();
    expect(decodeBencode(bytes)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(200);
  });
});

describe("scanPrefix", () => {
  test("ends after the first value, where a ut_metadata message has its payload", () => {
    const header = "d8:msg_typei1e5:piecei0ee";
    expect(scanPrefix(latin1(`${header}l-3:payload`))).toBe(header.length);
    expect(decodeBencode(latin1(`${header}payload`))).toBeUndefined();
    expect(scanPrefix(latin1("i1ei2e"))).toBe(3);
    expect(scanPrefix(latin1("2:abc"))).toBe(4);
  });

  test("never returns an index beyond the input", () => {
    for (const text of ["10:abc", "1:", "l2:ae", "d3:abi1ee", "d1:a9:x"])
      expect(scanPrefix(latin1(text))).toBeUndefined();
  });
});

describe("encodeBencode", () => {
  test("sorts keys and writes text as UTF-8", () => {
    expect(encodeBencode({ b: "é", a: [1, latin1("\xff")] })).toEqual(
      latin1("d1:ali1e1:\xffe1:b2:\xc3\xa9e"),
    );
    expect(
      encodeBencode(
        new Map([
          ["b", 1],
          ["a", 2],
        ]),
      ),
    ).toEqual(latin1("d1:ai2e1:bi1ee"));
  });

  test("throws for numbers that the package would round", () => {
    for (const value of [1.5, Number.NaN, 2 ** 53, { a: [0.1] }]) {
      expect(() => encodeBencode(value)).toThrow("cannot be bencoded");
    }
  });

  test("throws for values that the package would drop silently", () => {
    for (const value of [{ a: true }, { a: undefined }, [null], { a: 1n }, null, undefined] as unknown[]) {
      expect(() => encodeBencode(value as BencodeInput)).toThrow("cannot be bencoded");
    }
  });
});

describe("dictionary getters", () => {
  const dict = asDict(decodeBencode(latin1("d1:bd1:xi1ee1:ii5e1:lli1ee1:s2:hi1:u1:\xffe"))) ?? new Map();
  test("return the value of the right type", () => {
    expect(dictInteger(dict, "i")).toBe(5);
    expect(dictText(dict, "s")).toBe("hi");
    expect(dictBytes(dict, "s")).toEqual(latin1("hi"));
    expect(dictList(dict, "l")).toEqual([1]);
    expect(dictDict(dict, "b")).toEqual(new Map([["x", 1]]));
  });
  test("B5: return undefined for an absent key, another type, or text that is not UTF-8", () => {
    expect(dictInteger(dict, "s")).toBeUndefined();
    expect(dictInteger(dict, "toString")).toBeUndefined();
    expect(dictText(dict, "u")).toBeUndefined();
    expect(dictBytes(dict, "i")).toBeUndefined();
    expect(dictList(dict, "b")).toBeUndefined();
    expect(dictDict(dict, "l")).toBeUndefined();
    expect(asDict([1])).toBeUndefined();
  });
});

const anyValue = fc.letrec<{ value: BencodeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie("value"), { maxLength: 6 }),
    fc
      .uniqueArray(fc.tuple(fc.stringMatching(/^[ -~]{0,12}$/), tie("value")), {
        maxLength: 6,
        selector: ([key]) => key,
      })
      .map((entries) => new Map(entries.filter(([key]) => key !== "__proto__"))),
  ),
})).value;

describe("bencode properties", () => {
  test("decoding what was encoded gives the same value", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(decodeBencode(encodeBencode(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("a mutated value that passes the scanner encodes to no fewer bytes than it had", () => {
    fc.assert(
      fc.property(anyValue, fc.nat(), fc.nat(255), (value, where, byte) => {
        const bytes = encodeBencode(value);
        bytes[where % bytes.length] = byte;
        const decoded = decodeBencode(bytes);
        if (decoded !== undefined) expect(encodeBencode(decoded).length).toBeGreaterThanOrEqual(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });

  test("random bytes of the grammar neither hang nor throw, and the package decodes a scanned value up to the same index", () => {
    const soup = fc
      .array(fc.constantFrom("i", "l", "d", "e", "-", "0", "1", "2", "3", ":", "a", "1:a", "i1e"), {
        maxLength: 24,
      })
      .map((parts) => latin1(parts.join("")));
    fc.assert(
      fc.property(soup, (bytes) => {
        const end = scanPrefix(bytes);
        if (end === undefined) return;
        // The package hangs or throws on input that the scanner should have refused.
        const decoder: unknown = bencode.decode;
        bencode.decode(bytes.subarray(0, end));
        expect(decoder).toHaveProperty("position", end);
      }),
      { numRuns: 5000 },
    );
  });
});
