// Peer exchange (BEP 11) with the peers of one torrent: sends the changes of our connections, at most once a minute, to peers that do
// not speak our own host exchange, and reads what a peer sends as often as BEP 11 allows.
import type { PeerHandle } from "../../core/torrent/ids.ts";
import { PEX_INTERVAL_MS } from "../../core/exchange/limits.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import { encodePex, parsePex, PexFeed, type PexPeer } from "../../core/exchange/pex.ts";
import { speaks, speaksHosts } from "./host-exchange.ts";
import { PEER_EXCHANGE, type PeerConnection } from "../peer/peer-connection.ts";
import { PEX_TOLERANCE_MS, PEX_TURN_MS } from "./limits.ts";

export class PeerExchange {
  readonly #feeds = new Map<PeerHandle, PexFeed>();
  readonly #receivedAt = new Map<PeerHandle, number>();
  #turnAt = 0;

  tick(peers: Iterable<PeerConnection>, now: number): void {
    if (now < this.#turnAt) return;
    this.#turnAt = now + PEX_TURN_MS;
    const all = [...peers];
    for (const peer of all) {
      if (!speaks(peer, PEER_EXCHANGE) || speaksHosts(peer)) continue;
      let feed = this.#feeds.get(peer.handle);
      if (feed === undefined) this.#feeds.set(peer.handle, (feed = new PexFeed()));
      const message = feed.next(connectedExcept(peer, all), now);
      if (message !== undefined) peer.sendExtended(PEER_EXCHANGE, encodePex(message));
    }
  }

  /** @returns the addresses in a message; none when the peer sends more than one a minute. */
  received(peer: PeerConnection, payload: Uint8Array, now: number): readonly PeerAddress[] {
    const receivedAt = this.#receivedAt.get(peer.handle);
    if (receivedAt !== undefined && now - receivedAt < PEX_INTERVAL_MS - PEX_TOLERANCE_MS) return [];
    this.#receivedAt.set(peer.handle, now);
    const message = parsePex(payload);
    if (message === undefined) {
      peer.close("badExtension");
      return [];
    }
    return message.added.map((added) => added.address);
  }

  forget(peer: PeerConnection): void {
    this.#feeds.delete(peer.handle);
    this.#receivedAt.delete(peer.handle);
  }
}

/** The connected peers that accept connections, each once. */
function connectedExcept(recipient: PeerConnection, all: readonly PeerConnection[]): PexPeer[] {
  const connected = new Map<string, PexPeer>();
  for (const peer of all) {
    const address = peer.listenAddress;
    if (peer === recipient || address === undefined) continue;
    connected.set(addressKey(address), { address, seed: peer.extended?.uploadOnly ?? false });
  }
  return [...connected.values()];
}
