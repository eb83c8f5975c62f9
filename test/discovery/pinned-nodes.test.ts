import { describe, expect, test } from "bun:test";
import { MAX_PINNED_PER_WALK, MAX_SILENT_PINNED_PER_WALK } from "../../src/discovery/limits.ts";
import { distanceOf, nodeIdOf } from "../../src/discovery/node-id.ts";
import { PinnedNodes } from "../../src/discovery/pinned-nodes.ts";
import { id20 } from "./krpc.ts";

const target = id20("t");
const addresses = Array.from({ length: 20 }, (_, i) => ({ host: `10.0.0.${i + 1}`, port: 42_070 }));

describe("PinnedNodes", () => {
  test("all are asked and waited for while the routing table needs nodes, silent ones too", () => {
    const pinned = new PinnedNodes(addresses);
    pinned.heard(addresses[3]!, false);
    expect(pinned.choose(target, true)).toEqual({ pinned: addresses, silent: [] });
  });

  test("later the nearest to the target are asked, the same ones each time", () => {
    const nearest = addresses
      .toSorted((a, b) => distanceOf(target, nodeIdOf(a)).compare(distanceOf(target, nodeIdOf(b))))
      .slice(0, MAX_PINNED_PER_WALK);
    const pinned = new PinnedNodes(addresses);
    for (let walk = 0; walk < 3; walk++)
      expect(pinned.choose(target, false)).toEqual({ pinned: nearest, silent: [] });
  });

  test("silent ones are asked in turns, until they answer", () => {
    const pinned = new PinnedNodes(addresses);
    const dead = addresses.slice(0, 6);
    for (const address of dead) pinned.heard(address, false);
    const asked = [0, 1, 2].flatMap(() => pinned.choose(target, false).silent);
    expect(asked).toHaveLength(3 * MAX_SILENT_PINNED_PER_WALK);
    expect(asked).toEqual([...dead, ...dead]);
    for (const address of dead) pinned.heard(address, true);
    expect(pinned.choose(target, false).silent).toEqual([]);
  });

  test("an address that is not pinned is nothing", () => {
    const pinned = new PinnedNodes([]);
    pinned.heard(addresses[0]!, false);
    expect(pinned.choose(target, false)).toEqual({ pinned: [], silent: [] });
  });
});
