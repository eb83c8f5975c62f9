// How the connected peers of a torrent came to be: by our own dial, and then where the address was learned, or by theirs.
import type { AddressSource, PeerBook } from "../../core/swarm/peer-book.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";
import type { PeersBySource } from "../report/session-event.ts";

export function sourceOf(peer: PeerConnection, book: PeerBook): AddressSource {
  return (peer.dialled === undefined ? undefined : book.sourceOf(peer.dialled)) ?? "incoming";
}

export function peersBySource(peers: Iterable<PeerConnection>, book: PeerBook): PeersBySource {
  const counts: Record<AddressSource, number> = {
    magnet: 0,
    flag: 0,
    dht: 0,
    pex: 0,
    exchange: 0,
    incoming: 0,
  };
  for (const peer of peers) counts[sourceOf(peer, book)]++;
  return counts;
}
