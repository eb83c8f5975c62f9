// What a program must offer to fetch a file on many hosts at once: a seed on the first host, and for every other host the
// command that fetches the file there and how one sees that it has it.
import { join } from "node:path";
import type { Workspace } from "../lib/workspace.ts";
import type { Child } from "../lib/child.ts";
import type { Milestones } from "../lib/json-events.ts";
import type { ShapedHost, ShapedNetwork } from "../lib/shaped-network.ts";
import { listensOn } from "../lib/tcp-table.ts";
import { SEED_TIMEOUT_MS } from "./contestant.ts";

/** Where one run takes place. */
export interface FleetGround {
  readonly workspace: Workspace;
  readonly network: ShapedNetwork;
  /** The file to serve, named CONTENT_NAME. */
  readonly content: string;
  /** The same as a .torrent. */
  readonly torrent: string;
  /** The working directory of what runs on a host; each is an empty folder at first. */
  readonly folderOf: (host: ShapedHost) => string;
}

export interface Leech {
  /** The program, where a swarm has several. */
  readonly kind: string;
  /** Fetches the file into its working directory, under CONTENT_NAME. */
  readonly command: readonly string[];
  /** Resolves when the host has the whole file, with the time of that in milliseconds since 1970. @throws after `timeoutMs`. */
  readonly completed: (child: Child, timeoutMs: number) => Promise<number>;
  /** Reads from its output when it got how far, from `since`, in milliseconds since 1970. */
  readonly milestones?: (output: string, since: number) => Milestones;
}

export interface FleetOffer {
  readonly seed: Child;
  readonly leech: (host: ShapedHost) => Leech;
  /** Ends what the offer needs besides the seed. */
  readonly close?: () => Promise<void>;
}

export interface FleetContestant {
  readonly name: string;
  /** Undefined when it is not installed. */
  version(): string | undefined;
  /** Serves the file on the first host of the network. Resolves when it can be fetched. */
  start(ground: FleetGround): Promise<FleetOffer>;
}

/** The port of programs that have their address for themselves. */
export const FLEET_PORT = 42070;

export function spawnOn(
  { workspace, folderOf }: FleetGround,
  host: ShapedHost,
  command: readonly string[],
): Child {
  const cwd = folderOf(host);
  return workspace.spawn(host.on(command), { cwd, log: join(cwd, "stderr") });
}

/** @throws when there is no host. */
export function seedHost({ network }: FleetGround): ShapedHost {
  const host = network.hosts[0];
  if (host === undefined) throw new RangeError("a network without hosts");
  return host;
}

/** Resolves when the program accepts connections on `port`, without making one. @throws when it does not in time. */
export async function waitUntilListening(child: Child, port: number): Promise<void> {
  const deadline = performance.now() + SEED_TIMEOUT_MS;
  while (!child.hasExited && performance.now() < deadline) {
    if (listensOn(child.pid, port)) return;
    await Bun.sleep(100);
  }
  throw new Error(`\`${child.command.join(" ")}\` does not listen`);
}

/** For programs that print `completed MILLISECONDS`. */
export async function completedByOutput(child: Child, timeoutMs: number): Promise<number> {
  return Number(await child.waitForOutput(/^completed (\d+)$/m, timeoutMs));
}
