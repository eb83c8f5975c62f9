import { describe, expect, test } from "bun:test";
import { spreadByHost } from "../../src/discovery/host-spread.ts";

const nodes = (hosts: string) => hosts.split("").map((host, place) => ({ host, place }));
const chosen = (hosts: string, count: number, share: number) =>
  spreadByHost(nodes(hosts), count, share)
    .map(({ host, place }) => `${host}${place}`)
    .join(" ");

describe("spreadByHost", () => {
  test("a host has its share, the best of its nodes, while there are others", () => {
    expect(chosen("aaaaaabcde", 6, 2)).toBe("a0 a1 b6 c7 d8 e9");
  });

  test("places that are left go to the hosts beyond their share, the best first", () => {
    expect(chosen("aaaabaa", 4, 2)).toBe("a0 a1 a2 b4");
    expect(chosen("aaaa", 3, 1)).toBe("a0 a1 a2");
  });

  test("no more than so many are chosen, and all when there are fewer", () => {
    expect(chosen("abcdef", 2, 2)).toBe("a0 b1");
    expect(chosen("ab", 8, 2)).toBe("a0 b1");
    expect(chosen("", 8, 2)).toBe("");
  });
});
