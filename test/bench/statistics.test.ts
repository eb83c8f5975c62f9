import { describe, expect, test } from "bun:test";
import { parseOpensslSpeed } from "../../bench/hash/openssl-speed.ts";
import { EventLoopDelay } from "../../bench/event-loop-delay.ts";
import { parseSize, sizeName } from "../../bench/lib/size.ts";
import { median, pairwise, quantile, spreadOf, toldSpread } from "../../bench/lib/statistics.ts";
import { GiB, MiB } from "../../src/lib/units.ts";

describe("statistics", () => {
  test("the median is the middle value, or the mean of the two middle ones", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([10, 1, 2, 3])).toBe(2.5);
  });

  test("a spread is told by its median and its range", () => {
    expect(spreadOf([0.12345, 3, 1])).toEqual({ median: 1, min: 0.123, max: 3 });
    expect(toldSpread(spreadOf([0.12345, 3, 1]))).toBe("1.00 (0.12–3.00)");
  });

  test("a quantile is the smallest value that the share does not exceed", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0, 0.5, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([1, 50, 99, 100]);
    expect(quantile([7], 0.5)).toBe(7);
    expect(quantile([], 0.5)).toBe(0);
  });

  test("pairs are made within a round, and what has no partner is left out", () => {
    expect(pairwise([2, 9, 4], [1, 3])).toEqual([2, 3]);
  });
});

describe("EventLoopDelay", () => {
  test("counts a long stop once for every timer it swallowed", () => {
    const delay = new EventLoopDelay();
    delay.record(10);
    expect(delay.samples).toEqual([10, 6, 2]);
    delay.record(-1);
    expect(delay.samples.at(-1)).toBe(0);
    expect(delay.quantile(1)).toBe(10);
  });

  test("sees a loop that stands still, also when it is stopped before the timer comes", () => {
    const delay = new EventLoopDelay();
    delay.start();
    Bun.sleepSync(50);
    delay.stop();
    expect(delay.quantile(1)).toBeGreaterThan(40);
    expect(delay.samples.length).toBeGreaterThan(10);
  });
});

describe("sizes and rates of other programs", () => {
  test("sizes are read and told in binary units", () => {
    expect([parseSize("64M"), parseSize("1GiB"), parseSize("0.5g")]).toEqual([64 * MiB, GiB, GiB / 2]);
    expect(() => parseSize("12")).toThrow("12: is not a size");
    expect([sizeName(GiB), sizeName(1.5 * GiB)]).toEqual(["1 GiB", "1536 MiB"]);
  });

  test("the rate of `openssl speed` is its line of sha1", () => {
    const output =
      "version: 3.0.19\nThe 'numbers' are in 1000s of bytes per second processed.\n" +
      "type          16384 bytes\nsha1           2119204.86k\n";
    expect(parseOpensslSpeed(output)).toBeCloseTo(2.119, 3);
    expect(() => parseOpensslSpeed("sha1\n")).toThrow("no rate");
  });
});
