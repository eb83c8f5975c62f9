import { describe, expect, test } from "bun:test";
import { distanceOf, nodeIdOf, sharedBits } from "../../src/discovery/node-id.ts";

const id = (...bytes: number[]) => Buffer.from([...bytes, ...Buffer.alloc(20 - bytes.length)]);

describe("node ids", () => {
  test("the id of an address is always the same, and that of another port another", () => {
    const address = { host: "10.0.0.1", port: 42_070 };
    expect(nodeIdOf(address)).toHaveLength(20);
    expect(nodeIdOf({ ...address })).toEqual(nodeIdOf(address));
    expect(nodeIdOf({ ...address, port: 42_071 })).not.toEqual(nodeIdOf(address));
  });

  test("the distance is the exclusive or", () => {
    expect(distanceOf(id(0b1100), id(0b1010))).toEqual(id(0b0110));
  });

  test.each([
    [0, id(0x80), id(0)],
    [7, id(1), id(0)],
    [8, id(0, 0x80), id(0)],
    [15, id(7, 1), id(7, 0)],
    [160, id(7, 1), id(7, 1)],
  ])("%d bits are shared", (bits, one, other) => {
    expect(sharedBits(one, other)).toBe(bits);
  });
});
