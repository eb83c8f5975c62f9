import { describe, expect, test } from "bun:test";
import { MiB } from "../../src/lib/units.ts";
import { MapCost } from "../../workers/map-cost.ts";

/** Maps windows of 8 MiB until it no longer pays. @returns how many, 100 at most. */
function windowsUntilDear(cost: MapCost, path: string, milliseconds: number): number {
  let windows = 0;
  for (; cost.pays(path) && windows < 100; windows++) cost.add(path, 8 * MiB, milliseconds);
  return windows;
}

describe("MapCost", () => {
  test("lets a file be mapped as long as mapping is cheap", () => {
    expect(windowsUntilDear(new MapCost(), "/a", 0.05)).toBe(100);
  });

  test("ends the mapping of a file whose windows are dear after 64 MiB", () => {
    expect(windowsUntilDear(new MapCost(), "/a", 1.2)).toBe(8);
  });

  test("forgives a slow window among cheap ones", () => {
    const cost = new MapCost();
    cost.add("/a", 8 * MiB, 4);
    expect(windowsUntilDear(cost, "/a", 0.05)).toBe(100);
  });

  test("judges each file for itself, also when their windows alternate", () => {
    const cost = new MapCost();
    for (let i = 0; i < 8; i++) {
      cost.add("/dear", 8 * MiB, 1.2);
      cost.add("/cheap", 8 * MiB, 0.05);
    }
    expect([cost.pays("/dear"), cost.pays("/cheap")]).toEqual([false, true]);
  });

  test("forgets the oldest of more than 64 files", () => {
    const cost = new MapCost();
    windowsUntilDear(cost, "/dear", 1.2);
    for (let i = 0; i < 63; i++) cost.pays(`/${i}`);
    expect(cost.pays("/dear")).toBe(false);
    cost.pays("/one-more");
    expect(cost.pays("/dear")).toBe(true);
  });
});
