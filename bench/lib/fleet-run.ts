// One run of one contestant: hosts and links, seed up, clock on, all fetch, clock off, compare, everything gone again.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { CONTENT_NAME } from "../contestants/contestant.ts";
import {
  type FleetContestant,
  type FleetGround,
  type Leech,
  spawnOn,
} from "../contestants/fleet-contestant.ts";
import type { Workspace } from "./workspace.ts";
import type { Child } from "./child.ts";
import type { Cpu } from "./process-meter.ts";
import { assertSameContent } from "./content-file.ts";
import { type FleetScenario, isSlow, leechIndices, rateOf, startOf, timeLimit } from "./fleet-scenario.ts";
import type { Milestones } from "./json-events.ts";
import { type Load, LoadMeter } from "./machine-load.ts";
import type { NetNamespaces } from "./net-namespace.ts";
import { cpuOf } from "./process-meter.ts";
import { type ShapedHost, ShapedNetwork } from "./shaped-network.ts";
import { rounded } from "./statistics.ts";
import { warmPages } from "./warm-pages.ts";

export interface HostFigures {
  readonly index: number;
  /** The program, and whether the link is slow. */
  readonly kind: string;
  readonly slow: boolean;
  /** Seconds after the first host. */
  readonly started: number;
  /** Seconds after the first host was started; undefined when it never had the whole file. */
  readonly completed: number | undefined;
  /** Seconds after its own start. */
  readonly milestones: Milestones | undefined;
}

export interface FleetRun {
  readonly hosts: readonly HostFigures[];
  /** Seconds from the start of the first host until the last has the file; undefined when one never had it. */
  readonly last: number | undefined;
  /** Bytes that left the seed's host during the run, with all headers. */
  readonly seedSent: number;
  /** Packets thrown away by the shapers of all links. */
  readonly dropped: number;
  /** Seconds of all processes during the run. */
  readonly cpu: number;
  readonly seedCpu: number;
  readonly load: Load;
  readonly problem: string | undefined;
}

export interface FleetStage {
  readonly workspace: Workspace;
  readonly namespaces: NetNamespaces;
  readonly scenario: FleetScenario;
  /** Where the hosts get their folders. */
  readonly folder: string;
  readonly content: string;
  readonly torrent: string;
}

/** The hosts of a scenario, the seed first. */
export function buildNetwork(namespaces: NetNamespaces, scenario: FleetScenario): ShapedNetwork {
  const network = new ShapedNetwork(namespaces);
  for (const index of [0, ...leechIndices(scenario)]) network.addHost(rateOf(scenario, index));
  return network;
}

/** @throws when the seed does not come up, or when a host has something else than was served. */
export async function runFleet(contestant: FleetContestant, stage: FleetStage): Promise<FleetRun> {
  const { workspace, namespaces, scenario } = stage;
  const folder = workspace.folder(stage.folder);
  const folderOf = ({ index }: ShapedHost) => join(folder, `h${index}`);
  const network = buildNetwork(namespaces, scenario);
  for (const host of network.hosts) mkdirSync(folderOf(host));
  const ground: FleetGround = { ...stage, network, folderOf };
  try {
    return await fetchAll(contestant, ground, scenario);
  } finally {
    namespaces.removeAll();
    workspace.remove(folder);
  }
}

async function fetchAll(
  contestant: FleetContestant,
  ground: FleetGround,
  scenario: FleetScenario,
): Promise<FleetRun> {
  const { workspace, network } = ground;
  const [seedHost, ...leechHosts] = network.hosts;
  if (seedHost === undefined) throw new RangeError("a network without hosts");
  const { seed, leech: leechOn, close } = await contestant.start(ground);
  const children: Child[] = [];
  try {
    const leeches = leechHosts.map((host) => ({ host, leech: leechOn(host) }));
    warmPages(scenario.leeches * scenario.size + 512 * MiB);
    const seedCpuBefore = secondsOf(cpuOf(seed.pid));
    const sentBefore = network.counters(seedHost).sent;
    const load = new LoadMeter();
    const deadline = performance.now() + timeLimit(scenario) * 1000;
    const begin = Date.now();
    const ends = leeches.map(async ({ host, leech }) => {
      await Bun.sleep(begin + startOf(scenario, host.index) * 1000 - Date.now());
      const started = Date.now();
      const child = spawnOn(ground, host, leech.command);
      children.push(child);
      const { completed, problem } = await endOf(leech, child, deadline - performance.now());
      return { host, leech, child, started, completed, problem };
    });
    const outcomes = await Promise.all(ends);
    const figures = {
      load: load.stop(),
      seedSent: network.counters(seedHost).sent - sentBefore,
      dropped: network.hosts.reduce((sum, host) => sum + network.counters(host).dropped, 0),
      seedCpu: rounded(secondsOf(cpuOf(seed.pid)) - seedCpuBefore, 2),
    };
    const cpu = rounded(
      children.reduce((sum, child) => sum + cpuUntilNow(child), figures.seedCpu),
      2,
    );
    const hosts = outcomes.map(({ host, leech, child, started, completed }): HostFigures => ({
      index: host.index,
      kind: leech.kind,
      slow: isSlow(scenario, host.index),
      started: rounded((started - begin) / 1000, 3),
      completed: completed === undefined ? undefined : rounded((completed - begin) / 1000, 3),
      milestones: leech.milestones?.(child.output, started),
    }));
    for (const { host, completed } of outcomes)
      if (completed !== undefined)
        assertSameContent(ground.content, join(ground.folderOf(host), CONTENT_NAME));
    const times = hosts.flatMap(({ completed }) => completed ?? []);
    return {
      hosts,
      last: times.length === hosts.length ? Math.max(...times) : undefined,
      ...figures,
      cpu,
      problem: outcomes.find(({ problem }) => problem !== undefined)?.problem,
    };
  } finally {
    // All are told to end before the first is waited for.
    for (const child of children) child.kill();
    for (const child of children) await workspace.end(child);
    await close?.();
    await workspace.end(seed);
  }
}

interface End {
  /** Milliseconds since 1970. */
  readonly completed: number | undefined;
  readonly problem: string | undefined;
}

async function endOf(leech: Leech, child: Child, timeoutMs: number): Promise<End> {
  try {
    return { completed: await leech.completed(child, timeoutMs), problem: undefined };
  } catch (error) {
    return { completed: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

function cpuUntilNow(child: Child): number {
  return secondsOf(child.hasExited ? child.totalCpu : cpuOf(child.pid));
}

function secondsOf({ user, system }: Cpu): number {
  return user + system;
}
