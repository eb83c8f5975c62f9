// A p2pfile swarm with strangers in it: the last host fetches with aria2, the one before with libtorrent. Both get the
// seed's address, the way their kind takes it, and learn of the others from the swarm itself.
import { aria2Leech, startTracker } from "./fleet-aria2.ts";
import { aria2 } from "./aria2.ts";
import type { FleetContestant } from "./fleet-contestant.ts";
import { libtorrentLeech } from "./fleet-libtorrent.ts";
import { p2pfileLeech, p2pfileVersion, startP2pfileSeed } from "./fleet-p2pfile.ts";
import { libtorrent } from "./libtorrent.ts";
import { EXECUTABLE } from "./p2pfile.ts";

export const fleetMixed: FleetContestant = {
  name: "p2pfile with strangers",
  version() {
    const versions = [p2pfileVersion(EXECUTABLE), libtorrent.version(), aria2.version()];
    return versions.includes(undefined) ? undefined : versions.join(" + ");
  },
  async start(ground) {
    const { seed, magnet } = await startP2pfileSeed(EXECUTABLE, ground);
    const seedAddress = /x\.pe=([\d.]+:\d+)/.exec(magnet)?.[1] ?? "";
    const tracker = await startTracker(ground, [seedAddress]);
    const { hosts } = ground.network;
    return {
      seed,
      leech(host) {
        if (host === hosts.at(-1)) return aria2Leech(ground, host, tracker.url);
        if (host === hosts.at(-2)) return libtorrentLeech(ground.torrent, host, [seedAddress]);
        return p2pfileLeech(EXECUTABLE, magnet, host);
      },
      close: () => ground.workspace.end(tracker.child),
    };
  },
};
