// aria2 in a fleet: all learn of all from a tracker in the middle of the network, and from each other by PEX.
import { chmodSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Child } from "../lib/child.ts";
import type { ShapedHost } from "../lib/shaped-network.ts";
import { ARIA2, aria2 } from "./aria2.ts";
import { CONTENT_NAME, SEED_TIMEOUT_MS } from "./contestant.ts";
import {
  completedByOutput,
  FLEET_PORT,
  type FleetContestant,
  type FleetGround,
  type Leech,
  seedHost,
  spawnOn,
  waitUntilListening,
} from "./fleet-contestant.ts";

/** A seed that listens tells the tracker within a second. */
const ANNOUNCE_TIMEOUT_MS = 10_000;

// No end by ratio: the benchmark ends the process.
const MEMBER = [...ARIA2, "--enable-peer-exchange=true", "--seed-ratio=0.0"] as const;

export const fleetAria2: FleetContestant = {
  name: "aria2",
  version: () => aria2.version(),
  async start(ground) {
    const tracker = await startTracker(ground, []);
    const host = seedHost(ground);
    const flags = [`--dir=${dirname(ground.content)}`, "--bt-seed-unverified=true"];
    const seed = spawnOn(ground, host, [...commandFor(host, tracker.url), ...flags, ground.torrent]);
    await waitUntilListening(seed, FLEET_PORT);
    await tracker.child.waitForOutput(/^(peer)/m, ANNOUNCE_TIMEOUT_MS);
    return {
      seed,
      leech: (host) => aria2Leech(ground, host, tracker.url),
      close: () => ground.workspace.end(tracker.child),
    };
  },
};

export interface Tracker {
  readonly child: Child;
  readonly url: string;
}

/** `peers` are known to it from the start. */
export async function startTracker(
  { workspace, network }: FleetGround,
  peers: readonly string[],
): Promise<Tracker> {
  const { hub } = network;
  const cwd = import.meta.dir;
  const command = [process.execPath, join(cwd, "fleet-tracker.ts"), hub.address, ...peers];
  const child = workspace.spawn(hub.on(command), { cwd, log: "/dev/null" });
  const port = await child.waitForOutput(/^ready (\d+)$/m, SEED_TIMEOUT_MS);
  return { child, url: `http://${hub.address}:${port}/announce` };
}

export function aria2Leech({ torrent, folderOf }: FleetGround, host: ShapedHost, trackerUrl: string): Leech {
  const hook = join(folderOf(host), "completed.sh");
  writeFileSync(hook, '#!/bin/sh\necho "completed $(date +%s%3N)"\n');
  chmodSync(hook, 0o755);
  const flags = [
    "--dir=.",
    `--index-out=1=${CONTENT_NAME}`,
    "--bt-hash-check-seed=false",
    `--on-bt-download-complete=${hook}`,
  ];
  return {
    kind: "aria2",
    command: [...commandFor(host, trackerUrl), ...flags, torrent],
    completed: completedByOutput,
  };
}

function commandFor({ address }: ShapedHost, trackerUrl: string): string[] {
  const place = [`--interface=${address}`, `--listen-port=${FLEET_PORT}`, `--bt-tracker=${trackerUrl}`];
  return [...MEMBER, ...place];
}
