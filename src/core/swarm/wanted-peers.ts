// How many peers a torrent wants: two that bring the first piece, and one more at a time after the first connection. On a busy
// machine every connection that is opened earlier delays the first piece.
import { FIRST_PEERS, PEER_PACE_MS, WANTED_PEERS } from "./limits.ts";

/** @param firstPeerAt when the first one was connected; undefined while there was none. Both in milliseconds. */
export function wantedPeers(firstPeerAt: number | undefined, now: number): number {
  const age = firstPeerAt === undefined ? 0 : now - firstPeerAt;
  return Math.min(WANTED_PEERS, FIRST_PEERS + Math.floor(age / PEER_PACE_MS));
}
