import { describe, expect, test } from "bun:test";
import type { HashRun } from "../../bench/hash/hasher.ts";
import { hashTable, summarizeHash } from "../../bench/hash/report.ts";
import type { Series } from "../../bench/lib/rounds.ts";

const series = (name: string, runs: (HashRun | undefined)[]): Series<HashRun> => ({
  name,
  version: "1",
  problem: undefined,
  runs,
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
