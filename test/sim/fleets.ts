// The fleets of docs/FLEETS.md in groups. The command plays each group in a process of its own, because coarse blocks
// (coarse-blocks.ts) hold for a whole process.
import { Geometry } from "../../src/core/torrent/geometry.ts";
import { pieceLengthFor } from "../../src/core/torrent/piece-length.ts";
import { GiB, MiB } from "../../src/lib/units.ts";
import type { Scenario } from "./scenario.ts";

export interface FleetGroup {
  readonly name: string;
  /** Blocks have this many times 16 KiB. */
  readonly blockFactor: number;
  readonly scenarios: readonly Scenario[];
}

/** 200 Mbit/s: the fleet of the measurements with real machines. */
const RATE = 25_000_000;
const GIGABIT = 125_000_000;
const small = new Geometry(256 * MiB, pieceLengthFor(256 * MiB));
const small64 = new Geometry(64 * MiB, pieceLengthFor(64 * MiB));
const large = new Geometry(1 * GiB, pieceLengthFor(1 * GiB));

function variations(geometry: Geometry, leechers: number, rate: number): Scenario[] {
  const base = { geometry, leechers, rate };
  return [
    { ...base, name: "mixed links", mixed: true },
    { ...base, name: "staggered start", staggered: 1 },
    { ...base, name: "flash crowd", flashCrowd: true },
    { ...base, name: "20 % leave", leaving: 0.2 },
    { ...base, name: "leave when done", leaveWhenDone: true },
    { ...base, name: "two seeds", seeds: 2 },
    { ...base, name: "seed with a link 10 x as fast", seedFactor: 10 },
    { ...base, name: "round trip of 20 ms", delayMs: 5 },
  ];
}

const equal = (geometry: Geometry, rate: number, counts: readonly number[]): Scenario[] =>
  counts.map((leechers) => ({ name: "equal links", geometry, leechers, rate }));

export const FLEETS: readonly FleetGroup[] = [
  { name: "small", blockFactor: 1, scenarios: equal(small, RATE, [1, 2, 5, 10, 50]) },
  { name: "ten", blockFactor: 1, scenarios: variations(small, 10, RATE) },
  { name: "fifty", blockFactor: 4, scenarios: variations(small, 50, RATE) },
  {
    name: "long pieces",
    blockFactor: 1,
    scenarios: equal(new Geometry(256 * MiB, MiB), RATE, [10, 50]),
  },
  {
    // The other fleets of the measurements with real machines; the last one is slow enough to show the cost of choking.
    name: "slow links",
    blockFactor: 1,
    scenarios: [
      ...equal(small64, RATE / 2, [10, 50]),
      ...equal(small64, RATE / 4, [24]),
      { geometry: small64, leechers: 24, rate: RATE / 4, name: "staggered start", staggered: 2 },
      ...equal(small64, RATE / 16, [24]),
    ],
  },
  { name: "two hundred", blockFactor: 16, scenarios: equal(large, GIGABIT, [10, 50, 200]) },
  {
    name: "thousand",
    blockFactor: 64,
    scenarios: equal(large, GIGABIT, [1000]),
  },
];
