import { describe, expect, test } from "bun:test";
import { freeTransactionId } from "../../src/discovery/transaction-ids.ts";

const bytes =
  (...given: number[]) =>
  () =>
    Uint8Array.from(given);

describe("freeTransactionId", () => {
  test("is what the random bytes say, and never 0", () => {
    expect(freeTransactionId([], bytes(0x12, 0x34))).toBe(0x1234);
    expect(freeTransactionId([0, 0], bytes(0, 0))).toBe(1);
  });

  test("is none of the ids in use: the next free one after them", () => {
    expect(freeTransactionId([7, 8, 0], bytes(0, 7))).toBe(9);
    expect(freeTransactionId([0xffff, 1], bytes(0xff, 0xff))).toBe(2);
  });
});
