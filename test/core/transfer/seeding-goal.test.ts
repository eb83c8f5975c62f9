import { describe, expect, test } from "bun:test";
import { SWARM_END_GRACE_MS } from "../../../src/core/transfer/limits.ts";
import { type SeedingEnd, seedingEnd } from "../../../src/core/transfer/seeding-goal.ts";

describe("seedingEnd", () => {
  test.each<[number, number, number, number, SeedingEnd | undefined]>([
    // seconds, ratio, seeding ms, uploaded bytes of 1000; some host needs data all the time
    [60, 1, 0, 0, undefined],
    [60, 1, 59_999, 999, undefined],
    [60, 1, 60_000, 999, "time"],
    [60, 1, 59_999, 1000, "ratio"],
    [60, 1, 60_000, 1000, "ratio"],
    [60, 1.5, 0, 1499, undefined],
    [60, 1.5, 0, 1500, "ratio"],
    [60, 0, 0, 0, "ratio"],
    [0, 1, 0, 0, "time"],
    [Number.POSITIVE_INFINITY, 2, 1e12, 1999, undefined],
    [60, Number.POSITIVE_INFINITY, 1000, 1e12, undefined],
  ])(
    "of %d s and ratio %d after %d ms and %d of 1000 bytes is %p",
    (seconds, ratio, seedingMs, uploaded, end) => {
      expect(seedingEnd({ seconds, ratio }, { seedingMs, uploaded, size: 1000, idleMs: 0 })).toBe(end);
    },
  );

  test.each<[number, number, SeedingEnd | undefined]>([
    [SWARM_END_GRACE_MS - 1, 59_999, undefined],
    [SWARM_END_GRACE_MS, 59_999, "swarm"],
    [SWARM_END_GRACE_MS, 60_000, "time"],
  ])("after %d ms in which no host needed data, of %d in all, is %p", (idleMs, seedingMs, end) => {
    expect(seedingEnd({ seconds: 60, ratio: 1 }, { seedingMs, uploaded: 0, size: 1000, idleMs })).toBe(end);
  });
});
