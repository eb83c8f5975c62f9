import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { RateMeter } from "../../../src/core/rate/rate-meter.ts";

describe("RateMeter", () => {
  test("is 0 before anything was added and after five quiet seconds", () => {
    const meter = new RateMeter();
    expect(meter.rate(0)).toBe(0);
    meter.add(1000, 0);
    expect(meter.rate(4_000)).toBe(250);
    expect(meter.rate(5_000)).toBe(0);
    expect(meter.rate(1e9)).toBe(0);
  });

  test("shows a steady rate from the first second on", () => {
    const meter = new RateMeter();
    for (let now = 0; now < 60_000; now += 10) {
      meter.add(100, now);
      if (now >= 1000) expect(Math.abs(meter.rate(now) / 10_000 - 1)).toBeLessThan(0.02);
    }
  });

  test("spreads a first burst over a quarter of a second, not over an instant", () => {
    const meter = new RateMeter();
    meter.add(1000, 100_000);
    expect(meter.rate(100_000)).toBe(4000);
  });

  test("restarts after silence and does not count the silence", () => {
    const meter = new RateMeter();
    meter.add(1, 0);
    meter.add(1000, 60_000);
    expect(meter.rate(61_000)).toBe(1000);
  });

  test("forgets what is older than five seconds", () => {
    const meter = new RateMeter();
    meter.add(1_000_000, 0);
    for (let now = 100; now <= 6000; now += 100) meter.add(10, now);
    expect(meter.rate(6000)).toBeLessThan(110);
  });

  test("counts bytes that are added with an older time", () => {
    const meter = new RateMeter();
    meter.add(500, 10_000);
    meter.add(500, 9_000);
    expect(meter.rate(11_000)).toBe(1000);
  });

  test("is never negative, and never above all bytes within a quarter of a second", () => {
    const steps = fc.array(fc.tuple(fc.nat(1e9), fc.nat(3000)), { maxLength: 50 });
    fc.assert(
      fc.property(steps, (steps) => {
        const meter = new RateMeter();
        let now = 0;
        let total = 0;
        for (const [bytes, pause] of steps) {
          now += pause;
          meter.add(bytes, now);
          total += bytes;
          expect(meter.rate(now)).toBeWithin(0, total * 4 + 1);
        }
        expect(meter.rate(now + 5000)).toBe(0);
      }),
    );
  });
});
