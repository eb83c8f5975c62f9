// T8, no room: three hundred machines that introduce themselves in the same moment are all read, and peers that take every
// place of a torrent and do nothing with it do not keep an honest one out, be they of one host or of many.
import { MAX_PEERS_SEEDING } from "../../src/session/network/limits.ts";
import { REDIAL_PINNED_MAX_MS, UNPROVEN_PEER_MS } from "../../src/core/swarm/limits.ts";
import { MiB } from "../../src/lib/units.ts";
import { startFlooded } from "./lib/flooded-seed.ts";
import { Flood } from "./lib/flood-peer.ts";
import { extended, frame, handshake, Id } from "./lib/frames.ts";
import type { FaultJob } from "./lib/job.ts";
import { peakMemory } from "./lib/run.ts";

const BURST = 300;
const HOSTS = 20;
const MAX_RSS = 256 * MiB;

/**
 * Seen to fail: with 502f629, 64 of the burst were kept; before hosts were remembered, the flood that comes back held every
 * place and no honest transfer got through.
 */
export const fullTorrentJob: FaultJob = {
  name: "T8 no room",
  async run(trial) {
    const { fixture } = trial;
    const flooded = await startFlooded(trial);
    if (flooded === undefined) return;
    const { seed, host, port, infoHash, under } = flooded;
    const opening = () =>
      Buffer.concat([handshake(infoHash), extended(0, { m: {}, v: "idle 1.0" }), frame(Id.haveNone)]);

    const burst = new Flood({ host, port, opening });
    await burst.open(BURST, BURST);
    await Bun.sleep(1_000);
    trial.set("kept of a burst", burst.alive);
    trial.expect(burst.alive === MAX_PEERS_SEEDING, "not read", `${burst.alive} of ${BURST} have a place`);
    await under("one host", UNPROVEN_PEER_MS + REDIAL_PINNED_MAX_MS);
    burst.close();

    // Whoever is thrown out comes back.
    const floods = Array.from(
      { length: HOSTS },
      () => new Flood({ host, port, opening, from: fixture.address() }),
    );
    const fill = () => floods.map((flood) => flood.open(BURST / HOSTS - flood.alive));
    await Promise.all(fill());
    await Bun.sleep(1_000);
    const timer = setInterval(fill, 500);
    await under(`${HOSTS} hosts`, UNPROVEN_PEER_MS + REDIAL_PINNED_MAX_MS);
    await under(`${HOSTS} hosts again`);
    clearInterval(timer);
    const thrownOut = floods.reduce((sum, flood) => sum + flood.refused, 0);
    trial.set("thrown out", thrownOut);
    for (const flood of floods) flood.close();
    trial.expect(peakMemory(seed.pid) < MAX_RSS, "too much memory", `${peakMemory(seed.pid)} bytes`);
    await seed.end();
  },
};
