import { describe, expect, test } from "bun:test";
import { RunList } from "../../src/storage/run-list.ts";
import { printedSeed } from "./storage-fixture.ts";
import { seededRandom } from "../helpers/seeded-random.ts";

function runsOf(list: RunList): [number, number][] {
  return Array.from({ length: list.count }, (_, index) => [list.start(index), list.end(index)]);
}

describe("RunList", () => {
  test("joins runs that touch", () => {
    const list = new RunList();
    expect(list.add(0, 4)).toBe(4);
    expect(list.add(8, 12)).toBe(4);
    expect(list.add(4, 8)).toBe(4);
    expect(runsOf(list)).toEqual([[0, 12]]);
  });

  test("agrees with a byte map for any order, overlap and length", () => {
    const random = seededRandom(printedSeed("RunList"));
    for (let round = 0; round < 300; round++) {
      const list = new RunList();
      const map = new Uint8Array(80);
      for (let step = 0; step < 20; step++) {
        const start = Math.floor(random() * 79);
        const end = start + 1 + Math.floor(random() * Math.min(20, 79 - start));
        const before = map.reduce((sum, byte) => sum + byte, 0);
        map.fill(1, start, end);
        const after = map.reduce((sum, byte) => sum + byte, 0);
        expect(list.add(start, end)).toBe(after - before);
        expect(list.filled).toBe(after);
        const expected: [number, number][] = [];
        for (let at = 0; at < map.length; at++) {
          if (map[at] === 0) continue;
          const from = at;
          while (map[at] === 1) at++;
          expected.push([from, at]);
        }
        expect(runsOf(list)).toEqual(expected);
        const probe = Math.floor(random() * 70);
        expect(list.overlaps(probe, probe + 5)).toBe(map.subarray(probe, probe + 5).includes(1));
      }
    }
  });
});
