import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { holderToClose } from "../../../src/core/swarm/slot-sharing.ts";

interface Holder {
  readonly host: string;
  readonly isExempt: boolean;
  readonly at: number;
}

/** One letter for the host of each holder, oldest first; an upper case one is exempt. */
const holders = (hosts: string): Holder[] =>
  Array.from(hosts, (letter, at) => ({ host: letter.toLowerCase(), isExempt: letter < "a", at }));
const closed = (hosts: string, host: string, isExempt = false) =>
  holderToClose(holders(hosts), { host, isExempt })?.at;

describe("W17: A slot for a newcomer", () => {
  test("is that of the latest peer of the host that holds most", () => {
    expect(closed("abbcb", "n")).toBe(4);
    expect(closed("aabbb", "a")).toBeUndefined();
    expect(closed("aabbbb", "a")).toBe(5);
  });

  test("is there for none whose host would then hold more than the other", () => {
    expect(closed("abc", "n")).toBeUndefined();
    expect(closed("aaabb", "b")).toBeUndefined();
    expect(closed("", "n")).toBeUndefined();
  });

  test("is never that of an exempt peer, and an exempt newcomer gets any other", () => {
    expect(closed("AAA", "n")).toBeUndefined();
    expect(closed("aAAbb", "n")).toBe(0);
    expect(closed("abc", "n", true)).toBe(0);
    expect(closed("ABC", "n", true)).toBeUndefined();
    expect(closed("aa", "a", true)).toBe(1);
  });

  test("shares slots evenly in the end, however often one host comes back", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 200 }), (arrivals) => {
        let kept = holders("x".repeat(12));
        for (const [at, host] of [...arrivals, "a", "b", "c", "a", "b", "c"].entries()) {
          for (const next of ["x", host]) {
            const leaver = holderToClose(kept, { host: next, isExempt: false });
            if (leaver === undefined) continue;
            kept = [
              ...kept.filter((holder) => holder !== leaver),
              { host: next, isExempt: false, at: 100 + at },
            ];
          }
        }
        const count = (host: string) => kept.filter((holder) => holder.host === host).length;
        expect(kept).toHaveLength(12);
        for (const host of ["a", "b", "c"]) expect(count(host)).toBeGreaterThanOrEqual(2);
      }),
    );
  });
});
