// Which machines connect: each dials the seeds at once, learns of other machines a moment later, and dials until it has the
// peers that it wants. So a small fleet becomes a full mesh and a large one a sparse random graph, with the program's limits.
import { MAX_PEERS_LEECHING, MAX_PEERS_SEEDING, TICK_MS } from "../../src/session/network/limits.ts";
import { wantedPeers } from "../../src/core/swarm/wanted-peers.ts";
import type { SimHost } from "./sim-host.ts";
import type { Swarm } from "./swarm.ts";

/** Milliseconds from the start of the program to the first connection with the seed: dial, handshake, metadata. */
export const FIRST_CONNECTION_MS = 20;
/** Milliseconds to the first answer that names other machines. */
export const FIRST_LOOKUP_MS = 200;

export class Discovery {
  readonly #swarm: Swarm;

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
  }

  start(host: SimHost): void {
    const { queue, random } = this.#swarm;
    queue.plan(queue.now + FIRST_CONNECTION_MS * (0.5 + random()), () => {
      for (const seed of this.#swarm.hosts) if (seed.isSeed) this.#dial(host, seed);
    });
    const look = () => {
      if (host.isGone) return;
      this.#lookUp(host);
      queue.plan(queue.now + TICK_MS, look);
    };
    if (!host.isSeed) queue.plan(queue.now + FIRST_LOOKUP_MS * (0.5 + random()), look);
  }

  #lookUp(host: SimHost): void {
    const firstPeerAt = host.startedAt + FIRST_CONNECTION_MS;
    let missing = wantedPeers(firstPeerAt, this.#swarm.queue.now) - host.neighbours.size;
    if (missing <= 0 || host.doneAt !== undefined) return;
    const others = this.#swarm.hosts.filter(
      (other) => other !== host && other.hasStarted && !other.isGone && !host.neighbours.has(other),
    );
    // Machines in random order, as a DHT returns them; a full one refuses.
    while (missing > 0 && others.length > 0) {
      const at = Math.floor(this.#swarm.random() * others.length);
      const other = others[at]!;
      others[at] = others.at(-1)!;
      others.pop();
      if (this.#dial(host, other)) missing--;
    }
  }

  #dial(from: SimHost, to: SimHost): boolean {
    if (to === from || !to.hasStarted || to.isGone || from.isGone || from.neighbours.has(to)) return false;
    const most = to.doneAt === undefined ? MAX_PEERS_LEECHING : MAX_PEERS_SEEDING;
    if (to.neighbours.size >= most) return false;
    this.#swarm.connect(from, to);
    return true;
  }
}
