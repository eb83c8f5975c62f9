// Where the processes of a discovery benchmark run: each has an address of its own, on loopback or on a host of its own (a
// network namespace with a link as fast as the machine).
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { EXECUTABLE } from "./contestants/p2pfile.ts";
import type { Workspace } from "./lib/workspace.ts";
import type { Child, ChildOptions } from "./lib/child.ts";
import { assertNamespaces, NetNamespaces, sweepDeadNamespaces } from "./lib/net-namespace.ts";
import { ShapedNetwork } from "./lib/shaped-network.ts";

/** One address. */
export interface Spot {
  readonly address: string;
  readonly on: (command: readonly string[]) => readonly string[];
}

export interface Place {
  readonly kind: "loopback" | "namespaces";
  /** An address that was not given out before. */
  next(): Spot;
  /** Gives all addresses back; the processes there have been ended. */
  clear(): void;
}

/** @throws NotPossible where namespaces cannot be had. */
export function placeOf(kind: string): Place {
  switch (kind) {
    case "loopback":
      return new Loopback();
    case "namespaces":
      return new Namespaces();
    default:
      throw new Error(`--on ${kind}: is neither loopback nor namespaces`);
  }
}

class Loopback implements Place {
  readonly kind = "loopback";
  #count = 0;

  next(): Spot {
    this.#count += 1;
    return { address: `127.77.${this.#count >> 8}.${this.#count & 0xff}`, on: (command) => command };
  }

  clear(): void {
    // Addresses are used up: a connection of the process before may still be known to the kernel.
  }
}

class Namespaces implements Place {
  readonly kind = "namespaces";
  readonly #namespaces: NetNamespaces;
  #network: ShapedNetwork | undefined;

  constructor() {
    assertNamespaces();
    sweepDeadNamespaces();
    this.#namespaces = new NetNamespaces();
  }

  next(): Spot {
    this.#network ??= new ShapedNetwork(this.#namespaces);
    return this.#network.addHost(undefined);
  }

  clear(): void {
    this.#namespaces.removeAll();
    this.#network = undefined;
  }
}

/** The processes of one round, ended together at its end. */
export class Crew {
  readonly #workspace: Workspace;
  readonly #children = new Set<Child>();

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  spawn(command: readonly string[], options: ChildOptions): Child {
    const child = this.#workspace.spawn(command, options);
    this.#children.add(child);
    return child;
  }

  async end(child: Child): Promise<void> {
    this.#children.delete(child);
    await this.#workspace.end(child);
  }

  async endAll(): Promise<void> {
    for (const child of this.#children) child.kill();
    for (const child of this.#children) await this.end(child);
  }
}

/** A p2pfile process that prints events, and when it was started. */
export interface Node {
  readonly spot: Spot;
  readonly folder: string;
  readonly child: Child;
  /** Milliseconds since 1970. */
  readonly started: number;
}

/** Starts p2pfile there, in `folder`, which is made when it is missing. */
export function startNode(crew: Crew, spot: Spot, folder: string, words: readonly string[]): Node {
  mkdirSync(folder, { recursive: true });
  const [command = "", ...rest] = words;
  const line = spot.on([EXECUTABLE, command, "--json", "--ip", spot.address, ...rest]);
  const started = Date.now();
  return { spot, folder, started, child: crew.spawn(line, { cwd: folder, log: join(folder, "stderr") }) };
}
