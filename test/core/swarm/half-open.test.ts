import { describe, expect, test } from "bun:test";
import { excessHalfOpen } from "../../../src/core/swarm/half-open.ts";
import {
  MAX_HALF_OPEN_BURST,
  MAX_HALF_OPEN_INCOMING,
  HALF_OPEN_GRACE_MS,
} from "../../../src/core/swarm/limits.ts";

/** That many accepted at each of these times. */
const accepted = (...groups: readonly (readonly [count: number, at: number])[]) =>
  groups.flatMap(([count, at]) => Array.from({ length: count }, () => at));
const excess = (openedAt: readonly number[], readAt: number) =>
  excessHalfOpen(openedAt, openedAt.length, readAt);

describe("Of half-open connections", () => {
  test("W14: as many as the limit stay however long they are silent", () => {
    expect(excess(accepted([MAX_HALF_OPEN_INCOMING, 0]), 1e6)).toBe(0);
  });

  test("W14: beyond the limit the oldest are closed once they were silent for a second, and no more of them than needed", () => {
    const openedAt = accepted([100, 0], [30, 500]);
    expect(excess(openedAt, HALF_OPEN_GRACE_MS - 1)).toBe(0);
    expect(excess(openedAt, HALF_OPEN_GRACE_MS)).toBe(130 - MAX_HALF_OPEN_INCOMING);
    const mostlyYoung = accepted([10, 0], [300, 500]);
    expect(excess(mostlyYoung, HALF_OPEN_GRACE_MS)).toBe(10);
    expect(excess(mostlyYoung, HALF_OPEN_GRACE_MS + 500)).toBe(310 - MAX_HALF_OPEN_INCOMING);
  });

  test("W17: a fleet that dials in the same moment is kept until it could be read", () => {
    expect(excess(accepted([300, 5_000]), 4_990)).toBe(0);
    expect(excess(accepted([300, 5_000]), 5_100)).toBe(0);
  });

  test("W17: a connection that was accepted while the process stood still has not been silent", () => {
    // Accepted at 1000, and not read before the clock says 9000.
    expect(excess(accepted([300, 1_000]), 1_000)).toBe(0);
  });

  test("W14: there is always room for the newest, and never more than the limit of a burst", () => {
    const openedAt: number[] = [];
    for (let i = 0; i < 5 * MAX_HALF_OPEN_BURST; i++) {
      openedAt.push(i / 100);
      openedAt.splice(0, excess(openedAt, i / 100));
      expect(openedAt.at(-1)).toBe(i / 100);
      expect(openedAt.length).toBeLessThanOrEqual(MAX_HALF_OPEN_BURST);
    }
  });

  test("W14: a flood at any rate leaves an honest connection the time in which hundreds of others are accepted", () => {
    // A thousand silent ones a second: the honest one may take half a second for its handshake.
    const openedAt: number[] = [];
    let honestGoneAt = Number.POSITIVE_INFINITY;
    for (let now = 0; now < 10_000; now++) {
      openedAt.push(now);
      const dropped = openedAt.splice(0, excess(openedAt, now));
      if (dropped.includes(5_000)) honestGoneAt = now;
    }
    expect(honestGoneAt - 5_000).toBeGreaterThanOrEqual(MAX_HALF_OPEN_BURST);
  });
});
