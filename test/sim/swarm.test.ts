import { describe, expect, test } from "bun:test";
import { Geometry } from "../../src/core/torrent/geometry.ts";
import { KiB, MiB } from "../../src/lib/units.ts";
import { type Figures, play, type Scenario } from "./scenario.ts";
import type { SimHost } from "./sim-host.ts";
import { Swarm } from "./swarm.ts";

const RATE = 25_000_000;
const geometry = new Geometry(32 * MiB + 12_345, 256 * KiB);
const floorMs = (geometry.length / RATE) * 1000;
const randomSeed = Number(process.env["SIM_SEED"] ?? 20_261_121);

const figures = (figures: Figures) =>
  `${figures.scenario.leechers} leechers, ${figures.scenario.name}: ${(figures.lastMs / figures.floorMs).toFixed(2)} x floor, ` +
  `${figures.copies.toFixed(2)} copies from the seeds`;

/** One seed and leechers with links of the same rate. */
function aSwarm(leechers: number): Swarm {
  const swarm = new Swarm({ geometry, randomSeed });
  swarm.add({ isSeed: true, up: RATE, down: RATE });
  for (let i = 0; i < leechers; i++) swarm.add({ up: RATE, down: RATE });
  return swarm;
}

function honest(swarm: Swarm): SimHost[] {
  return swarm.hosts.filter((host) => !host.isCulprit && !host.isGone);
}

const allDone = (swarm: Swarm) => honest(swarm).every((host) => host.doneAt !== undefined);

describe(`a simulated fleet (SIM_SEED=${randomSeed})`, () => {
  const base = { geometry, rate: RATE };
  // The bounds are wide: they catch a broken policy. The table of docs/FLEETS.md compares policies.
  const scenarios: readonly (readonly [Scenario, number, number])[] = [
    [{ ...base, name: "equal links", leechers: 1 }, 1.1, 1.01],
    [{ ...base, name: "equal links", leechers: 10 }, 2.2, 2.2],
    [{ ...base, name: "equal links", leechers: 50 }, 2.8, 2.8],
    [{ ...base, name: "mixed links", leechers: 10, mixed: true }, 1.3, 3],
    [{ ...base, name: "staggered", leechers: 10, staggered: 1 }, 1.6, 3],
    [{ ...base, name: "flash crowd", leechers: 20, flashCrowd: true }, 2.2, 3],
    [{ ...base, name: "20 % leave", leechers: 20, leaving: 0.2 }, 2.2, 3],
    [{ ...base, name: "two seeds", leechers: 10, seeds: 2 }, 1.8, 3],
    [{ ...base, name: "a fast seed", leechers: 10, seedFactor: 10 }, 1.6, 12],
  ];
  test.each(scenarios)("completes near its floor: %j", (scenario, mostTime, mostCopies) => {
    const result = play(scenario, randomSeed);
    console.log(figures(result));
    expect(result.unfinished).toBe(0);
    expect(result.lastMs / result.floorMs).toBeWithin(1, mostTime);
    expect(result.copies).toBeWithin(1, mostCopies);
    expect(result.duplicates).toBeLessThan(0.1);
    expect([...result.swarm.faults.keys()]).toEqual([]);
  });

  test("W21, N2: 50 leechers complete beside a culprit and a peer that leaves; only the culprit is closed", () => {
    const swarm = aSwarm(50);
    swarm.add({ isSeed: true, isCulprit: true, up: RATE, down: RATE });
    swarm.queue.plan(floorMs, () => swarm.remove(swarm.hosts[7]!));
    swarm.run(240_000, () => allDone(swarm));
    const unfinished = honest(swarm).filter((host) => host.doneAt === undefined);
    expect(unfinished.map((host) => host.name)).toEqual([]);
    const closed = swarm.faults.get("hashMismatch") ?? [];
    expect(closed.length).toBeGreaterThan(0);
    expect(closed.every((host) => host.isCulprit)).toBe(true);
    expect([...swarm.faults.keys()]).toEqual(["hashMismatch"]);
  });

  test("leechers exchange pieces: the seed may leave once each piece is at a leecher", () => {
    const swarm = aSwarm(20);
    const seed = swarm.hosts[0]!;
    const atLeechers = new Set<number>();
    swarm.onVerified = (_host, piece) => {
      atLeechers.add(piece);
      if (atLeechers.size === geometry.pieceCount) swarm.remove(seed);
    };
    swarm.run(240_000, () => seed.isGone && allDone(swarm));
    expect(seed.isGone).toBe(true);
    expect(allDone(swarm)).toBe(true);
    expect(seed.sentBytes / geometry.length).toBeLessThan(3);
  });

  test("the same random seed gives the same run, another seed another run", () => {
    const scenario: Scenario = { ...base, name: "equal links", leechers: 10 };
    const times = [1, 1, 2].map((seed) => play(scenario, seed).swarm.hosts.map((host) => host.doneAt));
    expect(times[0]).toEqual(times[1]);
    expect(times[0]).not.toEqual(times[2]);
  });
});
