// When to look for peers and when to announce ourselves. Knows neither the DHT nor how peers are found.
import { ANNOUNCE_MS, LOOKUP_HUNGRY_MS, LOOKUP_JITTER, LOOKUP_PEERS, LOOKUP_SATISFIED_MS } from "./limits.ts";

/** How the torrent stands: connected peers, addresses and DHT nodes known. */
export interface DiscoveryState {
  readonly isSeeding: boolean;
  readonly peers: number;
  readonly addresses: number;
  readonly nodes: number;
}

export interface DiscoveryDue {
  readonly lookup: boolean;
  readonly announce: boolean;
}

/** Asked on every tick; what it returns as due counts as done. */
export class DiscoverySchedule {
  readonly #random: () => number;
  #lookedUpAt = -Infinity;
  #announcedAt = -Infinity;
  /** No node took the last announce. */
  #isUnheard = false;
  /** Lookups in a row that found nothing new, and what was known before them. */
  #fruitless = 0;
  #addresses = 0;
  #peers = 0;
  /** Stretches the wait for the next lookup, 1 ± LOOKUP_JITTER. */
  #stretch = 1;

  constructor(random: () => number) {
    this.#random = random;
  }

  due(now: number, state: DiscoveryState): DiscoveryDue {
    this.#watch(state);
    const hungryMs = Math.min(LOOKUP_HUNGRY_MS * 2 ** Math.max(0, this.#fruitless - 1), LOOKUP_SATISFIED_MS);
    const isHungry = !state.isSeeding && state.peers < LOOKUP_PEERS;
    const interval = isHungry ? hungryMs : LOOKUP_SATISFIED_MS;
    const lookup = now - this.#lookedUpAt >= interval * this.#stretch;
    if (lookup) {
      this.#fruitless++;
      this.#lookedUpAt = now;
      this.#stretch = 1 + LOOKUP_JITTER * (2 * this.#random() - 1);
    }
    const wait = this.#isUnheard && state.nodes > 0 ? LOOKUP_HUNGRY_MS : ANNOUNCE_MS;
    const announce = now - this.#announcedAt >= wait;
    if (announce) {
      this.#announcedAt = now;
      this.#isUnheard = false;
    }
    return { lookup, announce };
  }

  /** No node took the announce: it is due again as soon as there is one that might. */
  unheard(): void {
    this.#isUnheard = true;
  }

  /** New addresses and lost peers make it hungry again, and so does having no peer at all. */
  #watch({ peers, addresses }: DiscoveryState): void {
    if (peers === 0 || peers < this.#peers || addresses > this.#addresses) this.#fruitless = 0;
    this.#peers = peers;
    this.#addresses = addresses;
  }
}
