// What hosts say of themselves from an address that they have proved: the only hosts that are counted. A host is an IPv4 address; its
// destinations (directories, processes, other programs) are told apart by an id that each states, and count up to a bound.
import { present } from "../../lib/assert.ts";
import { MAX_FIRST_HAND_HOSTS, MIN_DESTINATIONS_KEPT } from "./limits.ts";

/** `failed`: ended with an error. The others are states of the host exchange. */
export type FirstHandState = "leeching" | "left" | "source" | "done" | "failed";

/** Their numbers on the wire. The first four are those of the host exchange. */
export const FIRST_HAND_STATES: readonly FirstHandState[] = ["leeching", "left", "source", "done", "failed"];

interface Destination {
  readonly state: FirstHandState;
  /** Has been done once: a later run that fetches the file again does not take that back. */
  readonly wasDone: boolean;
}

/** By IPv4 address: the ids of its destinations that have been done. */
export type DoneHosts = ReadonlyMap<string, ReadonlySet<string>>;

export class FirstHandHosts {
  readonly #destinationsKept: number;
  /** Hosts with no destination that has been done, and the others: the one that was heard longest ago first. */
  readonly #open = new Map<string, Map<string, Destination>>();
  readonly #finished = new Map<string, Map<string, Destination>>();
  readonly #done = new Map<string, Set<string>>();
  #needy = 0;
  #wanting = 0;

  /** `destinationsPerHost`: how many of one address are counted. */
  constructor(destinationsPerHost: number) {
    this.#destinationsKept = Math.max(destinationsPerHost, MIN_DESTINATIONS_KEPT);
  }

  /** Hosts known, at most MAX_FIRST_HAND_HOSTS. */
  get size(): number {
    return this.#open.size + this.#finished.size;
  }

  /** Hosts that want the file or have got it. */
  get wanting(): number {
    return this.#wanting;
  }

  /** Hosts that have got it. */
  get done(): number {
    return this.#finished.size;
  }

  /** Destinations that lack data, also those that are silent. */
  get needy(): number {
    return this.#needy;
  }

  doneHosts(): DoneHosts {
    return this.#done;
  }

  stateOf(host: string, destination: string): FirstHandState | undefined {
    return this.#destinationsOf(host)?.get(destination)?.state;
  }

  /**
   * `host`: the source address of a TCP connection whose handshake is complete, or of a datagram with a valid token. `destination`: what
   * tells it from others of that host; "" where nothing does.
   */
  heard(host: string, destination: string, state: FirstHandState): void {
    const destinations = this.#destinationsOf(host) ?? this.#added();
    this.#countOut(host, destinations);
    const wasDone = state === "done" || destinations.get(destination)?.wasDone === true;
    destinations.delete(destination);
    if (destinations.size >= this.#destinationsKept) forgetOne(destinations);
    destinations.set(destination, { state, wasDone });
    this.#countIn(host, destinations);
  }

  #destinationsOf(host: string): Map<string, Destination> | undefined {
    return this.#finished.get(host) ?? this.#open.get(host);
  }

  /** In a full table the host goes that is not done and was heard longest ago: a flood of addresses keeps no host out. */
  #added(): Map<string, Destination> {
    if (this.size >= MAX_FIRST_HAND_HOSTS) {
      const from = this.#open.size > 0 ? this.#open : this.#finished;
      const [host, destinations] = present(from.entries().next().value);
      this.#countOut(host, destinations);
    }
    return new Map();
  }

  #countOut(host: string, destinations: ReadonlyMap<string, Destination>): void {
    if (!this.#open.delete(host) && !this.#finished.delete(host)) return;
    this.#done.delete(host);
    this.#needy -= count(destinations, isNeedy);
    if (isWanting(destinations)) this.#wanting--;
  }

  #countIn(host: string, destinations: Map<string, Destination>): void {
    const done = [...destinations].filter(([, { wasDone }]) => wasDone).map(([id]) => id);
    if (done.length > 0) this.#done.set(host, new Set(done));
    (done.length > 0 ? this.#finished : this.#open).set(host, destinations);
    this.#needy += count(destinations, isNeedy);
    if (isWanting(destinations)) this.#wanting++;
  }
}

function forgetOne(destinations: Map<string, Destination>): void {
  const open = destinations.entries().find(([, { wasDone }]) => !wasDone);
  const [id] = open ?? present(destinations.entries().next().value);
  destinations.delete(id);
}

function isNeedy({ state }: Destination): boolean {
  return state === "leeching";
}

function isWanting(destinations: ReadonlyMap<string, Destination>): boolean {
  return count(destinations, (one) => isNeedy(one) || one.wasDone) > 0;
}

function count(
  destinations: ReadonlyMap<string, Destination>,
  matches: (one: Destination) => boolean,
): number {
  let matching = 0;
  for (const one of destinations.values()) if (matches(one)) matching++;
  return matching;
}
