import { expect, test } from "bun:test";
import type { WireRun } from "../../bench/wire/pair.ts";
import { summarizeWire, wireTable } from "../../bench/wire/report.ts";
import { GiB, MiB } from "../../src/lib/units.ts";

const memory = { rss: 50 * MiB, anonymous: 40 * MiB };
const run = (seconds: number): WireRun => ({
  seed: { seconds: seconds + 1, cpu: { user: 0.25, system: 0.25 } },
  leech: { seconds, cpu: { user: 1, system: 0.5 } },
  seedMemory: memory,
  leechMemory: memory,
});

test("the wire is told by the clock of the leech, per GiB and against the first", () => {
  const series = (name: string, ...runs: WireRun[]) => ({ name, version: "1", problem: undefined, runs });
  const results = summarizeWire(
    [series("ours", run(1), run(2)), series("floor", run(0.5), run(0.5))],
    GiB / 2,
  );
  expect(results.map(({ ratioOfMedians }) => ratioOfMedians)).toEqual([1, 0.333]);
  expect(results[1]).toMatchObject({
    blocksPerSecond: { median: 65_536 },
    rate: { median: 1074 },
    pairwiseRatio: { min: 0.25, max: 0.5 },
    seedCpuPerGiB: { median: 1 },
    leechCpuPerGiB: { median: 3 },
    seedMemoryMiB: 50,
  });
  expect(wireTable(results)).toContain("time ÷ ours");
});
