// libtorrent in a fleet: libtorrent_host.py on every host, each told the addresses of all others.
import { dirname, join } from "node:path";
import {
  completedByOutput,
  FLEET_PORT,
  type FleetContestant,
  type Leech,
  seedHost,
  spawnOn,
} from "./fleet-contestant.ts";
import type { ShapedHost } from "../lib/shaped-network.ts";
import { SEED_TIMEOUT_MS } from "./contestant.ts";
import { libtorrent, PYTHON } from "./libtorrent.ts";

const SCRIPT = join(import.meta.dir, "libtorrent_host.py");

export const fleetLibtorrent: FleetContestant = {
  name: "libtorrent",
  version: () => libtorrent.version(),
  async start(ground) {
    const { network, torrent, content } = ground;
    const host = seedHost(ground);
    const command = [...PYTHON, SCRIPT, "seed", torrent, dirname(content), `${host.address}:${FLEET_PORT}`];
    const seed = spawnOn(ground, host, command);
    await seed.waitForOutput(/^(ready)$/m, SEED_TIMEOUT_MS);
    const all = network.hosts.map(({ address }) => `${address}:${FLEET_PORT}`);
    return { seed, leech: (host) => libtorrentLeech(torrent, host, all) };
  },
};

/** `peers` are addresses with ports; its own may be among them. */
export function libtorrentLeech(torrent: string, host: ShapedHost, peers: readonly string[]): Leech {
  return {
    kind: "libtorrent",
    command: [...PYTHON, SCRIPT, "leech", torrent, ".", `${host.address}:${FLEET_PORT}`, ...peers],
    completed: completedByOutput,
  };
}
