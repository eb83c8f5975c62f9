// Machines for a rate test, as network namespaces: one for the seed, one per leech, each leech on a link of its own to
// the seed and to no other host, so that what crosses a link is what this leech got from the seed. Needs root.
import {
  assertNamespaces,
  inNamespace,
  NetNamespaces,
  run,
  sweepDeadNamespaces,
} from "./lib/net-namespace.ts";

/** The seed's address, the same on all links. */
export const SEED_ADDRESS = "10.77.0.1";

export class RateNetwork {
  readonly #namespaces = new NetNamespaces();
  readonly #seed: string;
  readonly #leeches: readonly string[];

  /** @throws NotPossible, in words for the user. */
  constructor(leeches: number) {
    assertNamespaces();
    sweepDeadNamespaces();
    this.#seed = this.#namespaces.create("seed");
    run(["ip", "-n", this.#seed, "addr", "add", `${SEED_ADDRESS}/32`, "dev", "lo"]);
    this.#leeches = Array.from({ length: leeches }, (_, leech) => this.#link(leech));
  }

  /** `command` as it runs on the seed's machine; the process that is started becomes it. */
  onSeed(command: readonly string[]): string[] {
    return inNamespace(this.#seed, command);
  }

  /** `leech` counts from 0. */
  onLeech(leech: number, command: readonly string[]): string[] {
    return inNamespace(this.#leeches[leech] ?? "", command);
  }

  leechAddress(leech: number): string {
    return `10.77.${leech + 1}.2`;
  }

  /** The seed's end of the link to a leech. */
  interfaceTo(leech: number): string {
    return `leech${leech}`;
  }

  /** Processes on the machines must have been ended before. */
  remove(): void {
    this.#namespaces.removeAll();
  }

  #link(leech: number): string {
    const namespace = this.#namespaces.create(`leech${leech}`);
    const seedEnd = this.interfaceTo(leech);
    const onSeed = (...args: readonly string[]) => run(["ip", "-n", this.#seed, ...args]);
    const onLeech = (...args: readonly string[]) => run(["ip", "-n", namespace, ...args]);
    onSeed("link", "add", seedEnd, "type", "veth", "peer", "name", "seed", "netns", namespace);
    onSeed("addr", "add", `10.77.${leech + 1}.1/24`, "dev", seedEnd);
    onSeed("link", "set", seedEnd, "up");
    onLeech("addr", "add", `${this.leechAddress(leech)}/24`, "dev", "seed");
    onLeech("link", "set", "seed", "up");
    onLeech("route", "add", SEED_ADDRESS, "dev", "seed");
    return namespace;
  }
}
