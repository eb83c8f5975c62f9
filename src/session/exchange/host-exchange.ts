// The host exchange (`pf_hosts`) with the peers of one torrent: sends the hosts and their states to every peer that speaks it, our
// own at once and others in turns of half a second, and merges what they send.
import type { PeerHandle } from "../../core/torrent/ids.ts";
import { HostFeed } from "../../core/exchange/host-feed.ts";
import type { FirstHandHosts } from "../../core/exchange/first-hand-hosts.ts";
import {
  encodeHosts,
  HOST_EXCHANGE,
  type HostMessage,
  parseHosts,
} from "../../core/exchange/host-message.ts";
import { type HostEntry, HostRoster, type HostState } from "../../core/exchange/host-roster.ts";
import { HOST_MESSAGES_PER_TURN, HOST_MESSAGE_BURST, HOST_MESSAGE_RATE, HOST_TURN_MS } from "./limits.ts";
import { MAX_HOSTS_PER_MESSAGE } from "../../core/exchange/limits.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";

/** The destination of a p2pfile that states none. */
const OLDER_VERSION = "";

/** A peer that speaks the extension, and how many messages beyond the rate it has sent lately. */
interface Listener {
  readonly peer: PeerConnection;
  readonly feed: HostFeed;
  excess: number;
  heardAt: number;
  /** Where the peer says that it listens: the first host of its first message. */
  statedKey: string | undefined;
}

export interface HostExchangeOptions {
  readonly own: PeerAddress;
  readonly state: HostState;
  /** Of our destination, in hexadecimal digits. */
  readonly destination: string;
  readonly firstHand: FirstHandHosts;
  /** The time of day, seconds since 1970. */
  readonly wallSeconds: () => number;
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
  readonly #options: HostExchangeOptions;
  #turnAt = 0;

  constructor(options: HostExchangeOptions) {
    this.#options = options;
    this.roster = new HostRoster(options.own, options.state, options.wallSeconds());
  }

  /** Whether a connected peer has got our own state. */
  get hasToldPeer(): boolean {
    return this.#listeners.size > 0;
  }

  /** After an extension handshake of the peer, the first or a later one. */
  onExtendedHandshake(peer: PeerConnection, now: number): void {
    if (!speaksHosts(peer) || this.#listeners.has(peer.handle)) return;
    const listener = { peer, feed: new HostFeed(this.roster), excess: 0, heardAt: now, statedKey: undefined };
    this.#listeners.set(peer.handle, listener);
    this.#tell(listener);
  }

  /** Our own state has changed: every peer gets it at once, and every other change with it. */
  sayOwn(state: HostState): void {
    if (this.roster.say(this.roster.own.address, state, this.#options.wallSeconds())) this.tellAll();
  }

  /** The state of a peer that does not speak the host exchange. */
  sayOf(address: PeerAddress, state: HostState): void {
    this.roster.say(address, state, this.#options.wallSeconds());
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
    const message = parseHosts(payload);
    const listener = this.#listeners.get(peer.handle);
    if (message === undefined || (listener !== undefined && !mayTell(listener, now))) {
      peer.close("badExtension");
      return { news: [], sender: undefined };
    }
    const { hosts } = message;
    const sender = listener !== undefined && listener.statedKey === undefined ? hosts[0] : undefined;
    if (listener !== undefined && sender !== undefined) listener.statedKey = addressKey(sender.address);
    if (listener !== undefined) this.#noteSender(listener, message);
    const news = hosts.filter((entry) => {
      const isOwn = listener !== undefined && addressKey(entry.address) === listener.statedKey;
      const seconds = this.#options.wallSeconds();
      const isNews = isOwn ? this.roster.merge(entry, seconds) : this.roster.hear(entry, seconds);
      listener?.feed.heard(entry);
      return isNews;
    });
    return { news, sender };
  }

  forget(peer: PeerConnection): void {
    this.#listeners.delete(peer.handle);
  }

  /** What the peer says of itself counts for the address that its connection comes from, whatever address it states. */
  #noteSender({ peer, statedKey }: Listener, { hosts, own }: HostMessage): void {
    const { firstHand } = this.#options;
    const { host } = peer.remote;
    if (own !== undefined) return firstHand.heard(host, own.destination, own.state);
    const stated = hosts.find(({ address }) => addressKey(address) === statedKey);
    if (stated !== undefined) firstHand.heard(host, OLDER_VERSION, stated.state);
  }

  #tell({ peer, feed }: Listener): void {
    const { destination } = this.#options;
    for (let sent = 0; sent < HOST_MESSAGES_PER_TURN; sent++) {
      const news = feed.next(MAX_HOSTS_PER_MESSAGE);
      if (news.length === 0) return;
      peer.sendExtended(HOST_EXCHANGE, encodeHosts(news, { destination, state: this.roster.own.state }));
    }
  }
}

/** The peer sends its own state, and gets those of others from us. */
export function speaksHosts(peer: PeerConnection): boolean {
  return speaks(peer, HOST_EXCHANGE);
}

/** The peer's extension handshake names the extension; 0 is how it takes it back (BEP 10). */
export function speaks(peer: PeerConnection, extension: string): boolean {
  return (peer.extended?.extensions.get(extension) ?? 0) !== 0;
}

function mayTell(listener: Listener, now: number): boolean {
  const drained = ((now - listener.heardAt) / 1000) * HOST_MESSAGE_RATE;
  listener.excess = Math.max(0, listener.excess - drained) + 1;
  listener.heardAt = now;
  return listener.excess <= HOST_MESSAGE_BURST;
}
