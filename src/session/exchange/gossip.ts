// What the peers of one torrent tell one another of third parties: our own host exchange between p2pfile peers, peer exchange
// (BEP 11) with other programs. Owns the roster of hosts that results.
import { HOST_EXCHANGE } from "../../core/exchange/host-message.ts";
import type { HostEntry, HostRoster, HostState } from "../../core/exchange/host-roster.ts";
import type { PeerHandle } from "../../core/torrent/ids.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { AddressSource } from "../../core/swarm/address-source.ts";
import type { PeerMessage } from "../../core/torrent/peer-message.ts";
import { wallSeconds } from "../clock.ts";
import { CompletionTracking, announcesPieces, stateToReport } from "./completion-tracking.ts";
import { HostExchange, speaksHosts } from "./host-exchange.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";
import { PeerExchange } from "./peer-exchange.ts";

export interface GossipOptions {
  readonly own: PeerAddress;
  readonly state: HostState;
  /** The connected peers at the time of the call. */
  readonly peers: () => Iterable<PeerConnection>;
  /** Whether the peer has announced every piece. */
  readonly hasAll: (handle: PeerHandle) => boolean;
  readonly learn: (address: PeerAddress, source: AddressSource) => void;
  /** The peer has advertised an address of its own. */
  readonly onAdvertised: (peer: PeerConnection, address: PeerAddress) => void;
}

export class Gossip {
  readonly #options: GossipOptions;
  readonly #hosts: HostExchange;
  readonly #pex = new PeerExchange();
  readonly #completion = new CompletionTracking();

  constructor(options: GossipOptions) {
    this.#options = options;
    this.#hosts = new HostExchange(options.own, options.state, wallSeconds);
  }

  get roster(): HostRoster {
    return this.#hosts.roster;
  }

  /** Whether a connected peer has got our own state. */
  get hasToldPeer(): boolean {
    return this.#hosts.hasToldPeer;
  }

  /** A host lacks data: one of the roster, or a connected peer that does not speak the host exchange. */
  get isAnyHostNeedy(): boolean {
    if (this.roster.needy > 0) return true;
    for (const peer of this.#options.peers()) {
      if (speaksHosts(peer) || this.#isComplete(peer)) continue;
      const known = peer.listenAddress && this.roster.get(peer.listenAddress);
      if (known?.state !== "done" && known?.state !== "source") return true;
    }
    return false;
  }

  say(state: HostState): void {
    this.#hosts.sayOwn(state);
  }

  /** Before the connections close: sends our last state, and every change that a peer has not got yet. */
  farewell(): void {
    if (this.roster.own.state === "leeching") this.say("left");
    this.#hosts.tellAll();
  }

  /** `isTrading`: the metadata is known, so that the pieces of peers are known, too. */
  tick(now: number, isTrading: boolean): void {
    if (isTrading) for (const peer of this.#options.peers()) this.#track(peer, now);
    this.#hosts.tick(now);
    this.#pex.tick(this.#options.peers(), now);
  }

  /** The first extension handshake of the peer, or a later one. */
  onExtendedHandshake(peer: PeerConnection, now: number): void {
    this.#hosts.greeted(peer, now);
  }

  /** A message of the peer that the transfer has handled. */
  onMessage(peer: PeerConnection, message: PeerMessage, now: number): void {
    if (announcesPieces(message) && peer.isOtherClient)
      this.#completion.updated(peer.handle, this.#isComplete(peer), now);
  }

  /** A message of one of the two extensions. */
  onExtended(peer: PeerConnection, name: string, payload: Uint8Array, now: number): void {
    const { learn } = this.#options;
    if (name !== HOST_EXCHANGE) {
      for (const address of this.#pex.received(peer, payload, now)) learn(address, "pex");
      return;
    }
    const { news, sender } = this.#hosts.received(peer, payload, now);
    if (sender !== undefined) this.#options.onAdvertised(peer, sender.address);
    for (const host of news) {
      if (isWorthDialling(host)) learn(host.address, "exchange");
    }
  }

  forget(peer: PeerConnection): void {
    this.#hosts.forget(peer);
    this.#pex.forget(peer);
    this.#completion.forget(peer.handle);
  }

  #track(peer: PeerConnection, now: number): void {
    if (!peer.isOtherClient || speaksHosts(peer)) return;
    const state = this.#completion.stateOf(peer.handle, this.#isComplete(peer), now);
    const { listenAddress } = peer;
    if (listenAddress === undefined) return;
    const connectedSince = wallSeconds() - (now - peer.openedAt) / 1000;
    const report = stateToReport(state, this.roster.get(listenAddress), connectedSince);
    if (report !== undefined) this.#hosts.sayOf(listenAddress, report);
  }

  /** BEP 21 counts: such a peer wants nothing. */
  #isComplete(peer: PeerConnection): boolean {
    return this.#options.hasAll(peer.handle) || (peer.extended?.uploadOnly ?? false);
  }
}

/** A host that is done has usually left; one that goes on seeding dials the hosts that need data itself. */
function isWorthDialling({ state }: HostEntry): boolean {
  return state === "leeching" || state === "source";
}
