import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";

const setBits = (bitfield: Bitfield): number[] => {
  const found: number[] = [];
  bitfield.forEachSet((index) => found.push(index));
  return found;
};

describe("Bitfield", () => {
  test("puts piece 0 in the high bit of the first byte", () => {
    const bitfield = new Bitfield(12);
    bitfield.set(0);
    bitfield.set(9);
    expect([...bitfield.bytes]).toEqual([0x80, 0x40]);
  });

  test("set and clear return whether they changed the bit", () => {
    const bitfield = new Bitfield(3);
    expect([bitfield.set(2), bitfield.set(2), bitfield.count]).toEqual([true, false, 1]);
    expect([bitfield.clear(2), bitfield.clear(2), bitfield.count]).toEqual([true, false, 0]);
  });

  test("full sets each bit but no spare one", () => {
    const full = Bitfield.full(10);
    expect([...full.bytes]).toEqual([0xff, 0xc0]);
    expect([full.count, full.isFull, full.isEmpty]).toEqual([10, true, false]);
    full.clear(9);
    expect(full.isFull).toBe(false);
  });

  test("parse refuses any other length and clears spare bits", () => {
    expect(Bitfield.parse(new Uint8Array(1), 9)).toBeUndefined();
    expect(Bitfield.parse(new Uint8Array(3), 9)).toBeUndefined();
    expect(Bitfield.parse(new Uint8Array(0), 1)).toBeUndefined();
    const parsed = Bitfield.parse(Uint8Array.of(0xff, 0xff), 9);
    expect([...(parsed?.bytes ?? [])]).toEqual([0xff, 0x80]);
    expect(parsed?.count).toBe(9);
  });

  test("parse copies, so that a reused receive buffer cannot change it", () => {
    const bytes = Uint8Array.of(0x80);
    const parsed = Bitfield.parse(bytes, 8);
    bytes[0] = 0;
    expect(parsed?.get(0)).toBe(true);
    expect(Bitfield.parse(bytes, 8)?.isEmpty).toBe(true);
  });

  test("a copy is independent of the original", () => {
    const original = Bitfield.full(9);
    const copy = original.copy();
    copy.clear(0);
    expect([original.count, copy.count, original.equals(copy)]).toEqual([9, 8, false]);
  });

  test.each([-1, 9, 1.5, Number.NaN, 2 ** 32])(
    "get(%p) is false and set throws outside of the size",
    (index) => {
      const full = Bitfield.full(9);
      if (Number.isInteger(index)) expect(new Bitfield(9).get(index)).toBe(false);
      expect(() => full.set(index)).toThrow(RangeError);
      expect(() => full.clear(index)).toThrow(RangeError);
    },
  );

  test("agrees with a set of numbers through any series of changes", () => {
    const change = fc.tuple(fc.boolean(), fc.nat());
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.array(change, { maxLength: 100 }), (size, changes) => {
        const bitfield = new Bitfield(size);
        const model = new Set<number>();
        for (const [isSet, value] of changes) {
          const index = value % size;
          if (isSet) bitfield.set(index);
          else bitfield.clear(index);
          if (isSet) model.add(index);
          else model.delete(index);
        }
        const all = Array.from({ length: size }, (_, index) => index);
        expect(setBits(bitfield)).toEqual(all.filter((index) => model.has(index)));
        expect(all.map((index) => bitfield.get(index))).toEqual(all.map((index) => model.has(index)));
        expect(bitfield.count).toBe(model.size);
        expect(Bitfield.parse(bitfield.bytes, size)?.equals(bitfield)).toBe(true);
      }),
    );
  });
});
