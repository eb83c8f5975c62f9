import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  bytesEqual,
  concatBytes,
  fromHex,
  readUint16,
  readUint32,
  toHex,
  writeUint16,
  writeUint32,
} from "../../src/lib/bytes.ts";
import { InvariantError } from "../../src/lib/errors.ts";

describe("hexadecimal", () => {
  test("fromHex reads what toHex wrote, in either case", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes);
      }),
    );
    expect(toHex(Uint8Array.of(0, 10, 255))).toBe("000aff");
  });

  test.each(["0", "0g", "0x00", " 00", "-1", "é0"])("fromHex refuses %p", (text) => {
    expect(fromHex(text)).toBeUndefined();
  });
});

test("bytesEqual compares length and content", () => {
  expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  expect(bytesEqual(new Uint8Array(0), new Uint8Array(0))).toBe(true);
});

describe("integers", () => {
  test("32 bits are unsigned and big-endian, also above 2^31", () => {
    const bytes = new Uint8Array(5);
    writeUint32(bytes, 1, 0xfffefdfc);
    expect([...bytes]).toEqual([0, 0xff, 0xfe, 0xfd, 0xfc]);
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (value) => {
        writeUint32(bytes, 0, value);
        expect(readUint32(bytes, 0)).toBe(value);
      }),
      { examples: [[0], [0x7fffffff], [0x80000000], [0xffffffff]] },
    );
  });

  test("16 bits are unsigned and big-endian", () => {
    const bytes = new Uint8Array(2);
    writeUint16(bytes, 0, 0xff01);
    expect([...bytes, readUint16(bytes, 0)]).toEqual([0xff, 0x01, 0xff01]);
  });

  test("to read past the end is a bug of ours", () => {
    const bytes = new Uint8Array(4);
    for (const at of [1, 3, 4, -1]) expect(() => readUint32(bytes, at)).toThrow(InvariantError);
    for (const at of [3, 4, -1]) expect(() => readUint16(bytes, at)).toThrow(InvariantError);
  });
});

test("concatBytes puts parts in order into new bytes", () => {
  const part = Uint8Array.of(1, 2);
  const whole = concatBytes([part, new Uint8Array(0), Uint8Array.of(3)]);
  part[0] = 9;
  expect([...whole]).toEqual([1, 2, 3]);
  expect(concatBytes([])).toEqual(new Uint8Array(0));
});
