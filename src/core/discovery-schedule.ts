// When to look for peers and when to announce ourselves. Knows neither the DHT nor how peers are found.
import { ANNOUNCE_MS, LOOKUP_HUNGRY_MS, LOOKUP_JITTER, LOOKUP_SATISFIED_MS } from "./limits.ts";

/** How the torrent stands: connected peers, how many it would like, and how many DHT nodes we know. */
export interface DiscoveryState {
  readonly peers: number;
  readonly wanted: number;
  readonly nodes: number;
}

export interface DiscoveryDue {
  readonly lookup: boolean;
  readonly announce: boolean;
}

/** Asked on every tick; what it calls due counts as done. */
export class DiscoverySchedule {
  readonly #random: () => number;
  #lookedUpAt = -Infinity;
  #announcedAt = -Infinity;
  /** Nodes known at the last announce: 0 means that probably nobody has heard it. */
  #announcedTo = 0;
  /** Stretches the wait for the next lookup, 1 ± LOOKUP_JITTER. */
  #stretch = 1;

  constructor(random: () => number) {
    this.#random = random;
  }

  due(now: number, state: DiscoveryState): DiscoveryDue {
    const interval = state.peers < state.wanted ? LOOKUP_HUNGRY_MS : LOOKUP_SATISFIED_MS;
    const lookup = now - this.#lookedUpAt >= interval * this.#stretch;
    if (lookup) {
      this.#lookedUpAt = now;
      this.#stretch = 1 + LOOKUP_JITTER * (2 * this.#random() - 1);
    }
    const isFirstHeard = this.#announcedTo === 0 && state.nodes > 0;
    const announce = isFirstHeard || now - this.#announcedAt >= ANNOUNCE_MS;
    if (announce) {
      this.#announcedAt = now;
      this.#announcedTo = state.nodes;
    }
    return { lookup, announce };
  }
}
