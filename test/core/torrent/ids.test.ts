import { describe, expect, test } from "bun:test";
import { idBytes, infoHashOf, parseInfoHash, peerIdOf } from "../../../src/core/torrent/ids.ts";

const hex = "0123456789abcdef0123456789abcdef01234567";

describe("parseInfoHash", () => {
  test("reads 40 hexadecimal digits of either case as lower case", () => {
    expect(parseInfoHash(hex.toUpperCase()) as string).toBe(hex);
  });

  test.each(["", hex.slice(1), `${hex}0`, `${hex.slice(1)}g`, ` ${hex}`, `${hex}\n`])(
    "refuses %p",
    (text) => {
      expect(parseInfoHash(text)).toBeUndefined();
    },
  );
});

test("idBytes gives back the bytes of infoHashOf and peerIdOf", () => {
  const bytes = Uint8Array.from({ length: 20 }, (_, at) => at * 13);
  expect(idBytes(infoHashOf(bytes))).toEqual(bytes);
  expect(idBytes(peerIdOf(bytes))).toEqual(bytes);
});

test.each([0, 19, 21])("infoHashOf and peerIdOf throw for %d bytes", (length) => {
  expect(() => infoHashOf(new Uint8Array(length))).toThrow(RangeError);
  expect(() => peerIdOf(new Uint8Array(length))).toThrow(RangeError);
});
