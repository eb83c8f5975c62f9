import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { record } from "../../bench/lib/record.ts";
import { readResults } from "../../bench/lib/result-lines.ts";
import { type Contender, failures, playRounds } from "../../bench/lib/rounds.ts";

const silent = (): void => {};

/** Notes each of its runs, and tells how many there were before. */
function contender(name: string, played: string[], failsAt = Infinity): Contender<number> {
  let count = 0;
  return {
    name,
    version: "1",
    play: async () => {
      played.push(name);
      if (count === failsAt) throw new Error(`${name} broke`);
      return count++;
    },
  };
}

describe("playRounds", () => {
  test("begins each round with another one and does not count the first", async () => {
    const played: string[] = [];
    const series = await playRounds([contender("a", played), contender("b", played)], 2, silent);
    expect(played).toEqual(["a", "b", "b", "a", "a", "b"]);
    expect(series.map(({ runs }) => runs)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test("goes on without one that failed, and keeps its rounds apart", async () => {
    const played: string[] = [];
    const heard: unknown[] = [];
    const contenders = [contender("a", played), contender("b", played, 2)];
    const series = await playRounds(contenders, 3, (...told) => heard.push(told));
    expect(series[1]).toEqual({
      name: "b",
      version: "1",
      runs: [1, undefined, undefined],
      problem: "b broke",
    });
    expect(series[0]?.runs).toEqual([1, 2, 3]);
    expect(heard[0]).toEqual([0, "a", 0]);
    expect(failures(series).map(({ name }) => name)).toEqual(["b"]);
  });

  test("does not run what is not installed, which is no failure", async () => {
    const played: string[] = [];
    const series = await playRounds([{ ...contender("a", played), version: undefined }], 1, silent);
    expect(played).toEqual([]);
    expect(series[0]?.problem).toBe("not installed");
    expect(failures(series)).toEqual([]);
  });
});

describe("record", () => {
  const all = [{ name: "a", version: undefined, runs: [], problem: "not installed" }];
  const options = { name: "test-only", rounds: 1, versions: { a: "1" } };

  test("adds a dated line to the file it is given", () => {
    const folder = mkdtempSync(join(tmpdir(), "p2pfile-test-"));
    try {
      const file = join(folder, "results.jsonl");
      record({ ...options, file }, all, { size: 5 });
      record({ ...options, file }, all, { size: 6 });
      const [line, next] = readResults(file);
      expect(line).toMatchObject({
        rounds: 1,
        size: 5,
        versions: { bun: Bun.version, a: "1" },
        missing: [{ name: "a", problem: "not installed" }],
      });
      expect(Object.keys(line as object).slice(0, 3)).toEqual(["date", "command", "machine"]);
      expect(next).toMatchObject({ size: 6 });
      expect(readFileSync(file, "utf8").endsWith("\n")).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("keeps a run of few rounds out of the books", () => {
    record({ ...options, file: undefined }, all, {});
    expect(readResults(join(import.meta.dir, "../../bench/results/test-only.jsonl"))).toEqual([]);
  });
});
