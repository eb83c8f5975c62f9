// How the connected peers of a torrent were found: an outgoing connection by the source of its address, all others by "incoming".
import { type AddressSource, countBySource } from "../../core/swarm/address-source.ts";
import type { PeerBook } from "../../core/swarm/peer-book.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";
import type { PeersBySource } from "../report/session-event.ts";

export function sourceOf(peer: PeerConnection, book: PeerBook): AddressSource {
  return (peer.dialled === undefined ? undefined : book.sourceOf(peer.dialled)) ?? "incoming";
}

export function peersBySource(peers: Iterable<PeerConnection>, book: PeerBook): PeersBySource {
  return countBySource(Array.from(peers, (peer) => sourceOf(peer, book)));
}
