// p2pfile in a fleet: one magnet for all, and those that are done go on seeding until the last is done.
import { existsSync } from "node:fs";
import type { Child } from "../lib/child.ts";
import { eventPattern, milestonesOf } from "../lib/json-events.ts";
import { versionOf } from "../lib/machine.ts";
import type { ShapedHost } from "../lib/shaped-network.ts";
import { SEED_TIMEOUT_MS } from "./contestant.ts";
import { type FleetContestant, type FleetGround, type Leech, seedHost, spawnOn } from "./fleet-contestant.ts";
import { EXECUTABLE } from "./p2pfile.ts";

/** Longer than any run: the benchmark ends the process. */
const KEEP_SEEDING = ["--seeding", "--seeding-time", "86400", "--seeding-ratio", "1000000"];

export const fleetP2pfile: FleetContestant = fleetBuildOf("p2pfile", EXECUTABLE);

/** Any build of it, to compare a change with what was before. */
export function fleetBuildOf(name: string, executable: string): FleetContestant {
  return {
    name,
    version: () => p2pfileVersion(executable),
    async start(ground) {
      const { seed, magnet } = await startP2pfileSeed(executable, ground);
      return { seed, leech: (host) => p2pfileLeech(executable, magnet, host) };
    },
  };
}

export function p2pfileVersion(executable: string): string | undefined {
  return existsSync(executable) ? versionOf([executable, "--version"], /^(\S+)$/m) : undefined;
}

export async function startP2pfileSeed(
  executable: string,
  ground: FleetGround,
): Promise<{ seed: Child; magnet: string }> {
  const host = seedHost(ground);
  const seed = spawnOn(ground, host, [executable, "serve", "--ip", host.address, ground.content]);
  const magnet = await seed.waitForOutput(/^(magnet:\S+)$/m, SEED_TIMEOUT_MS);
  return { seed, magnet };
}

export function p2pfileLeech(executable: string, magnet: string, host: ShapedHost): Leech {
  return {
    kind: "p2pfile",
    command: [executable, "download", "--json", "--ip", host.address, ...KEEP_SEEDING, magnet],
    completed: async (child, timeoutMs) =>
      Date.parse(await child.waitForOutput(eventPattern("completed"), timeoutMs)),
    milestones: (output, since) => milestonesOf(output, since),
  };
}
