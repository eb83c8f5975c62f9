// One torrent on the network: the addresses that are known, the connected peers, and what they tell of others. Fetches the
// metadata while it is unknown and feeds the transfer once it is. Blocks and pieces are the transfer's business.
import type { InfoHash, PeerHandle, PeerId } from "../../core/torrent/ids.ts";
import { MAX_PEERS_LEECHING, MAX_PEERS_SEEDING } from "./limits.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import { type AddressSource, countBySource } from "../../core/swarm/address-source.ts";
import type { PeerFault } from "../../core/torrent/peer-message.ts";
import { wantedPeers } from "../../core/swarm/wanted-peers.ts";
import { chance } from "../clock.ts";
import { Gossip } from "../exchange/gossip.ts";
import { ConnectionAddresses } from "./connection-addresses.ts";
import type { IdleConnection } from "./connection-budget.ts";
import { MetadataSearch } from "./metadata-search.ts";
import { PeerDiscovery } from "./peer-discovery.ts";
import type { PeerConnection, PeerOwner } from "../peer/peer-connection.ts";
import type { SelfDescription } from "../peer/peer-context.ts";
import { joined, limitsOf } from "../peer/peer-events.ts";
import type { PeersBySource } from "../report/session-event.ts";
import { type ActivityOf, PeerTable } from "./peer-table.ts";
import type { SwarmNetwork, SwarmOptions, Torrent } from "./swarm-network.ts";
import type { TransferRunner } from "../file/transfer-runner.ts";

export class Swarm implements PeerOwner, Torrent {
  readonly infoHash: InfoHash;
  /** What the peers tell one another of hosts and addresses. */
  readonly gossip: Gossip;
  readonly #options: SwarmOptions;
  readonly #node: SwarmNetwork;
  readonly #addresses: ConnectionAddresses;
  readonly #discovery: PeerDiscovery;
  readonly #peers: PeerTable;
  readonly #metadata: MetadataSearch;
  readonly #activityOf: ActivityOf = (handle) => this.#runner?.transfer.peer(handle);
  #infoDict: Uint8Array | undefined;
  #runner: TransferRunner | undefined;
  #firstPeerAt: number | undefined;
  #paused = false;
  #closed = false;

  constructor(options: SwarmOptions) {
    const { node, infoHash } = options;
    const learn: Torrent["learn"] = (...named) => this.learn(...named);
    this.#options = options;
    this.#node = node;
    this.infoHash = infoHash;
    this.#infoDict = options.infoDict;
    this.#addresses = new ConnectionAddresses(node.policy, node.now);
    this.#peers = new PeerTable(node.now());
    const { sources, address: own } = node;
    this.#discovery = new PeerDiscovery({ infoHash, port: own.port, sources, random: chance, learn });
    this.#metadata = new MetadataSearch({
      onFound: (infoDict) => this.onMetadata(infoDict),
      isPinned: (peer) => this.#addresses.isPinned(peer),
    });
    this.gossip = new Gossip({
      own,
      state: options.state,
      destination: options.destination,
      hostsPerAddress: options.hostsPerAddress,
      peers: () => this.#peers.values(),
      announced: (handle) => this.#runner?.transfer.peer(handle)?.bitfield,
      geometry: () => this.#runner?.metainfo.geometry,
      infoHash,
      network: node,
      progress: () => this.#runner?.progress ?? 0,
      learn,
      onAdvertised: (peer, address) => this.#addresses.advertised(peer, address),
    });
    for (const { address, source } of options.pinned) {
      this.learn(address, source);
      this.gossip.reporter.addPinned(address);
    }
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  get peersBySource(): PeersBySource {
    return countBySource(Array.from(this.#peers.values(), (peer) => this.#addresses.sourceOf(peer)));
  }

  get metadataReceived(): number {
    return this.#metadata.received;
  }

  get isSeeding(): boolean {
    return this.#runner?.transfer.isComplete ?? false;
  }

  get isFull(): boolean {
    return this.#peers.size >= (this.isSeeding ? MAX_PEERS_SEEDING : MAX_PEERS_LEECHING);
  }

  /** The peer to close for this incoming one, if any: none in use, none that is exempt. */
  longestIdle(incoming: PeerConnection): IdleConnection | undefined {
    if (!this.#isReading) return undefined;
    const isExempt = (peer: PeerConnection) => this.isExempt(peer);
    return this.#peers.longestIdle(incoming, this.#activityOf, isExempt, this.#node.now());
  }

  peers(): Iterable<PeerConnection> {
    return this.#peers.values();
  }

  isExempt(peer: PeerConnection): boolean {
    return this.#addresses.isPinned(peer) || this.#metadata.isGiver(peer);
  }

  /** False while no peer can be of use: our disk is behind, or the part file is being checked. */
  get #isReading(): boolean {
    return !this.#paused && (this.#runner !== undefined || this.#infoDict === undefined);
  }

  peer(handle: PeerHandle): PeerConnection | undefined {
    return this.#peers.get(handle);
  }

  /** A piece with data of this peer failed its hash after the peer had left; it may be connected again. */
  banDisconnected(handle: PeerHandle): void {
    const address = this.#peers.takeDisconnected(handle);
    if (address === undefined) return;
    this.#addresses.book.ban(address, this.#node.now());
    for (const peer of this.#peers.at(address)) peer.close("banned");
  }

  learn(address: PeerAddress, source: AddressSource, namer?: string): void {
    if (!this.#closed) this.#addresses.learn(address, source, namer);
  }

  /** The metadata is known and the file is ready: the transfer begins with all connected peers. */
  start(runner: TransferRunner): void {
    this.#runner = runner;
    const { geometry } = runner.metainfo;
    for (const peer of this.#peers.values()) {
      runner.dispatch(joined(peer, true));
      for (const event of limitsOf(peer)) runner.dispatch(event);
      peer.wire.setGeometry(geometry);
    }
  }

  /** We have the whole file now: peers that know it offer us nothing more (BEP 21). */
  announceCompletion(): void {
    for (const peer of this.#peers.values()) peer.sendUploadOnly(this.#infoDict?.length);
  }

  /** While the disk is behind, no peer is read. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
    for (const peer of this.#peers.values()) peer.setPaused(paused);
  }

  tick(now: number): void {
    const { isSeeding } = this;
    const { book } = this.#addresses;
    this.#discovery.tick(now, { isSeeding, peers: this.#peers.size, addresses: book.size });
    const wanted = wantedPeers(this.#firstPeerAt, now) - this.#peers.size - book.dialsUnderWay(now);
    const { dialSlots, unpinnedDialSlots, pacer } = this.#node.budget;
    const room = Math.min(wanted, unpinnedDialSlots);
    for (const address of book.nextDials(now, dialSlots, chance, room, pacer.at(now)))
      void this.#dial(address);
    for (const peer of this.#peers.values()) peer.tick(now);
    if (this.#isReading) this.#peers.tick(this.#activityOf, now);
    this.gossip.tick(now, this.#runner !== undefined);
    if (this.#infoDict === undefined) this.#metadata.tick(this.#peers.values(), now);
    this.#runner?.dispatch({ type: "ticked" });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#node.remove(this);
    this.#runner?.stop();
    this.gossip.farewell();
    for (const peer of this.#peers.values()) peer.finish();
  }

  /** A handshake for this torrent arrived. @returns why the connection is refused, or undefined: it was admitted. */
  admit(peer: PeerConnection): PeerFault | undefined {
    const { peerId, dialled } = peer;
    if (this.#closed || peerId === undefined) return "shutdown";
    if (dialled !== undefined)
      this.#node.budget.pacer.answered(dialled.host, this.#addresses.book.isPinned(dialled));
    if (peerId === this.#node.peerId) {
      if (dialled !== undefined) this.#addresses.book.markSelf(dialled);
      return "selfConnection";
    }
    const fault = this.#settleDuplicate(peer, peerId) ?? this.#refusal(peer);
    if (fault !== undefined) return fault;
    this.#addresses.admitted(peer);
    this.#peers.add(peer, peerId);
    this.#metadata.joined(peer);
    this.#begin(peer);
    if (this.#paused) peer.setPaused(true);
    const source = this.#addresses.sourceOf(peer);
    if (this.#firstPeerAt === undefined) {
      this.#firstPeerAt = this.#node.now();
      this.#options.onFirstPeer(source);
    }
    this.#node.logger.debug(`${addressKey(peer.remote)}: connected (${source})`);
    return undefined;
  }

  onMessage: PeerOwner["onMessage"] = (peer, message, payload) => {
    this.#runner?.dispatch({ type: "received", peer: peer.handle, message }, payload);
    if (message.type !== "block") this.gossip.onMessage(peer, message, this.#node.now());
  };

  onUploaded(peer: PeerConnection, bytes: number): void {
    this.#runner?.dispatch({ type: "uploaded", peer: peer.handle, bytes });
  }

  onExtendedHandshake(peer: PeerConnection): void {
    const now = this.#node.now();
    const { listenPort } = peer.extended ?? {};
    for (const event of limitsOf(peer)) this.#runner?.dispatch(event);
    if (this.#infoDict === undefined) this.#metadata.tick(this.#peers.values(), now);
    if (listenPort !== undefined && !this.#addresses.advertisedPort(peer, listenPort))
      return peer.close("banned");
    this.gossip.onExtendedHandshake(peer, now);
  }

  onExtended(peer: PeerConnection, name: string, payload: Uint8Array): void {
    this.gossip.onExtended(peer, name, payload, this.#node.now());
  }

  /** The peer's UDP port (BEP 5): one more node of the DHT. */
  onPort(peer: PeerConnection, port: number): void {
    const address = { host: peer.remote.host, port };
    if (!this.#node.policy.allows(address, false)) return;
    for (const source of this.#node.sources) source.addNode?.(address);
  }

  /** From now on every peer can fetch the metadata from us too. */
  onMetadata(infoDict: Uint8Array): void {
    if (this.#infoDict !== undefined || this.#closed) return;
    this.#infoDict = infoDict;
    for (const peer of this.#peers.values()) peer.offerMetadata(infoDict);
    this.#options.onMetadata(infoDict);
  }

  onEnd(peer: PeerConnection, fault: PeerFault | undefined): void {
    const wasAdmitted = this.#peers.remove(peer);
    this.#addresses.ended(peer, fault, wasAdmitted);
    if (!wasAdmitted) return;
    this.gossip.forget(peer, fault === undefined);
    this.#metadata.forget(peer);
    if (fault !== "hashMismatch") this.#peers.rememberDisconnected(peer);
    this.#runner?.dispatch({ type: "peerLeft", peer: peer.handle });
  }

  async #dial(address: PeerAddress): Promise<void> {
    const { book } = this.#addresses;
    book.dialing(address, this.#node.now());
    const peer = await this.#node.dial(address);
    if (peer === undefined || this.#closed) {
      peer?.close("shutdown");
      book.failed(address, this.#node.now());
      return;
    }
    peer.dialled = address;
    peer.listenAddress = address;
    peer.sendHandshake(this, this.#self);
  }

  get #self(): SelfDescription {
    return { infoDict: this.#infoDict, uploadOnly: this.isSeeding, collects: this.gossip.collects };
  }

  /** Sends what we are and have. Before the metadata is known we have nothing to offer or refuse. */
  #begin(peer: PeerConnection): void {
    peer.completeHandshake(this, this.#self);
    const runner = this.#runner;
    if (runner === undefined) peer.wire.send({ type: "haveNone" });
    else {
      runner.dispatch(joined(peer, false));
      peer.wire.setGeometry(runner.metainfo.geometry);
    }
    if (peer.dht) peer.wire.sendPort(this.#node.address.port);
  }

  /** @returns undefined when there is no other connection with the peer, or no more. */
  #settleDuplicate(peer: PeerConnection, peerId: PeerId): PeerFault | undefined {
    const duplicate = this.#peers.duplicateOf(peer, peerId, this.#node.peerId);
    if (duplicate === undefined) return undefined;
    const { present, stays } = duplicate;
    if (stays) {
      if (peer.dialled !== undefined) this.#addresses.reachedAgain(present, peer.dialled);
      return "duplicateConnection";
    }
    this.#addresses.replaced(present, peer);
    present.close("duplicateConnection");
    return undefined;
  }

  #refusal(peer: PeerConnection): PeerFault | undefined {
    if (this.#addresses.isBanned(peer)) return "banned";
    return this.#node.budget.makeRoom(peer, this) ? undefined : "tooManyConnections";
  }
}
