import { describe, expect, test } from "bun:test";
import { MiB } from "../../src/lib/units.ts";
import { MapCost } from "../../workers/map-cost.ts";

describe("MapCost", () => {
  test("lets a file be mapped as long as mapping is cheap", () => {
    const cost = new MapCost();
    for (let i = 0; i < 100; i++) {
      expect(cost.pays("/a")).toBe(true);
      cost.add(8 * MiB, 0.05);
    }
  });

  test("forgives a slow window among cheap ones", () => {
    const cost = new MapCost();
    cost.pays("/a");
    cost.add(8 * MiB, 4);
    for (let i = 0; i < 7; i++) cost.add(8 * MiB, 0.05);
    expect(cost.pays("/a")).toBe(true);
  });

  test("ends the mapping of a file whose windows are dear, and starts anew with another file", () => {
    const cost = new MapCost();
    let windows = 0;
    for (; cost.pays("/a") && windows < 100; windows++) cost.add(8 * MiB, 1.2);
    expect(windows).toBe(8);
    expect(cost.pays("/b")).toBe(true);
  });
});
