import { describe, expect, test } from "bun:test";
import { HostShares } from "../../src/discovery/host-shares.ts";
import { seededRandom } from "../helpers/seeded-random.ts";

describe("HostShares", () => {
  test("the oldest item of the host with the most yields, to a host with two less alone", () => {
    const shares = new HostShares<string>();
    for (const item of ["a1", "a2", "a3"]) shares.add("a", item);
    shares.add("b", "b1");
    expect(shares.yieldedTo("b")).toBe("a1");
    shares.remove("a", "a1");
    expect(shares.yieldedTo("b")).toBeUndefined();
    expect(shares.yieldedTo("c")).toBe("a2");
    expect(shares.yieldedTo("a")).toBeUndefined();
    shares.clear();
    expect(shares.yieldedTo("c")).toBeUndefined();
  });

  test("after any adds and removes a host with the most yields (against plain lists)", () => {
    const random = seededRandom(5);
    const shares = new HostShares<number>();
    const plain = new Map<string, number[]>();
    for (let item = 0; item < 5_000; item++) {
      const host = `h${Math.floor(random() ** 2 * 12)}`;
      const items = plain.get(host) ?? [];
      plain.set(host, items);
      if (random() < 0.5 && items.length > 0) {
        const [removed] = items.splice(Math.floor(random() * items.length), 1);
        shares.remove(host, removed!);
      } else {
        items.push(item);
        shares.add(host, item);
      }
      expect(shares.sizeOf(host)).toBe(items.length);
      const most = Math.max(...[...plain.values()].map((list) => list.length));
      const yielded = shares.yieldedTo("new");
      if (most < 2) expect(yielded).toBeUndefined();
      else expect([...plain.values()].some((list) => list.length === most && list[0] === yielded)).toBe(true);
    }
  });
});
