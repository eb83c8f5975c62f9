import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import { TokenBucket } from "../../../src/core/rate/token-bucket.ts";
import { KiB, MiB } from "../../../src/lib/units.ts";

describe("TokenBucket", () => {
  test("without a rate every amount passes", () => {
    const bucket = new TokenBucket(0);
    expect([bucket.isUnlimited, bucket.take(1e12, 0)]).toEqual([true, true]);
    bucket.spend(1e12, 0);
    expect(bucket.available(0)).toBe(Number.POSITIVE_INFINITY);
  });

  test("never holds more than its burst", () => {
    const bucket = new TokenBucket(1000, 100);
    expect(bucket.available(0)).toBe(100);
    expect(bucket.available(1e9)).toBe(100);
    bucket.refund(1000);
    expect(bucket.available(1e9)).toBe(100);
  });

  test("fills at its rate", () => {
    const bucket = new TokenBucket(1000, 100);
    expect(bucket.take(100, 0)).toBe(true);
    expect([bucket.take(50, 49), bucket.take(50, 50), bucket.available(50)]).toEqual([false, true, 0]);
  });

  test("take takes all or nothing", () => {
    const bucket = new TokenBucket(1000, 100);
    bucket.take(60, 0);
    expect([bucket.take(41, 0), bucket.available(0)]).toEqual([false, 40]);
  });

  test("lets an amount above the burst pass when half full, and then waits until the debt is paid", () => {
    const bucket = new TokenBucket(1000, 100);
    expect([bucket.take(500, 0), bucket.available(0)]).toEqual([true, -400]);
    expect([bucket.take(500, 449), bucket.take(500, 450)]).toEqual([false, true]);
    expect([bucket.take(100, 949), bucket.take(100, 1000)]).toEqual([false, true]);
  });

  test.each([1, 16 * KiB, 300 * KiB, 1 * MiB, 50 * MiB])(
    "at %d B/s blocks and the longest runs pass beside bytes of the protocol, at the rate",
    (rate) => {
      for (const amount of [BLOCK_LENGTH + 13, MAX_REQUEST_LENGTH + 13]) {
        const bucket = new TokenBucket(rate);
        const step = Math.max(10, Math.ceil((amount * 20) / rate));
        let flown = 0;
        for (let now = 0; now < 1000 * step; now += step) {
          // A few bytes at every tick, spent in the same millisecond.
          const overhead = Math.min(17, (rate * step) / 10_000);
          bucket.spend(overhead, now);
          flown += overhead;
          while (bucket.take(amount, now)) flown += amount;
        }
        expect((flown * 1000) / (rate * 1000 * step)).toBeWithin(0.9, 1.1);
      }
    },
  );

  test("spend leaves a debt and refund pays it", () => {
    const bucket = new TokenBucket(1000, 100);
    bucket.spend(300, 0);
    expect([bucket.available(0), bucket.take(1, 200)]).toEqual([-200, false]);
    bucket.refund(50);
    expect(bucket.available(200)).toBe(50);
  });

  test("a clock that steps back leaves the tokens as they are", () => {
    const bucket = new TokenBucket(1000, 100);
    bucket.take(100, 1000);
    expect([bucket.available(0), bucket.available(1000), bucket.available(1010)]).toEqual([0, 0, 10]);
  });

  test("refuses a rate or burst that is no number", () => {
    for (const rate of [-1, Number.NaN]) expect(() => new TokenBucket(rate)).toThrow(RangeError);
    for (const burst of [0, -1, Number.NaN]) expect(() => new TokenBucket(1, burst)).toThrow(RangeError);
  });

  test("take succeeds once the debt is paid, and not a millisecond sooner", () => {
    const amount = fc.integer({ min: 1, max: 200_000 });
    const rate = fc.double({ min: 1000, max: 1e9, noNaN: true });
    const burst = 16 * KiB;
    fc.assert(
      fc.property(
        rate,
        fc.array(amount, { maxLength: 5 }),
        amount,
        fc.nat(1e9),
        (rate, spent, amount, now) => {
          const bucket = new TokenBucket(rate, burst);
          let missing = Math.min(amount, amount > burst ? burst / 2 : amount) - burst;
          for (const bytes of spent) {
            bucket.spend(bytes, now);
            missing += bytes;
          }
          const wait = missing <= 0 ? 0 : Math.ceil((missing * 1000) / rate);
          if (wait > 0) expect(bucket.take(amount, now + wait - 1)).toBe(false);
          expect(bucket.take(amount, now + wait)).toBe(true);
        },
      ),
    );
  });

  test("rounding keeps back nothing after exactly the time in which the amount has flowed", () => {
    // These numbers leave the bucket at 99.99999999999272 of 100.
    const bucket = new TokenBucket(240, 1000);
    bucket.spend(53_850, 83_711.1);
    const wait = ((53_850 - 1000 + 100) * 1000) / 240;
    expect(bucket.take(100, 83_711.1 + wait)).toBe(true);
  });

  /** Bytes in each millisecond when blocks are sent as soon as `take` allows, after a quiet second. */
  function flow(rate: number, milliseconds: number): number[] {
    const bucket = new TokenBucket(rate);
    const sent = Array.from({ length: milliseconds }, () => 0);
    bucket.available(0);
    for (let now = 1000; now < 1000 + milliseconds; now++) {
      while (bucket.take(BLOCK_LENGTH, now)) sent[now - 1000]! += BLOCK_LENGTH;
    }
    return sent;
  }

  test.each([256 * KiB, 1 * MiB, 12.5 * MiB, 50 * MiB, 1024 * MiB])(
    "holds %d B/s within 5 %% over ten seconds",
    (rate) => {
      const total = flow(rate, 10_000).reduce((sum, bytes) => sum + bytes, 0);
      expect(Math.abs(total / (10 * rate) - 1)).toBeLessThan(0.05);
    },
  );

  test.each([1 * MiB, 50 * MiB, 1024 * MiB])("at %d B/s no 100 ms see twice the limit", (rate) => {
    const sent = flow(rate, 2000);
    let window = 0;
    let most = 0;
    sent.forEach((bytes, at) => {
      window += bytes - (at >= 100 ? sent[at - 100]! : 0);
      most = Math.max(most, window);
    });
    expect(most).toBeLessThan(2 * rate * 0.1);
  });
});

describe("TokenBucket after a stall of the process", () => {
  const rate = 8 * 1024 * 1024;

  interface Taken {
    /** Bytes in each 10 ms. */
    readonly sent: readonly number[];
    readonly total: number;
    readonly worst100Ms: number;
  }

  /** Takes blocks every 10 ms, and not at all during the stalls. */
  function run(seconds: number, isStalled: (now: number) => boolean): Taken {
    const bucket = new TokenBucket(rate);
    const taken: number[] = [];
    for (let now = 0; now < seconds * 1000; now += 10) {
      let bytes = 0;
      if (!isStalled(now)) while (bucket.take(16_384, now)) bytes += 16_384;
      taken.push(bytes);
    }
    const windows = taken
      .slice(9)
      .map((_, at) => taken.slice(at, at + 10).reduce((sum, bytes) => sum + bytes, 0));
    return {
      sent: taken,
      total: taken.reduce((sum, bytes) => sum + bytes, 0),
      worst100Ms: Math.max(...windows),
    };
  }

  test("makes up for the tokens of the stall, without a burst above twice the rate", () => {
    const { total, worst100Ms } = run(10, (now) => now % 1000 >= 700 && now % 1000 < 850);
    expect(total / (10 * rate)).toBeGreaterThan(0.97);
    expect(total / (10 * rate)).toBeLessThan(1.03);
    expect(worst100Ms).toBeLessThanOrEqual(2 * rate * 0.1);
  });

  test.each([100, 300, 1000, 5000])(
    "gives no 10 s more than 3 percent above the rate after %d ms of it",
    (stall) => {
      const before = 1000;
      const { sent, worst100Ms } = run(12 + stall / 1000, (now) => now >= before && now < before + stall);
      const windows = sent
        .slice(999)
        .map((_, at) => sent.slice(at, at + 1000).reduce((sum, bytes) => sum + bytes, 0));
      expect(Math.max(...windows) / (10 * rate)).toBeLessThan(1.03);
      expect(worst100Ms).toBeLessThan(1.8 * rate * 0.1);
    },
  );

  test("makes up for nothing when there was no demand", () => {
    const bucket = new TokenBucket(rate);
    let taken = 0;
    for (let now = 0; now < 1000; now += 10)
      if (now < 100 || now >= 800) while (bucket.take(16_384, now)) taken += 16_384;
    // The demand ended with an empty bucket: the arrears of one stall at most are paid.
    expect(taken).toBeLessThan(rate * 0.3 + rate * 0.75);
    const idle = new TokenBucket(rate);
    idle.available(0);
    idle.available(5000);
    let burst = 0;
    for (let now = 5000; now < 6000; now += 10) while (idle.take(16_384, now)) burst += 16_384;
    expect(burst).toBeLessThan(rate * 1.06);
  });
});
