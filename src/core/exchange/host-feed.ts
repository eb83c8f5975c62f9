// What one peer has been told of the hosts: every change of the roster once, and nothing that it has told us itself.
import type { HostEntry, HostRoster } from "./host-roster.ts";

export class HostFeed {
  readonly #roster: HostRoster;
  /** Everything up to this version has been told, or need not be. */
  #version = 0;
  /** Entries after that version which the peer knows: emptied whenever it has heard everything. */
  readonly #known = new Set<HostEntry>();
  #isFresh = true;

  constructor(roster: HostRoster) {
    this.#roster = roster;
  }

  /** Entries kept to tell nothing twice; none once the peer has heard everything. */
  get remembered(): number {
    return this.#known.size;
  }

  /** The peer has told us this: it need not hear it from us unless it changes. */
  heard({ address, state, since }: HostEntry): void {
    if (this.#version === this.#roster.version) return;
    const latest = this.#roster.get(address);
    if (latest?.state === state && latest.since === since) this.#known.add(latest);
  }

  /** At most `max` entries that the peer should hear now, ourselves first; empty when it knows all. */
  next(max: number): HostEntry[] {
    const roster = this.#roster;
    if (this.#version === roster.version || max <= 0) return [];
    const news: HostEntry[] = [];
    const tell = (entry: HostEntry) => {
      news.push(entry);
      this.#known.add(entry);
    };
    // Who we are comes first, whatever the peer knows: so it learns to which host this connection leads.
    if (this.#isFresh) tell(roster.own);
    this.#isFresh = false;
    for (const { entry, version } of roster.changesAfter(this.#version)) {
      if (!this.#known.has(entry)) {
        if (news.length === max) return news;
        tell(entry);
      }
      this.#version = version;
    }
    this.#version = roster.version;
    this.#known.clear();
    return news;
  }
}
