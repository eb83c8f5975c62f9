// Peer exchange (BEP 11) with the peers of one torrent: tells those that do not speak our own host exchange, at most once
// a minute, who came and went, and takes in what anybody tells as often as the rules allow.
import type { PeerHandle } from "../../core/torrent/ids.ts";
import { PEX_INTERVAL_MS } from "../../core/exchange/limits.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import { encodePex, parsePex, PexFeed, type PexPeer } from "../../core/exchange/pex.ts";
import { speaksHosts } from "./host-exchange.ts";
import { PEER_EXCHANGE, type PeerConnection } from "../peer/peer-connection.ts";

/** Clocks and networks jitter: a message this much early is still within the rules. */
const TOLERANCE_MS = 5_000;
/** How often the feeds are asked; they keep the minute themselves. */
const TURN_MS = 1_000;

export class PeerExchange {
  readonly #feeds = new Map<PeerHandle, PexFeed>();
  readonly #heardAt = new Map<PeerHandle, number>();
  #turnAt = 0;

  tick(peers: Iterable<PeerConnection>, now: number): void {
    if (now < this.#turnAt) return;
    this.#turnAt = now + TURN_MS;
    const all = [...peers];
    for (const peer of all) {
      if ((peer.extended?.extensions.get(PEER_EXCHANGE) ?? 0) === 0 || speaksHosts(peer)) continue;
      let feed = this.#feeds.get(peer.handle);
      if (feed === undefined) this.#feeds.set(peer.handle, (feed = new PexFeed()));
      const message = feed.next(tellable(all, peer), now);
      if (message !== undefined) peer.sendExtended(PEER_EXCHANGE, encodePex(message));
    }
  }

  /** @returns the addresses a peer tells of; none when it speaks more often than once a minute. */
  received(peer: PeerConnection, payload: Uint8Array, now: number): readonly PeerAddress[] {
    const heardAt = this.#heardAt.get(peer.handle);
    if (heardAt !== undefined && now - heardAt < PEX_INTERVAL_MS - TOLERANCE_MS) return [];
    this.#heardAt.set(peer.handle, now);
    const message = parsePex(payload);
    if (message === undefined) {
      peer.close("badExtension");
      return [];
    }
    return message.added.map((added) => added.address);
  }

  forget(peer: PeerConnection): void {
    this.#feeds.delete(peer.handle);
    this.#heardAt.delete(peer.handle);
  }
}

function tellable(all: readonly PeerConnection[], listener: PeerConnection): PexPeer[] {
  const told = new Map<string, PexPeer>();
  for (const peer of all) {
    const address = peer.listenAddress;
    if (peer === listener || address === undefined) continue;
    told.set(addressKey(address), { address, seed: peer.extended?.uploadOnly ?? false });
  }
  return [...told.values()];
}
