import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../src/lib/errors.ts";
import { othersOfMagnet, portOfMagnet, readServeMagnet } from "../../../src/session/serve/serve-magnet.ts";

const XT = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567";
const magnetWith = (...peers: string[]) =>
  readServeMagnet(`${XT}${peers.map((peer) => `&x.pe=${peer}`).join("")}`, 1)!;
const one = "10.1.1.1:42083";
const two = "10.1.1.2:42084";

describe("readServeMagnet", () => {
  test("without --magnet there is none", () => {
    expect(readServeMagnet(undefined, 3)).toBeUndefined();
  });

  test("goes with exactly one file", () => {
    for (const files of [0, 2]) {
      expect(() => readServeMagnet(XT, files)).toThrow(
        new UsageError(`--magnet goes with one FILE, not with ${files}`),
      );
    }
  });

  test("a broken magnet is named", () => {
    expect(() => readServeMagnet("magnet:?xt=urn:btih:xyz", 1)).toThrow(/^--magnet: .*xyz/);
    expect(() => readServeMagnet("http://x", 1)).toThrow(UsageError);
  });
});

describe("portOfMagnet", () => {
  test("is the port of our own address where the magnet names it", () => {
    expect(portOfMagnet(magnetWith(one, two), "10.1.1.2")).toBe(42_084);
  });

  test("is the first port when our own address is not known or not in it", () => {
    expect(portOfMagnet(magnetWith(one, two), "10.9.9.9")).toBe(42_083);
  });

  test("is left open by a magnet without addresses", () => {
    expect(portOfMagnet(magnetWith(), "10.1.1.1")).toBeUndefined();
  });
});

describe("othersOfMagnet", () => {
  test("are all addresses but our own, whatever their ports", () => {
    const magnet = magnetWith(one, two);
    expect(othersOfMagnet(magnet, "10.1.1.2")).toEqual([{ host: "10.1.1.1", port: 42_083 }]);
    expect(othersOfMagnet(magnet, "10.1.1.1")).toEqual([{ host: "10.1.1.2", port: 42_084 }]);
    const samePort = magnetWith("10.1.1.1:42083", "10.1.1.2:42083");
    expect(othersOfMagnet(samePort, "10.1.1.2")).toEqual([{ host: "10.1.1.1", port: 42_083 }]);
  });

  test("are all addresses when none is ours", () => {
    expect(othersOfMagnet(magnetWith(one, two), "10.9.9.9")).toHaveLength(2);
    expect(othersOfMagnet(magnetWith(), "10.1.1.1")).toEqual([]);
  });
});
