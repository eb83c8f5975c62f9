import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { checkFileName, printable } from "../../../src/core/format/file-name.ts";

describe("checkFileName", () => {
  test.each([
    "model.bin",
    "a",
    "...",
    ".hidden",
    "with space",
    "ümläut-模型.gguf",
    "a&b;c$(d)`e`",
    "%2e%2e%2f",
    "x".repeat(200),
    "👩‍👩‍👧.png",
    "p2pfile",
    "my.p2pfile.db",
    "x.p2pfile-parts",
    "CON",
    "a:b",
    "~",
  ])("accepts %p", (name) => {
    expect(checkFileName(name)).toBeUndefined();
  });

  const refused: [string, string][] = [
    ["", "empty"],
    [".", "directory"],
    ["..", "directory"],
    ["/", "separator"],
    ["/etc/passwd", "separator"],
    ["../x", "separator"],
    ["a/b", "separator"],
    ["..\\x", "separator"],
    ["-rf", '"-"'],
    ["a\0b", "control"],
    ["a\nb", "control"],
    ["\x1b[2Jx", "control"],
    ["a\x7f", "control"],
    ["a\x85", "control"],
    ["a\u2028b", "control"],
    ["exe.\u202egpj", "bidirectional"],
    ["a\u2066b", "bidirectional"],
    ["a\u061c", "bidirectional"],
    ["a\ud800", "UTF-8"],
    ["x".repeat(201), "200 bytes"],
    ["é".repeat(101), "200 bytes"],
    [".p2pfile.db", "reserved"],
    [".p2pfile.db-wal", "reserved"],
    [".P2PFILE.DB-journal", "reserved"],
    [".p2pfile.yaml", "reserved"],
    [".x.01234567.p2pfile-part", "reserved"],
  ];
  test.each(refused)("C15, C16, C20: refuses %p", (name, why) => {
    expect(checkFileName(name)).toContain(why);
  });

  test("C16: a name that passes is one component and reads the same on a terminal", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 12 }), (name) => {
        if (checkFileName(name) !== undefined) return;
        expect(new URL(`file:///d/${encodeURIComponent(name)}`).pathname).toStartWith("/d/");
        expect(printable(name)).toBe(name);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("printable", () => {
  test("C16: escapes characters that control a terminal and leaves the rest", () => {
    expect(printable("\x1b[31mred\x9b\u202egpj\nü模👍")).toBe("\\u{1b}[31mred\\u{9b}\\u{202e}gpj\\u{a}ü模👍");
    expect(printable("a\ud800b")).toBe("a\\u{d800}b");
  });
});
