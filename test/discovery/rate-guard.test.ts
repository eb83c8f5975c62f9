import { describe, expect, test } from "bun:test";
import { MAX_RATE_SOURCES } from "../../src/discovery/limits.ts";
import { Allowance, RateGuard } from "../../src/discovery/rate-guard.ts";

const each = { burst: 200, perSecond: 40 };
const total = { burst: 4_000, perSecond: 1_000 };

const passed = (guard: RateGuard, source: string, count: number, now: number) => {
  let sum = 0;
  for (let i = 0; i < count; i++) if (guard.allows(source, 1, now)) sum++;
  return sum;
};

describe("RateGuard", () => {
  test("a key gets its burst, then its rate, and its burst back after silence", () => {
    const guard = new RateGuard(each, total);
    expect(passed(guard, "10.0.0.1:1", 10_000, 0)).toBe(each.burst);
    expect(passed(guard, "10.0.0.1:1", 10_000, 1000)).toBe(each.perSecond);
    expect(passed(guard, "10.0.0.1:1", 10_000, 1e9)).toBe(each.burst);
  });

  test("a flood under one key does not use up the total", () => {
    const guard = new RateGuard(each, total);
    for (let now = 0; now < 5_000; now++) passed(guard, "10.0.0.1:1", 20, now);
    expect(passed(guard, "10.0.0.2:1", 100, 5_000)).toBe(100);
  });

  test("a flood under many keys is bounded in total and in memory", () => {
    const guard = new RateGuard(each, total);
    let sum = 0;
    for (let i = 0; i < 50_000; i++) if (guard.allows(`10.0.0.1:${i}`, 1, 1000)) sum++;
    expect(sum).toBe(total.burst);
    expect(guard.size).toBe(MAX_RATE_SOURCES);
    for (let i = 0; i < 50_000; i++) if (guard.allows(`10.0.0.1:${i}`, 1, 2000)) sum++;
    expect(sum).toBe(total.burst + total.perSecond);
  });
});

describe("Allowance", () => {
  test("what does not fit takes nothing, so that less may still pass", () => {
    const allowance = new Allowance({ burst: 1000, perSecond: 100 });
    expect([allowance.take(700, 0), allowance.take(700, 0), allowance.take(300, 0)]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test("a clock that steps back gives nothing", () => {
    const allowance = new Allowance({ burst: 10, perSecond: 10 });
    expect(allowance.take(10, 5_000)).toBe(true);
    expect(allowance.take(1, 0)).toBe(false);
    expect(allowance.take(1, 5_000)).toBe(false);
    expect(allowance.take(10, 6_000)).toBe(true);
  });
});
