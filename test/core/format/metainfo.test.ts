import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type BencodeInput, encodeBencode } from "../../../src/core/format/bencode.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { MAX_FILE_LENGTH } from "../../../src/core/torrent/limits.ts";
import { MAX_METADATA_LENGTH } from "../../../src/core/format/limits.ts";
import {
  createMetainfo,
  expectedDigest,
  type Metainfo,
  parseInfoDict,
} from "../../../src/core/format/metainfo.ts";
import { toHex } from "../../../src/lib/bytes.ts";
import { sha1 } from "../../../src/lib/sha1.ts";
import { GiB, KiB, MiB } from "../../../src/lib/units.ts";

const digests = (count: number): Uint8Array => Uint8Array.from({ length: count * 20 }, (_, at) => at);
const good = { length: 100_000, name: "model.bin", "piece length": 65_536, pieces: digests(2) };

function parsed(fields: Record<string, BencodeInput>): Metainfo {
  const result = parseInfoDict(encodeBencode(fields));
  if ("error" in result) throw new Error(result.error);
  return result;
}

function errorOf(fields: Record<string, BencodeInput>): string {
  const result = parseInfoDict(encodeBencode(fields));
  return "error" in result ? result.error : "no error";
}

describe("createMetainfo", () => {
  test("writes length, name, piece length and pieces, and nothing else", () => {
    const metainfo = createMetainfo("model.bin", 100_000, 65_536, digests(2));
    const text = String.fromCharCode(...metainfo.infoBytes);
    expect(text).toStartWith("d6:lengthi100000e4:name9:model.bin12:piece lengthi65536e6:pieces40:");
    expect(text).toHaveLength(
      "d6:lengthi100000e4:name9:model.bin12:piece lengthi65536e6:pieces40:e".length + 40,
    );
    expect(metainfo.infoHash as string).toBe(toHex(sha1(metainfo.infoBytes)));
  });

  test("gives the known info hash for these arguments", () => {
    // sha1 of "d6:lengthi5e4:name1:a12:piece lengthi262144e6:pieces20:<SHA-1 of 'hello'>e", made with another program.
    const metainfo = createMetainfo("a", 5, 256 * KiB, sha1(new TextEncoder().encode("hello")));
    expect(metainfo.infoHash as string).toBe("bdaef9737fa959cd5ffde40dae6deff354d00194");
  });

  test.each(["", "..", "a/b", ".p2pfile.db"])(
    "throws for the name %p, which no one could download",
    (name) => {
      expect(() => createMetainfo(name, 1, 256 * KiB, digests(1))).toThrow("cannot describe");
    },
  );

  test("throws unless there is one digest for each piece", () => {
    expect(() => createMetainfo("a", 256 * KiB + 1, 256 * KiB, digests(1))).toThrow('"pieces" has 20 bytes');
  });
});

describe("parseInfoDict", () => {
  test("reads the output of createMetainfo", () => {
    const length = fc.integer({ min: 1, max: 10_000_000 });
    const pieceLength = fc.integer({ min: 1, max: 40 }).map((blocks) => blocks * 16 * KiB);
    fc.assert(
      fc.property(
        length,
        pieceLength,
        fc.stringMatching(/^[a-zä模.]{1,20}[a-z]$/u),
        (length, pieceLength, name) => {
          const pieces = digests(Math.ceil(length / pieceLength));
          const made = createMetainfo(name, length, pieceLength, pieces);
          expect(parseInfoDict(made.infoBytes)).toEqual(made);
          expect([made.name, made.geometry.length, made.geometry.pieceLength]).toEqual([
            name,
            length,
            pieceLength,
          ]);
          expect(made.pieces).toEqual(pieces);
        },
      ),
    );
  });

  test("B4: takes the info hash over the raw bytes, in any order of keys", () => {
    const bytes = new TextEncoder().encode(
      "d6:pieces20:aaaaaaaaaaaaaaaaaaaa12:piece lengthi16384e4:name1:x6:lengthi1e6:sourcei7ee",
    );
    const result = parseInfoDict(bytes);
    expect("infoHash" in result && (result.infoHash as string)).toBe(toHex(sha1(bytes)));
    expect("infoBytes" in result && result.infoBytes).toEqual(bytes);
  });

  test("keeps its own copy of the bytes", () => {
    const bytes = encodeBencode(good);
    const result = parseInfoDict(bytes);
    bytes.fill(0);
    expect("infoBytes" in result && result.infoBytes).toEqual(encodeBencode(good));
  });

  test("B9: uses the version 1 half of a hybrid torrent of one file", () => {
    const tree = { "model.bin": { "": { length: 100_000, "pieces root": digests(2).subarray(0, 32) } } };
    expect(parsed({ ...good, "meta version": 2, "file tree": tree }).geometry.pieceCount).toBe(2);
  });

  const honest: [string, Record<string, BencodeInput>][] = [
    [
      "the shortest accepted piece length",
      { ...good, length: 1, "piece length": 16_384, pieces: digests(1) },
    ],
    ["a piece length that is no power of two", { ...good, "piece length": 48 * KiB, pieces: digests(3) }],
    ["the longest accepted piece length", { ...good, "piece length": 64 * MiB, pieces: digests(1) }],
    [
      "4 TiB in 16 MiB pieces",
      { ...good, length: 4096 * GiB, "piece length": 16 * MiB, pieces: digests(262_144) },
    ],
    [
      "the largest file",
      { ...good, length: MAX_FILE_LENGTH, "piece length": 64 * MiB, pieces: digests(262_144) },
    ],
    ["private torrents", { ...good, private: 1 }],
    ["unknown keys", { ...good, source: "x", "name.utf-8": "../../x" }],
  ];
  test.each(honest)("B7: accepts %s", (_, fields) => {
    expect(errorOf(fields)).toBe("no error");
  });

  const { length, name, pieces, "piece length": pieceLength } = good;
  const listed = (...files: readonly BencodeInput[]) => ({
    name,
    pieces,
    "piece length": pieceLength,
    files,
  });

  test("takes a list of one file as that file, under the last component of its path", () => {
    const bytes = encodeBencode(listed({ length, path: ["..", "sub", "disk.img"] }));
    const metainfo = parseInfoDict(bytes);
    expect(metainfo).toMatchObject({ name: "disk.img", infoHash: toHex(sha1(bytes)), infoBytes: bytes });
    expect("geometry" in metainfo && metainfo.geometry.length).toBe(length);
  });

  const hostile: [string, Record<string, BencodeInput>, string][] = [
    ["several files", listed({ length: 1, path: ["a"] }, { length: 1, path: ["b"] }), "several files"],
    ["a list of files beside a length", { ...good, files: [{ length: 1, path: ["a"] }] }, 'both "length"'],
    ["a list without a file", listed(), '"files" has no file'],
    ["a list of texts", listed("a"), '"files" has no file'],
    ["files as a number", { name, pieces, "piece length": pieceLength, files: 1 }, '"files" has no file'],
    ["a listed file without a length", listed({ path: ["a"] }), '"length" is missing'],
    ["a listed file without a path", listed({ length }), '"name" is missing'],
    ["an empty path", listed({ length, path: [] }), '"name" is missing'],
    ["a path that ends in the directory above", listed({ length, path: ["a", ".."] }), "is a directory"],
    ["a path whose last component is a path", listed({ length, path: ["a/b"] }), "path separator"],
    ["a path that ends in our state store", listed({ length, path: ["a", ".p2pfile.db"] }), "reserved"],
    [
      "version 2 only",
      { name, "piece length": pieceLength, "meta version": 2, "file tree": {} },
      "version 2",
    ],
    ["no length", { name, pieces, "piece length": pieceLength }, '"length" is missing'],
    ["length as text", { ...good, length: "5" }, '"length" is missing'],
    ["length 0", { ...good, length: 0 }, '"length" is 0'],
    ["length -1", { ...good, length: -1 }, '"length" is -1'],
    ["length beyond 16 TiB", { ...good, length: MAX_FILE_LENGTH + 1 }, '"length" is'],
    ["no piece length", { length, name, pieces }, '"piece length" is missing'],
    ["piece length 0", { ...good, "piece length": 0 }, '"piece length" is 0'],
    ["piece length -16384", { ...good, "piece length": -16_384 }, '"piece length" is -16384'],
    ["piece length 8 KiB", { ...good, "piece length": 8192 }, '"piece length" is 8192'],
    ["piece length 16385", { ...good, "piece length": 16_385 }, '"piece length" is 16385'],
    ["piece length 128 MiB", { ...good, "piece length": 128 * MiB }, '"piece length" is'],
    ["no pieces", { length, name, "piece length": pieceLength }, '"pieces" is missing'],
    ["pieces as a number", { ...good, pieces: 40 }, '"pieces" is missing'],
    ["pieces of 39 bytes", { ...good, pieces: digests(2).subarray(1) }, '"pieces" has 39 bytes'],
    ["one digest too few", { ...good, pieces: digests(1) }, '"pieces" has 20 bytes'],
    ["one digest too many", { ...good, pieces: digests(3) }, '"pieces" has 60 bytes'],
    ["too many pieces", { ...good, length: 8 * GiB, "piece length": 16_384 }, "pieces are more than"],
    ["no name", { length, pieces, "piece length": pieceLength }, '"name" is missing'],
    ["name as a number", { ...good, name: 1 }, '"name" is missing'],
    ["name with a path", { ...good, name: "../../etc/passwd" }, "path separator"],
    ["name that is not UTF-8", { ...good, name: Uint8Array.of(0x61, 0xff) }, "not valid UTF-8"],
    ["name that steers the terminal", { ...good, name: "\x1b[2Jx" }, '"\\u{1b}[2Jx" contains control'],
    ["the name of our state store", { ...good, name: ".p2pfile.db" }, "reserved"],
  ];
  test.each(hostile)("B5, B7, B8, B9, C15: refuses %s", (_, fields, why) => {
    expect(errorOf(fields)).toContain(why);
  });

  test.each(["", "i1e", "le", "l-3:", "d1:a", "d4:name1:a4:name1:be"])(
    "refuses %p, which is no info dict",
    (text) => {
      expect(parseInfoDict(new TextEncoder().encode(text))).toEqual({
        error: "metadata is not a valid bencoded dictionary",
      });
    },
  );

  test("refuses more bytes than the limit without decoding them", () => {
    expect(parseInfoDict(new Uint8Array(MAX_METADATA_LENGTH + 1))).toEqual({
      error: expect.stringContaining("longer than"),
    });
  });

  test("a changed byte gives another info hash or an error, never an exception", () => {
    const bytes = encodeBencode(good);
    const original = parsed(good).infoHash;
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (where, flip) => {
        const changed = Uint8Array.from(bytes);
        changed[where] = (changed[where] ?? 0) ^ flip;
        const result = parseInfoDict(changed);
        if ("infoHash" in result) expect(result.infoHash).not.toBe(original);
      }),
      { numRuns: 1000 },
    );
  });
});

test("expectedDigest is the 20 bytes of that piece", () => {
  expect(expectedDigest(parsed(good), pieceIndex(1))).toEqual(digests(2).subarray(20));
});
