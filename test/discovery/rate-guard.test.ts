import { describe, expect, test } from "bun:test";
import {
  DATAGRAM_SOURCE_BURST,
  DATAGRAM_SOURCE_RATE,
  DATAGRAM_TOTAL_BURST,
  DATAGRAM_TOTAL_RATE,
  MAX_RATE_SOURCES,
} from "../../src/core/limits.ts";
import { RateGuard } from "../../src/discovery/rate-guard.ts";

const passed = (guard: RateGuard, source: string, count: number, now: number) => {
  let total = 0;
  for (let i = 0; i < count; i++) if (guard.allows(source, now)) total++;
  return total;
};

describe("RateGuard", () => {
  test("a source gets its burst, then its rate, and its burst back after a rest", () => {
    const guard = new RateGuard();
    expect(passed(guard, "10.0.0.1:1", 10_000, 0)).toBe(DATAGRAM_SOURCE_BURST);
    expect(passed(guard, "10.0.0.1:1", 10_000, 1000)).toBe(DATAGRAM_SOURCE_RATE);
    expect(passed(guard, "10.0.0.1:1", 10_000, 1e9)).toBe(DATAGRAM_SOURCE_BURST);
  });

  test("30 processes behind one address do not share an allowance", () => {
    const guard = new RateGuard();
    passed(guard, "10.0.0.1:42070", 10_000, 0);
    for (let port = 42_071; port < 42_100; port++) expect(passed(guard, `10.0.0.1:${port}`, 50, 0)).toBe(50);
  });

  test("one flooder does not use up what everybody shares", () => {
    const guard = new RateGuard();
    for (let now = 0; now < 5_000; now++) passed(guard, "10.0.0.1:1", 20, now);
    expect(passed(guard, "10.0.0.2:1", 100, 5_000)).toBe(100);
  });

  test("1000 machines that start together with three datagrams each are all heard", () => {
    const guard = new RateGuard();
    let total = 0;
    for (let i = 0; i < 1000; i++) total += passed(guard, `10.0.${i >> 8}.${i & 255}:42070`, 3, 0);
    expect(total).toBe(3000);
  });

  test("a flood from many sources is bounded in total and in memory", () => {
    const guard = new RateGuard();
    let total = 0;
    for (let i = 0; i < 50_000; i++) if (guard.allows(`10.0.0.1:${i}`, 1000)) total++;
    expect(total).toBe(DATAGRAM_TOTAL_BURST);
    expect(guard.size).toBe(MAX_RATE_SOURCES);
    for (let i = 0; i < 50_000; i++) if (guard.allows(`10.0.0.1:${i}`, 2000)) total++;
    expect(total).toBe(DATAGRAM_TOTAL_BURST + DATAGRAM_TOTAL_RATE);
  });
});
