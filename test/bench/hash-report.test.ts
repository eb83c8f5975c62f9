import { describe, expect, test } from "bun:test";
import type { HashRun } from "../../bench/hash/hasher.ts";
import { hashTable, messageCost, summarizeHash } from "../../bench/hash/report.ts";
import type { Series } from "../../bench/lib/rounds.ts";

const series = (name: string, runs: (HashRun | undefined)[]): Series<HashRun> => ({
  name,
  version: "1",
  problem: undefined,
  runs,
});
const walls = (name: string, ...seconds: number[]) =>
  series(
    name,
    seconds.map((wall) => ({ wall, cpu: wall, rate: 1 / wall })),
  );

describe("messageCost", () => {
  test("is the share of the pool's time that the loops around it did not need", () => {
    const all = [walls("loop map", 0.9), walls("create map 1 worker", 1), walls("loop map again", 1)];
    const cost = messageCost(all, "map");
    expect(cost?.lost.median).toBeCloseTo(0.05);
    expect(cost?.control.median).toBeCloseTo(0.1);
    expect(cost?.lostCpu.median).toBeCloseTo(0.05);
  });

  test("takes only rounds in which all three finished", () => {
    const pool = series("create map 1 worker", [undefined, { wall: 2, cpu: 2, rate: 1 }]);
    const cost = messageCost([walls("loop map", 1, 2), pool, walls("loop map again", 1, 2)], "map");
    expect(cost?.lost).toEqual({ median: 0, min: 0, max: 0 });
    expect(messageCost([pool], "map")).toBeUndefined();
  });
});

describe("summarizeHash", () => {
  const reference = series("reference", [{ rate: 2 }, { rate: 4 }]);

  test("compares rates with the reference, over all rounds and within each", () => {
    const results = summarizeHash([reference, series("one", [{ rate: 1 }, { rate: 4 }])], "reference");
    expect(results[1]).toMatchObject({ ratioOfMedians: 0.833, pairwiseRatio: { min: 0.5, max: 1 } });
  });

  test("says nothing about what was not measured", () => {
    const idle = series("idle", [{ cpu: 0, lateness: [1, 2, 300] }]);
    const results = summarizeHash([idle, series("broken", [undefined])], "reference");
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ rate: undefined, ratioOfMedians: undefined, wall: undefined });
    expect(results[0]?.delayMs).toEqual({ p50: 2, p99: 300, max: 300, samples: 3 });
    expect(JSON.stringify(results)).not.toContain("lateness");
    expect(hashTable(results, "reference")).toContain("2.0 / 300.0 / 300.0");
  });
});
