import { describe, expect, test } from "bun:test";
import { MAX_RATE_SOURCES } from "../../src/discovery/limits.ts";
import { Allowance, RateTable } from "../../src/discovery/rate-guard.ts";

const rate = { burst: 200, perSecond: 40 };

const passed = (table: RateTable, key: string, count: number, now: number) => {
  let sum = 0;
  for (let i = 0; i < count; i++) if (table.take(key, 1, now)) sum++;
  return sum;
};

describe("RateTable", () => {
  test("a key gets its burst, then its rate, and its burst back after silence", () => {
    const table = new RateTable(rate);
    expect(passed(table, "10.0.0.1:1", 10_000, 0)).toBe(rate.burst);
    expect(passed(table, "10.0.0.1:1", 10_000, 1000)).toBe(rate.perSecond);
    expect(passed(table, "10.0.0.1:1", 10_000, 1e9)).toBe(rate.burst);
  });

  test("D10: a flood under many keys is bounded in memory", () => {
    const table = new RateTable(rate);
    for (let i = 0; i < 50_000; i++) table.take(`10.0.0.1:${i}`, 1, 1000);
    expect(table.size).toBe(MAX_RATE_SOURCES);
  });

  test("D10: the least recently used key leaves a full table: one in use keeps its spent rate, however many are new", () => {
    const table = new RateTable(rate);
    passed(table, "flooder", rate.burst, 0);
    for (let i = 0; i < 10 * MAX_RATE_SOURCES; i++) {
      table.take(`new ${i}`, 1, 0);
      if (i % 1000 === 0) expect(table.take("flooder", 1, 0)).toBe(false);
    }
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
