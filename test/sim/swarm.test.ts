import { describe, expect, test } from "bun:test";
import { Geometry } from "../../src/core/geometry.ts";
import { KiB, MiB } from "../../src/lib/units.ts";
import type { SimNode } from "./sim-node.ts";
import { connectAtRandom, Swarm } from "./swarm.ts";

const RATE = 25_000_000;
const geometry = new Geometry(32 * MiB + 12_345, 256 * KiB);
const floorMs = (geometry.length / RATE) * 1000;
const randomSeed = Number(process.env.SIM_SEED ?? 20_261_121);

/** One seed and leeches joined at random, with what the caller adds before they are joined. */
function aSwarm(leeches: number, prepare: (swarm: Swarm) => void = () => {}): Swarm {
  const swarm = new Swarm({ geometry, randomSeed, delayMs: 1 });
  swarm.add({ isSeed: true, bytesPerSecond: RATE });
  for (let i = 0; i < leeches; i++) swarm.add({ bytesPerSecond: RATE });
  prepare(swarm);
  connectAtRandom(swarm, 10);
  return swarm;
}

function honest(swarm: Swarm): SimNode[] {
  return swarm.nodes.filter((node) => !node.isLiar && !node.isGone);
}

function allDone(swarm: Swarm): boolean {
  return honest(swarm).every((node) => node.doneAt !== undefined);
}

describe(`a simulated swarm (SIM_SEED=${randomSeed})`, () => {
  test("one leech gets the file at the rate of its link", () => {
    const swarm = aSwarm(1);
    const took = swarm.run(60_000, () => allDone(swarm));
    expect(allDone(swarm)).toBe(true);
    expect(took).toBeLessThan(floorMs * 1.2);
  });

  test("50 leeches complete, and the seed sends far less than 50 copies", () => {
    const swarm = aSwarm(50);
    const took = swarm.run(120_000, () => allDone(swarm));
    expect(allDone(swarm)).toBe(true);
    const copies = swarm.nodes[0]!.sentBytes / geometry.length;
    console.log(
      `50 leeches: ${(took / floorMs).toFixed(2)} x floor, the seed sent ${copies.toFixed(2)} copies`,
    );
    expect(copies).toBeLessThan(10);
  });

  test("50 leeches complete beside a liar and a quitter; only the liar is accused", () => {
    const swarm = aSwarm(50, (building) => {
      building.add({ isSeed: true, isLiar: true, bytesPerSecond: RATE });
    });
    const quitter = swarm.nodes[7]!;
    swarm.queue.plan(floorMs, () => swarm.remove(quitter));
    swarm.run(240_000, () => allDone(swarm));
    expect(
      honest(swarm)
        .filter((node) => node.doneAt === undefined)
        .map((node) => node.name),
    ).toEqual([]);
    const accused = swarm.faults.get("hashMismatch") ?? [];
    expect(accused.length).toBeGreaterThan(0);
    expect(accused.every((node) => node.isLiar)).toBe(true);
    expect([...swarm.faults.keys()]).toEqual(["hashMismatch"]);
  });

  test("leeches trade with one another: the seed may leave once every piece is somewhere", () => {
    const swarm = aSwarm(20);
    const seed = swarm.nodes[0]!;
    const leaveWhenOut = () => {
      const held = new Set<number>();
      for (const node of swarm.nodes)
        if (node !== seed) node.transfer.have.forEachSet((piece) => held.add(piece));
      if (held.size === geometry.pieceCount) swarm.remove(seed);
      else swarm.queue.plan(swarm.queue.now + 50, leaveWhenOut);
    };
    swarm.queue.plan(0, leaveWhenOut);
    swarm.run(240_000, () => allDone(swarm));
    expect(seed.isGone).toBe(true);
    expect(honest(swarm).every((node) => node === seed || node.doneAt !== undefined)).toBe(true);
    expect(seed.sentBytes / geometry.length).toBeLessThan(3);
  });

  test("the same seed of chance gives the same run", () => {
    const times = [1, 2].map(() => {
      const swarm = aSwarm(10);
      swarm.run(60_000, () => allDone(swarm));
      return swarm.nodes.map((node) => node.doneAt);
    });
    expect(times[0]).toEqual(times[1]);
  });
});
