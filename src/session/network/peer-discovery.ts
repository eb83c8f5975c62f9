// Looks for the peers of one torrent at every source and announces this process there, each source on a schedule of its own.
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { AddressSource } from "../../core/swarm/address-source.ts";
import { DiscoverySchedule, type DiscoveryState } from "../../core/swarm/discovery-schedule.ts";
import type { InfoHash } from "../../core/torrent/ids.ts";
import type { PeerSource } from "./peer-source.ts";

export interface PeerDiscoveryOptions {
  readonly infoHash: InfoHash;
  /** Where this process accepts connections. */
  readonly port: number;
  readonly sources: readonly PeerSource[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly learn: (address: PeerAddress, source: AddressSource, namer?: string) => void;
}

export class PeerDiscovery {
  readonly #options: PeerDiscoveryOptions;
  readonly #sources: readonly { readonly source: PeerSource; readonly schedule: DiscoverySchedule }[];

  constructor(options: PeerDiscoveryOptions) {
    this.#options = options;
    this.#sources = options.sources.map((source) => ({
      source,
      schedule: new DiscoverySchedule(options.random),
    }));
  }

  tick(now: number, state: Omit<DiscoveryState, "nodes">): void {
    const { infoHash, port, learn } = this.#options;
    for (const { source, schedule } of this.#sources) {
      const due = schedule.due(now, { ...state, nodes: source.nodeCount });
      if (due.lookup) void source.lookup(infoHash, (address, namer) => learn(address, source.name, namer));
      if (due.announce) {
        const announced = source.announce(infoHash, port);
        void announced.then((isHeard) => isHeard || schedule.unheard());
      }
    }
  }
}
