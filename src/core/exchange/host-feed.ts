// The changes of the roster that one peer still needs: each once, and none that the peer has sent itself.
import type { HostEntry, HostRoster } from "./host-roster.ts";

export class HostFeed {
  readonly #roster: HostRoster;
  /** Everything up to this version was sent, or need not be. */
  #version = 0;
  /** Entries after that version that the peer knows: emptied whenever it knows all. */
  readonly #known = new Set<HostEntry>();
  #isFresh = true;

  constructor(roster: HostRoster) {
    this.#roster = roster;
  }

  /** Entries kept to send nothing twice; none once the peer knows all. */
  get remembered(): number {
    return this.#known.size;
  }

  /** The peer has sent this entry: it does not get it back unless it changes. */
  heard({ address, state, since }: HostEntry): void {
    if (this.#version === this.#roster.version) return;
    const latest = this.#roster.get(address);
    if (latest?.state === state && latest.since === since) this.#known.add(latest);
  }

  /** At most `max` entries to send now, our own first; empty when the peer knows all. */
  next(max: number): HostEntry[] {
    const roster = this.#roster;
    if (this.#version === roster.version || max <= 0) return [];
    const news: HostEntry[] = [];
    const send = (entry: HostEntry) => {
      news.push(entry);
      this.#known.add(entry);
    };
    // Our own entry comes first, whatever the peer knows: so it learns to which host this connection leads.
    if (this.#isFresh) send(roster.own);
    this.#isFresh = false;
    for (const { entry, version } of roster.changesAfter(this.#version)) {
      if (!this.#known.has(entry)) {
        if (news.length === max) return news;
        send(entry);
      }
      this.#version = version;
    }
    this.#version = roster.version;
    this.#known.clear();
    return news;
  }
}
