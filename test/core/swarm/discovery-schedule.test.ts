import { describe, expect, test } from "bun:test";
import { DiscoverySchedule } from "../../../src/core/swarm/discovery-schedule.ts";
import {
  ANNOUNCE_MS,
  LOOKUP_HUNGRY_MS,
  LOOKUP_PEERS,
  LOOKUP_SATISFIED_MS,
} from "../../../src/core/swarm/limits.ts";

const alone = { isSeeding: false, peers: 0, addresses: 1, nodes: 3 };
const hungry = { ...alone, peers: 1 };
const satisfied = { ...alone, peers: LOOKUP_PEERS };

/** Times of lookups and announces over `duration` at one tick per 10 ms. */
function run(schedule: DiscoverySchedule, state: typeof alone, duration: number, from = 0) {
  const lookups: number[] = [];
  const announces: number[] = [];
  for (let now = from; now < from + duration; now += 10) {
    const due = schedule.due(now, state);
    if (due.lookup) lookups.push(now);
    if (due.announce) announces.push(now);
  }
  return { lookups, announces };
}

describe("DiscoverySchedule", () => {
  test("the first lookup and announce are due at once, whatever the clock says", () => {
    for (const now of [0, 1e12]) {
      const schedule = new DiscoverySchedule(() => 0.5);
      expect(schedule.due(now, hungry)).toEqual({ lookup: true, announce: true });
      expect(schedule.due(now, hungry)).toEqual({ lookup: false, announce: false });
    }
  });

  test("a torrent without peers looks up every second, 20 % more or less", () => {
    for (const [chance, interval] of [
      [0, 800],
      [0.5, 1000],
      [0.999_999, 1200],
    ] as const) {
      const { lookups } = run(new DiscoverySchedule(() => chance), alone, 12_010);
      expect(lookups[1]).toBe(interval);
      expect(lookups).toHaveLength(Math.floor(12_000 / interval) + 1);
    }
  });

  test("lookups that tell nothing new become rarer while there are peers, and news make them frequent again", () => {
    const schedule = new DiscoverySchedule(() => 0.5);
    const { lookups } = run(schedule, hungry, 62_000);
    expect(lookups).toEqual([0, 1000, 3000, 7000, 15_000, 30_000, 45_000, 60_000]);
    const news = { ...hungry, addresses: 2 };
    expect(run(schedule, news, 5000, 62_000).lookups).toEqual([62_000, 63_000, 65_000]);
    // Having lost its only peer it asks every second again.
    expect(run(schedule, { ...news, peers: 0 }, 3000, 67_000).lookups).toEqual([67_000, 68_000, 69_000]);
  });

  test("eight peers satisfy a torrent, and a seed needs none: then it looks up every 15 s", () => {
    for (const state of [satisfied, { ...satisfied, peers: 30 }, { ...alone, isSeeding: true }]) {
      const { lookups } = run(new DiscoverySchedule(() => 0.5), state, 60_000);
      expect(lookups).toEqual([0, 15_000, 30_000, 45_000]);
    }
    const { lookups } = run(new DiscoverySchedule(() => 0.5), { ...satisfied, peers: 7 }, 5_000);
    expect(lookups).toEqual([0, 1000, 3000]);
  });

  test("machines that start one after another do not make a satisfied one look again", () => {
    const schedule = new DiscoverySchedule(() => 0.5);
    let lookups = 0;
    for (let now = 0; now < 15_000; now += 10) {
      const grown = { ...satisfied, addresses: Math.floor(now / 1000), peers: 8 + Math.floor(now / 1000) };
      if (schedule.due(now, grown).lookup) lookups++;
    }
    expect(lookups).toBe(1);
  });

  test("hunger counts from the last lookup, not from the next one that was planned", () => {
    const schedule = new DiscoverySchedule(() => 0.5);
    run(schedule, satisfied, LOOKUP_HUNGRY_MS);
    expect(schedule.due(LOOKUP_HUNGRY_MS, satisfied).lookup).toBe(false);
    expect(schedule.due(LOOKUP_HUNGRY_MS, hungry).lookup).toBe(true);
    expect(LOOKUP_SATISFIED_MS).toBeGreaterThan(LOOKUP_HUNGRY_MS);
  });

  test("announces come every 30 s, hungry or not", () => {
    for (const state of [hungry, satisfied]) {
      const { announces } = run(new DiscoverySchedule(() => 0), state, 100_000);
      expect(announces).toEqual([0, ANNOUNCE_MS, 2 * ANNOUNCE_MS, 3 * ANNOUNCE_MS]);
    }
  });

  test("an announce that no node took is repeated as soon as a node is known, once", () => {
    const schedule = new DiscoverySchedule(() => 0.5);
    expect(run(schedule, { ...hungry, nodes: 0 }, 10).announces).toEqual([0]);
    schedule.unheard();
    expect(run(schedule, { ...hungry, nodes: 0 }, 4_990, 10).announces).toEqual([]);
    expect(run(schedule, hungry, ANNOUNCE_MS, 5_000).announces).toEqual([5_000]);
  });

  test("one that was taken is not repeated because a node has become known meanwhile", () => {
    const schedule = new DiscoverySchedule(() => 0.5);
    expect(run(schedule, { ...hungry, nodes: 0 }, 10).announces).toEqual([0]);
    expect(run(schedule, hungry, ANNOUNCE_MS - 10, 10).announces).toEqual([]);
  });

  test("with nodes that never take it, an announce goes out once a second", () => {
    const schedule = new DiscoverySchedule(() => 0.5);
    const announces: number[] = [];
    for (let now = 0; now < 10_000; now += 10) {
      if (!schedule.due(now, hungry).announce) continue;
      announces.push(now);
      schedule.unheard();
    }
    expect(announces).toEqual(Array.from({ length: 10 }, (_, second) => second * LOOKUP_HUNGRY_MS));
  });
});
