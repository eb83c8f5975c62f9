// The host exchange (`pf_hosts`) with the peers of one torrent: sends the hosts and their states to every peer that speaks it, our
// own at once and others in turns of half a second, and merges what they send.
import type { PeerHandle } from "../../core/torrent/ids.ts";
import { HostFeed } from "../../core/exchange/host-feed.ts";
import { encodeHosts, HOST_EXCHANGE, parseHosts } from "../../core/exchange/host-message.ts";
import { type HostEntry, HostRoster, type HostState } from "../../core/exchange/host-roster.ts";
import { HOST_MESSAGES_PER_TURN, HOST_MESSAGE_BURST, HOST_MESSAGE_RATE, HOST_TURN_MS } from "./limits.ts";
import { MAX_HOSTS_PER_MESSAGE } from "../../core/exchange/limits.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";

/** A peer that speaks the extension, and how many messages beyond the rate it has sent lately. */
interface Listener {
  readonly peer: PeerConnection;
  readonly feed: HostFeed;
  excess: number;
  heardAt: number;
  hasSpoken: boolean;
}

/** What a message of a peer contains. */
export interface HeardHosts {
  readonly news: readonly HostEntry[];
  /** The peer itself, in its first message. */
  readonly sender: HostEntry | undefined;
}

export class HostExchange {
  readonly roster: HostRoster;
  readonly #listeners = new Map<PeerHandle, Listener>();
  readonly #wallSeconds: () => number;
  #turnAt = 0;

  /** `wallSeconds`: the time of day, seconds since 1970. */
  constructor(own: PeerAddress, state: HostState, wallSeconds: () => number) {
    this.#wallSeconds = wallSeconds;
    this.roster = new HostRoster(own, state, wallSeconds());
  }

  /** Whether a connected peer has got our own state. */
  get hasToldPeer(): boolean {
    return this.#listeners.size > 0;
  }

  /** After an extension handshake of the peer, the first or a later one. */
  greeted(peer: PeerConnection, now: number): void {
    if (!speaksHosts(peer) || this.#listeners.has(peer.handle)) return;
    const listener = { peer, feed: new HostFeed(this.roster), excess: 0, heardAt: now, hasSpoken: false };
    this.#listeners.set(peer.handle, listener);
    this.#tell(listener);
  }

  /** Our own state has changed: every peer gets it at once, and every other change with it. */
  sayOwn(state: HostState): void {
    if (this.roster.say(this.roster.own.address, state, this.#wallSeconds())) this.tellAll();
  }

  /** The state of a peer that does not speak the host exchange. */
  sayOf(address: PeerAddress, state: HostState): void {
    this.roster.say(address, state, this.#wallSeconds());
  }

  tick(now: number): void {
    if (now < this.#turnAt) return;
    this.#turnAt = now + HOST_TURN_MS;
    this.tellAll();
  }

  tellAll(): void {
    for (const listener of this.#listeners.values()) this.#tell(listener);
  }

  /** A peer that sends a malformed message, or too many, is closed. */
  received(peer: PeerConnection, payload: Uint8Array, now: number): HeardHosts {
    const entries = parseHosts(payload);
    const listener = this.#listeners.get(peer.handle);
    if (entries === undefined || (listener !== undefined && !mayTell(listener, now))) {
      peer.close("badExtension");
      return { news: [], sender: undefined };
    }
    const sender = listener?.hasSpoken === false ? entries[0] : undefined;
    if (listener !== undefined) listener.hasSpoken = true;
    const news = entries.filter((entry) => {
      const isNews = this.roster.merge(entry, this.#wallSeconds());
      listener?.feed.heard(entry);
      return isNews;
    });
    return { news, sender };
  }

  forget(peer: PeerConnection): void {
    this.#listeners.delete(peer.handle);
  }

  #tell({ peer, feed }: Listener): void {
    for (let sent = 0; sent < HOST_MESSAGES_PER_TURN; sent++) {
      const news = feed.next(MAX_HOSTS_PER_MESSAGE);
      if (news.length === 0) return;
      peer.sendExtended(HOST_EXCHANGE, encodeHosts(news));
    }
  }
}

/** The peer sends its own state, and gets those of others from us. */
export function speaksHosts(peer: PeerConnection): boolean {
  return (peer.extended?.extensions.get(HOST_EXCHANGE) ?? 0) !== 0;
}

function mayTell(listener: Listener, now: number): boolean {
  const drained = ((now - listener.heardAt) / 1000) * HOST_MESSAGE_RATE;
  listener.excess = Math.max(0, listener.excess - drained) + 1;
  listener.heardAt = now;
  return listener.excess <= HOST_MESSAGE_BURST;
}
