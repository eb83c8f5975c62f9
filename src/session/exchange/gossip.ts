// What the peers of one torrent tell one another of third parties: our own host exchange between p2pfile peers, peer exchange
// (BEP 11) with other programs. Owns the roster of hosts that results.
import type { Announced } from "../../core/exchange/coverage.ts";
import type { Geometry } from "../../core/torrent/geometry.ts";
import { FirstHandHosts } from "../../core/exchange/first-hand-hosts.ts";
import { HOST_EXCHANGE } from "../../core/exchange/host-message.ts";
import type { HostEntry, HostRoster, HostState } from "../../core/exchange/host-roster.ts";
import type { Report } from "../../core/exchange/report-message.ts";
import type { InfoHash, PeerHandle } from "../../core/torrent/ids.ts";
import type { PeerAddress } from "../../core/format/peer-address.ts";
import type { AddressSource } from "../../core/swarm/address-source.ts";
import type { PeerMessage } from "../../core/torrent/peer-message.ts";
import type { Logger } from "../../lib/logger.ts";
import { chance, wallSeconds } from "../clock.ts";
import {
  CompletionTracking,
  announcesPieces,
  firstHandStateOf,
  type SeenState,
  stateToReport,
} from "./completion-tracking.ts";
import { HostExchange, speaksHosts } from "./host-exchange.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";
import { DeliveryTracking } from "./delivery-tracking.ts";
import { type Failure, Reporter, type ReportPort } from "./reporter.ts";
import { PeerExchange } from "./peer-exchange.ts";

/** The destination of a host that runs another program. */
const OTHER_PROGRAM = "other program";

export interface GossipOptions {
  readonly own: PeerAddress;
  readonly state: HostState;
  /** The id of our destination, in hexadecimal digits. */
  readonly destination: string;
  /** Destinations of one address that are counted. */
  readonly hostsPerAddress: number;
  readonly infoHash: InfoHash;
  /** Verified pieces, 0 to 1. */
  readonly progress: () => number;
  readonly network: {
    readonly reports: ReportPort;
    /** Milliseconds of a clock that never steps back. */
    readonly now: () => number;
    readonly logger: Logger;
  };
  /** The connected peers at the time of the call. */
  readonly peers: () => Iterable<PeerConnection>;
  /** The pieces that the peer has announced; undefined before there is a transfer. */
  readonly announced: (handle: PeerHandle) => Announced | undefined;
  readonly geometry: () => Geometry | undefined;
  /** `namer`: the host of the peer that told us. */
  readonly learn: (address: PeerAddress, source: AddressSource, namer: string) => void;
  /** The peer has advertised an address of its own. */
  readonly onAdvertised: (peer: PeerConnection, address: PeerAddress) => void;
}

export class Gossip {
  /** The hosts that have proved their address. */
  readonly firstHand: FirstHandHosts;
  /** Our reports to the nodes that collect them; a source sends none. */
  readonly reporter: Reporter;
  readonly #options: GossipOptions;
  readonly #hosts: HostExchange;
  readonly #pex = new PeerExchange();
  readonly #completion = new CompletionTracking();
  readonly #delivery: DeliveryTracking;

  constructor(options: GossipOptions) {
    this.#options = options;
    this.firstHand = new FirstHandHosts(options.hostsPerAddress);
    this.#delivery = new DeliveryTracking(options);
    const { infoHash, destination, progress } = options;
    const { reports: port, now } = options.network;
    this.reporter = new Reporter({ infoHash, destination, port, progress, now, random: chance });
    this.#hosts = new HostExchange({ ...options, firstHand: this.firstHand, wallSeconds });
  }

  get roster(): HostRoster {
    return this.#hosts.roster;
  }

  /** This process takes reports and counts hosts. */
  get collects(): boolean {
    return this.#options.state === "source";
  }

  /** Our last state has reached the nodes that collect reports, as far as there are any; sends it again when it is time. */
  isReported(): boolean {
    if (this.collects) return true;
    this.reporter.tick();
    return this.reporter.isSettled;
  }

  /** A report of a host. @returns how many others lack data; undefined: we do not collect. */
  reported(
    { destination, state, failure, text }: Report,
    host: string,
    hasProof: boolean,
  ): number | undefined {
    if (!this.collects) return undefined;
    const known = this.firstHand.stateOf(host, destination);
    if (hasProof && state === "failed" && known !== "failed")
      this.#options.network.logger.debug(`${host}: failed with ${failure}${text === "" ? "" : ` (${text})`}`);
    if (hasProof) this.firstHand.heard(host, destination, state);
    const isOwn = this.firstHand.stateOf(host, destination) === "leeching";
    return this.firstHand.needy - (isOwn ? 1 : 0);
  }

  /** A source shows the hosts that it counts; a download the picture that others draw, too. */
  get hostCounts(): { readonly wanting: number; readonly done: number } {
    return this.collects ? this.firstHand : this.roster;
  }

  /** Data may be needed: by a connected peer, by hosts that the collectors know of, or where there is no collector to ask. */
  get isAnyHostNeedy(): boolean {
    for (const peer of this.#options.peers()) if (!this.#isComplete(peer)) return true;
    return this.reporter.word !== "none";
  }

  say(state: HostState): void {
    this.#hosts.sayOwn(state);
    if (!this.collects) this.reporter.say(state);
  }

  /** This host gives up. Peers hear that it left, the collectors why. */
  fail(failure: Failure): void {
    this.#hosts.sayOwn("left");
    this.reporter.say("failed", failure);
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
    if (!this.collects) this.reporter.tick();
    this.#pex.tick(this.#options.peers(), now);
  }

  /** The first extension handshake of the peer, or a later one. */
  onExtendedHandshake(peer: PeerConnection, now: number): void {
    this.#hosts.onExtendedHandshake(peer, now);
    if (!this.collects) this.reporter.onExtendedHandshake(peer);
  }

  /** A message of the peer that the transfer has handled. */
  onMessage(peer: PeerConnection, message: PeerMessage, now: number): void {
    if (!peer.isOtherClient) return;
    if (message.type === "request") this.#delivery.requested(peer, message.block, now);
    if (announcesPieces(message) || message.type === "request")
      this.#completion.updated(peer.handle, this.#isComplete(peer), now);
  }

  /** A message of one of the two extensions. */
  onExtended(peer: PeerConnection, name: string, payload: Uint8Array, now: number): void {
    const { learn } = this.#options;
    if (name !== HOST_EXCHANGE) {
      for (const address of this.#pex.received(peer, payload, now)) learn(address, "pex", peer.remote.host);
      return;
    }
    const { news, sender } = this.#hosts.received(peer, payload, now);
    if (sender !== undefined) this.#options.onAdvertised(peer, sender.address);
    for (const host of news) {
      if (isWorthDialling(host)) learn(host.address, "exchange", peer.remote.host);
    }
  }

  /** The connection has ended; `byPeer`: the peer closed it. */
  forget(peer: PeerConnection, byPeer: boolean): void {
    if (byPeer && this.#delivery.isWholeAtClose(peer, this.#options.network.now()) && peer.isOtherClient)
      this.#note(peer, "done");
    this.#delivery.forget(peer);
    this.#hosts.forget(peer);
    this.reporter.forget(peer);
    this.#pex.forget(peer);
    this.#completion.forget(peer.handle);
    const isUnfinished = this.firstHand.stateOf(peer.remote.host, OTHER_PROGRAM) === "leeching";
    // It says no goodbye, and a host that is not connected is not waited for.
    if (peer.isOtherClient && isUnfinished) this.firstHand.heard(peer.remote.host, OTHER_PROGRAM, "left");
  }

  #track(peer: PeerConnection, now: number): void {
    if (!peer.isOtherClient || speaksHosts(peer)) return;
    const state = this.#completion.stateOf(peer.handle, this.#isComplete(peer), now);
    this.#note(peer, state);
    const { listenAddress } = peer;
    if (listenAddress === undefined) return;
    const connectedSince = wallSeconds() - (now - peer.openedAt) / 1000;
    const report = stateToReport(state, this.roster.get(listenAddress), connectedSince);
    if (report !== undefined) this.#hosts.sayOf(listenAddress, report);
  }

  /** It counts by its source address, whether it names a port or not, unless its first connection began complete. */
  #note(peer: PeerConnection, seen: SeenState): void {
    const { host } = peer.remote;
    const known = this.firstHand.stateOf(host, OTHER_PROGRAM);
    const state = firstHandStateOf(seen, known);
    if (state !== undefined && state !== known) this.firstHand.heard(host, OTHER_PROGRAM, state);
  }

  /** BEP 21 counts: such a peer wants nothing. */
  #isComplete(peer: PeerConnection): boolean {
    if (peer.extended?.uploadOnly === true) return true;
    const announced = this.#options.announced(peer.handle);
    const size = this.#options.geometry()?.pieceCount;
    const hasAll = announced !== undefined && announced.count === size;
    return hasAll || this.#delivery.isWhole(peer, this.#options.network.now());
  }
}

/** A host that is done has usually left; one that goes on seeding dials the hosts that need data itself. */
function isWorthDialling({ state }: HostEntry): boolean {
  return state === "leeching" || state === "source";
}
