import { describe, expect, test } from "bun:test";
import {
  MAX_REPORT_INTERVAL_MS,
  MIN_REPORT_INTERVAL_MS,
  REPORTS_PER_SECOND,
} from "../../../src/core/exchange/limits.ts";
import { ReportPace } from "../../../src/core/exchange/report-pace.ts";

/** So many hosts send from the first `startMs` on, each when it is told to. @returns the reports of each second. */
function reportsOf(hosts: number, startMs: number, seconds: number): number[] {
  const pace = new ReportPace();
  const due = Array.from({ length: hosts }, (_, i) => (i * startMs) / hosts);
  const perSecond = Array.from({ length: seconds }, () => 0);
  for (let now = 0; now < seconds * 1000; now++) {
    for (const [host, at] of due.entries()) {
      if (at > now) continue;
      perSecond[Math.floor(now / 1000)]!++;
      due[host] = now + pace.next(now);
    }
  }
  return perSecond;
}

describe("ReportPace", () => {
  test("a small fleet reports every second", () => {
    expect(reportsOf(20, 1000, 10)).toEqual(Array.from({ length: 10 }, () => 20));
    expect(new ReportPace().next(0)).toBe(MIN_REPORT_INTERVAL_MS);
  });

  test.each([101, 1_000, 10_000])(
    "%d hosts together send so many a second, however suddenly they come",
    (hosts) => {
      const seconds = reportsOf(hosts, 900, 20).slice(1);
      expect(Math.max(...seconds)).toBeLessThanOrEqual(REPORTS_PER_SECOND + 1);
      expect(Math.min(...seconds.slice(1))).toBeGreaterThanOrEqual(REPORTS_PER_SECOND - 2);
    },
  );

  test("no wait is longer than the longest, and looking takes no slot", () => {
    const pace = new ReportPace();
    for (let i = 0; i < 100_000; i++) expect(pace.next(0)).toBeLessThanOrEqual(MAX_REPORT_INTERVAL_MS);
    expect(pace.peek(0)).toBe(MAX_REPORT_INTERVAL_MS);
    const other = new ReportPace();
    for (let i = 0; i < 500; i++) other.peek(0);
    expect(other.next(0)).toBe(MIN_REPORT_INTERVAL_MS);
  });
});
