// Which hosts take part in a torrent and how far each is: a map in which the later entry of a host wins, so that entries may be
// passed on in any order, any number of times. What hosts say of themselves is passed on; hearsay is kept apart and stays here.
// Knows no connection; what a peer still needs is HostFeed's business.
import { present } from "../../lib/assert.ts";
import { MAX_HOST_CLOCK_LEAD_S, MAX_KNOWN_HOSTS } from "./limits.ts";
import { addressKey, type PeerAddress } from "../format/peer-address.ts";

/**
 * `leeching`: lacks data and wants it. `left`: said goodbye before it had everything. `source`: had the file from the
 * start. `done`: has downloaded all of it, whether it is still there or not.
 */
export type HostState = "leeching" | "left" | "source" | "done";

/** In the order in which they win when two of the same second are compared; also their numbers on the wire. */
export const HOST_STATES: readonly HostState[] = ["leeching", "left", "source", "done"];

/** The largest time that the four bytes on the wire can carry. */
const MAX_SINCE = 0xffff_ffff;

/** What is heard of a host: where it says that it listens, and how far it is. Nothing is decided by it. */
export interface HostEntry {
  readonly address: PeerAddress;
  readonly state: HostState;
  /** When the state began, in whole seconds since 1970 by the clock of the host that reported it first. */
  readonly since: number;
}

/** One line of the roster's log: `version` counts the changes, from 1. */
interface Change {
  readonly entry: HostEntry;
  readonly version: number;
}

export class HostRoster {
  readonly #ownKey: string;
  #own: HostEntry;
  readonly #latest = new Map<string, Change>();
  /** What peers say of others, the one that was heard of first in front. */
  readonly #hearsay = new Map<string, HostEntry>();
  /** Ascending versions; a change that a later one of the same host has replaced stays until the log is compacted. */
  #log: Change[] = [];
  #version = 0;

  /** `now`: seconds since 1970. We are the first entry. */
  constructor(own: PeerAddress, state: HostState, now: number) {
    this.#ownKey = addressKey(own);
    this.#own = { address: own, state, since: clampSince(now) };
    this.#set(this.#own);
  }

  /** Hosts that spoke for themselves, ourselves included. Never above MAX_KNOWN_HOSTS. */
  get size(): number {
    return this.#latest.size;
  }

  /** Hosts that others spoke of. Never above MAX_KNOWN_HOSTS. */
  get hearsaySize(): number {
    return this.#hearsay.size;
  }

  /** Changes so far. */
  get version(): number {
    return this.#version;
  }

  get own(): HostEntry {
    return this.#own;
  }

  get(address: PeerAddress): HostEntry | undefined {
    const key = addressKey(address);
    return this.#latest.get(key)?.entry ?? this.#hearsay.get(key);
  }

  /** Hosts, by IPv4 address, that want the file or have got it, ourselves included: sources and those that left are not counted. */
  get wanting(): number {
    return this.#count((state) => state === "leeching" || state === "done");
  }

  /** Those of `wanting` that have all of it. */
  get done(): number {
    return this.#count((state) => state === "done");
  }

  /**
   * First-hand knowledge: of ourselves, or of a peer that cannot speak for itself. It stands over what was known,
   * whatever the clocks say. @returns whether it is news.
   */
  say(address: PeerAddress, state: HostState, now: number): boolean {
    const known = this.get(address);
    if (known?.state === state) return false;
    const entry = { address, state, since: clampSince(now) };
    if (known === undefined || beats(entry, known)) return this.#add(entry);
    return this.#set({ ...entry, since: clampSince(known.since + 1) });
  }

  /**
   * An entry that a peer sends of itself. One from more than MAX_HOST_CLOCK_LEAD_S ahead of our clock counts as of now: one of
   * the clocks is wrong, and a state must not be pinned for as long. An entry of our own address, left over from an
   * earlier process on our port, is overruled with a later time.
   * @returns whether it is news.
   */
  merge(heard: HostEntry, now: number): boolean {
    const key = addressKey(heard.address);
    const known = this.#latest.get(key)?.entry;
    if (key === this.#ownKey && known !== undefined && known.state !== heard.state) {
      if (!beats(heard, known)) return false;
      return this.#set({ ...known, since: clampSince(heard.since + 1) });
    }
    if (heard.since > now + MAX_HOST_CLOCK_LEAD_S) return this.say(heard.address, heard.state, now);
    return known === undefined || beats(heard, known) ? this.#add(heard) : false;
  }

  /**
   * An entry that a peer sends of another host, in constant time. It is passed on to no other peer, and stands behind what the host says
   * itself: one peer that lies costs every listener nothing. @returns whether it is news.
   */
  hear(heard: HostEntry, now: number): boolean {
    const key = addressKey(heard.address);
    // Left over from an earlier process on our port.
    if (key === this.#ownKey) return this.merge(heard, now);
    if (this.#latest.has(key)) return false;
    const known = this.#hearsay.get(key);
    const entry = heard.since > now + MAX_HOST_CLOCK_LEAD_S ? { ...heard, since: clampSince(now) } : heard;
    if (known !== undefined && (known.state === entry.state || !beats(entry, known))) return false;
    this.#hearsay.delete(key);
    this.#hearsay.set(key, entry);
    const [oldest] = this.#hearsay.keys();
    if (this.#hearsay.size > MAX_KNOWN_HOSTS && oldest !== undefined) this.#hearsay.delete(oldest);
    return true;
  }

  /** The latest entry of every host that changed after `version`, oldest change first, with the version it came with. */
  *changesAfter(version: number): Generator<Change> {
    for (let at = this.#firstAfter(version); at < this.#log.length; at++) {
      const change = present(this.#log[at]);
      if (this.#isLatest(change)) yield change;
    }
  }

  #add(entry: HostEntry): boolean {
    const isNew = !this.#latest.has(addressKey(entry.address));
    if (isNew && this.size >= MAX_KNOWN_HOSTS) this.#forgetOldest();
    return this.#set(entry);
  }

  #set(entry: HostEntry): true {
    const key = addressKey(entry.address);
    const change = { entry, version: ++this.#version };
    if (key === this.#ownKey) this.#own = entry;
    this.#latest.set(key, change);
    this.#hearsay.delete(key);
    this.#log.push(change);
    if (this.#log.length > 2 * this.size) this.#log = this.#log.filter((kept) => this.#isLatest(kept));
    return true;
  }

  #isLatest(change: Change): boolean {
    return this.#latest.get(addressKey(change.entry.address)) === change;
  }

  /** The one that spoke first: each has had a connection of its own, so that no peer fills the roster alone. */
  #forgetOldest(): void {
    for (const key of this.#latest.keys()) {
      if (key === this.#ownKey) continue;
      this.#latest.delete(key);
      return;
    }
  }

  #firstAfter(version: number): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (present(this.#log[middle]).version > version) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #count(matches: (state: HostState) => boolean): number {
    const hosts = new Set<string>();
    for (const { entry } of this.#latest.values()) if (matches(entry.state)) hosts.add(entry.address.host);
    for (const { address, state } of this.#hearsay.values()) if (matches(state)) hosts.add(address.host);
    return hosts.size;
  }
}

function beats(a: HostEntry, b: HostEntry): boolean {
  if (a.since !== b.since) return a.since > b.since;
  return HOST_STATES.indexOf(a.state) > HOST_STATES.indexOf(b.state);
}

function clampSince(seconds: number): number {
  return Math.min(Math.max(0, Math.floor(seconds)), MAX_SINCE);
}
