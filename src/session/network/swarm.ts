// One torrent as seen from the network: whom we know, whom we are connected to, what they tell us of others. Finds the
// metadata when it is not known yet and feeds the transfer once it is. Blocks and pieces are the transfer's business.
import type { InfoHash, PeerHandle } from "../../core/torrent/ids.ts";
import { DiscoverySchedule } from "../../core/swarm/discovery-schedule.ts";
import { MAX_PEERS_LEECHING, MAX_PEERS_SEEDING } from "./limits.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import { type AddressSource, isPinnedSource, type PinnedSource } from "../../core/swarm/address-source.ts";
import { PeerBook, unknownPortAt } from "../../core/swarm/peer-book.ts";
import type { PeerFault } from "../../core/torrent/peer-message.ts";
import { wantedPeers } from "../../core/swarm/wanted-peers.ts";
import { chance, monotonicMs } from "../clock.ts";
import { Gossip } from "../exchange/gossip.ts";
import { MetadataSearch } from "./metadata-search.ts";
import type { Node } from "./node.ts";
import type { PeerConnection, PeerOwner } from "../peer/peer-connection.ts";
import { joined, limitsOf } from "../peer/peer-events.ts";
import { peersBySource, sourceOf } from "./peer-sources.ts";
import type { PeersBySource } from "../report/session-event.ts";
import { addressToBan, type ActivityOf, type IdleConnection, PeerTable } from "./peer-table.ts";
import type { TransferRunner } from "../file/transfer-runner.ts";

export interface SwarmOptions {
  readonly node: Node;
  readonly infoHash: InfoHash;
  /** Known from the start for a served file or a resumed download. */
  readonly infoDict: Uint8Array | undefined;
  readonly pinned: readonly { readonly address: PeerAddress; readonly source: PinnedSource }[];
  /** What we are to the others at first: one who has the file, or one who wants it. */
  readonly state: "source" | "leeching";
  readonly onMetadata: (infoDict: Uint8Array) => void;
  readonly onFirstPeer: (source: AddressSource) => void;
}

export class Swarm implements PeerOwner {
  readonly infoHash: InfoHash;
  readonly node: Node;
  /** What is known of all hosts, and who is told what. */
  readonly gossip: Gossip;
  readonly #options: SwarmOptions;
  readonly #book = new PeerBook();
  readonly #schedule = new DiscoverySchedule(chance);
  readonly #peers = new PeerTable();
  readonly #metadata: MetadataSearch;
  readonly #activityOf: ActivityOf = (handle) => this.#runner?.transfer.peer(handle);
  #infoDict: Uint8Array | undefined;
  #runner: TransferRunner | undefined;
  #firstPeerAt: number | undefined;
  #paused = false;
  #closed = false;

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.node = options.node;
    this.infoHash = options.infoHash;
    this.#infoDict = options.infoDict;
    this.#metadata = new MetadataSearch((infoDict) => this.onMetadata(infoDict));
    this.gossip = new Gossip({
      own: options.node.address,
      state: options.state,
      peers: () => this.#peers.values(),
      hasAll: (handle) => this.#runner?.transfer.peer(handle)?.bitfield.isFull ?? false,
      learn: (address, source) => this.learn(address, source),
      onAdvertised: (peer, address) => this.#markAdvertised(peer, address),
    });
    for (const { address, source } of options.pinned) this.learn(address, source);
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  get peersBySource(): PeersBySource {
    return peersBySource(this.#peers.values(), this.#book);
  }

  get isSeeding(): boolean {
    return this.#runner?.transfer.isComplete ?? false;
  }

  /** Who would give way to this newcomer: nobody of use, nobody that the user named or that sends us the metadata. */
  idlest(newcomer: PeerConnection): IdleConnection | undefined {
    if (!this.#isListening) return undefined;
    const isKept = (peer: PeerConnection) =>
      this.#metadata.isAsking(peer) ||
      (peer.listenAddress !== undefined && this.#book.isPinned(peer.listenAddress));
    return this.#peers.idlest(newcomer, this.#activityOf, isKept, monotonicMs());
  }

  /** False while nobody can show its use: our disk is behind, or what is there of the file is being checked. */
  get #isListening(): boolean {
    return !this.#paused && (this.#runner !== undefined || this.#infoDict === undefined);
  }

  peer(handle: PeerHandle): PeerConnection | undefined {
    return this.#peers.get(handle);
  }

  /** What a peer gave was found to be wrong after it had left; it may have come back meanwhile. */
  banDisconnected(handle: PeerHandle): void {
    const address = this.#peers.takeDisconnected(handle);
    if (address === undefined) return;
    this.#book.ban(address, monotonicMs());
    for (const again of this.#peers.at(address)) again.close("banned");
  }

  /** Somebody told of an address. Foreign networks and ourselves are left out; the user's own word is always taken. */
  learn(address: PeerAddress, source: AddressSource): void {
    if (this.#closed) return;
    if (this.node.policy.allows(address, isPinnedSource(source)))
      this.#book.add(address, source, monotonicMs());
  }

  /** The metadata is known and the file is ready: trading begins with everybody connected. */
  start(runner: TransferRunner): void {
    this.#runner = runner;
    const { geometry } = runner.metainfo;
    for (const peer of this.#peers.values()) {
      runner.dispatch(joined(peer, true));
      for (const event of limitsOf(peer)) runner.dispatch(event);
      peer.wire.setGeometry(geometry);
    }
  }

  /** We have the whole file now: peers that know it stop offering us theirs (BEP 21). */
  announceCompletion(): void {
    for (const peer of this.#peers.values()) peer.sayUploadOnly(this.#infoDict?.length);
  }

  /** The disk is behind: nobody is listened to until it has caught up. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
    for (const peer of this.#peers.values()) peer.setPaused(paused);
  }

  tick(now: number): void {
    const due = this.#schedule.due(now, {
      isSeeding: this.isSeeding,
      peers: this.#peers.size,
      addresses: this.#book.size,
      nodes: this.node.dht.nodeCount,
    });
    if (due.lookup) void this.node.dht.lookup(this.infoHash, (address) => this.learn(address, "dht"));
    if (due.announce) {
      const told = this.node.dht.announce(this.infoHash, this.node.address.port);
      void told.then((isHeard) => isHeard || this.#schedule.unheard());
    }
    const room = wantedPeers(this.#firstPeerAt, now) - this.#peers.size - this.#book.dialsUnderWay(now);
    for (const address of this.#book.nextDials(now, this.node.dialSlots, chance, room))
      void this.#dial(address);
    for (const peer of this.#peers.values()) peer.tick(now);
    if (this.#isListening) this.#peers.tick(this.#activityOf, now);
    this.gossip.tick(now, this.#runner !== undefined);
    if (this.#infoDict === undefined) this.#metadata.tick(this.#peers.values(), now);
    this.#runner?.dispatch({ type: "ticked" });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.node.remove(this);
    this.#runner?.stop();
    this.gossip.farewell();
    for (const peer of this.#peers.values()) peer.finish();
  }

  /** A handshake for this torrent arrived. @returns why the connection is not wanted, or undefined: it was admitted. */
  admit(peer: PeerConnection): PeerFault | undefined {
    const { peerId } = peer;
    if (this.#closed || peerId === undefined) return "shutdown";
    if (peerId === this.node.peerId) {
      if (peer.dialled !== undefined) this.#book.markSelf(peer.dialled);
      return "selfConnection";
    }
    const isWanted = this.#peers.settleDuplicate(peer, peerId, this.node.peerId);
    const fault = isWanted ? this.#refusal(peer) : "duplicateConnection";
    if (peer.dialled !== undefined && (fault === undefined || !isWanted))
      this.#book.connected(peer.dialled, monotonicMs());
    if (fault !== undefined) return fault;
    this.#peers.add(peer, peerId);
    this.#greet(peer);
    if (this.#paused) peer.setPaused(true);
    if (this.#firstPeerAt === undefined) {
      this.#firstPeerAt = monotonicMs();
      this.#options.onFirstPeer(sourceOf(peer, this.#book));
    }
    this.node.logger.debug(`${addressKey(peer.remote)}: connected (${sourceOf(peer, this.#book)})`);
    return undefined;
  }

  onMessage: PeerOwner["onMessage"] = (peer, message, payload) => {
    this.#runner?.dispatch({ type: "received", peer: peer.handle, message }, payload);
    if (message.type !== "block") this.gossip.heard(peer, message, monotonicMs());
  };

  onUploaded(peer: PeerConnection, bytes: number): void {
    this.#runner?.dispatch({ type: "uploaded", peer: peer.handle, bytes });
  }

  onExtendedHandshake(peer: PeerConnection): void {
    const { listenPort } = peer.extended ?? {};
    for (const event of limitsOf(peer)) this.#runner?.dispatch(event);
    if (this.#infoDict === undefined) this.#metadata.tick(this.#peers.values(), monotonicMs());
    if (listenPort !== undefined && peer.dialled === undefined) {
      const address = { host: peer.remote.host, port: listenPort };
      this.learn(address, "incoming");
      if (this.#book.isBanned(address, monotonicMs())) return peer.close("banned");
      peer.listenAddress = address;
      this.#book.connected(address, monotonicMs());
    }
    this.gossip.greeted(peer, monotonicMs());
  }

  onExtended(peer: PeerConnection, name: string, payload: Uint8Array): void {
    this.gossip.extended(peer, name, payload, monotonicMs());
  }

  /** The peer's UDP port (BEP 5): one more node of the DHT. */
  onPort(peer: PeerConnection, port: number): void {
    const address = { host: peer.remote.host, port };
    if (this.node.policy.allows(address, false)) this.node.dht.addNode(address);
  }

  /** From now on every peer can get the metadata from us too. */
  onMetadata(infoDict: Uint8Array): void {
    if (this.#infoDict !== undefined || this.#closed) return;
    this.#infoDict = infoDict;
    for (const peer of this.#peers.values()) peer.offerMetadata(infoDict);
    this.#options.onMetadata(infoDict);
  }

  onEnd(peer: PeerConnection, fault: PeerFault | undefined): void {
    const now = monotonicMs();
    const { listenAddress, advertisedAddress } = peer;
    if (!this.#peers.remove(peer)) {
      if (listenAddress !== undefined && fault !== "duplicateConnection")
        this.#book.failed(listenAddress, now);
      return;
    }
    this.gossip.forget(peer);
    this.#metadata.forget(peer);
    if (fault === "hashMismatch") this.#book.ban(addressToBan(peer), now);
    else this.#peers.remember(peer);
    for (const address of [listenAddress, advertisedAddress]) {
      if (address !== undefined && fault !== "duplicateConnection") this.#book.disconnected(address, now);
    }
    this.#runner?.dispatch({ type: "peerLeft", peer: peer.handle });
  }

  async #dial(address: PeerAddress): Promise<void> {
    this.#book.dialing(address, monotonicMs());
    const peer = await this.node.dial(address);
    if (peer === undefined || this.#closed) {
      peer?.close("shutdown");
      this.#book.failed(address, monotonicMs());
      return;
    }
    peer.dialled = address;
    peer.listenAddress = address;
    peer.introduce(this, { infoDict: this.#infoDict, uploadOnly: this.isSeeding });
  }

  /** Says what we are and have. Before the metadata is known we have nothing to offer or refuse. */
  #greet(peer: PeerConnection): void {
    peer.welcome(this, { infoDict: this.#infoDict, uploadOnly: this.isSeeding });
    const runner = this.#runner;
    if (runner === undefined) peer.wire.send({ type: "haveNone" });
    else {
      runner.dispatch(joined(peer, false));
      peer.wire.setGeometry(runner.metainfo.geometry);
    }
    if (peer.dht) peer.wire.sendPort(this.node.address.port);
  }

  /** Who came by itself has said nothing of where it listens yet. */
  #refusal(peer: PeerConnection): PeerFault | undefined {
    const address = peer.listenAddress ?? unknownPortAt(peer.remote.host);
    if (this.#book.isBanned(address, monotonicMs())) return "banned";
    return this.#makeRoom(peer) && this.node.makeRoom(peer) ? undefined : "tooManyConnections";
  }

  #makeRoom(newcomer: PeerConnection): boolean {
    if (this.#peers.size < (this.isSeeding ? MAX_PEERS_SEEDING : MAX_PEERS_LEECHING)) return true;
    const idlest = this.idlest(newcomer);
    idlest?.peer.close("notNeeded");
    return idlest !== undefined;
  }

  /** Who is connected under another address must not be dialled there, too. */
  #markAdvertised(peer: PeerConnection, address: PeerAddress): void {
    const known = peer.listenAddress;
    if (known !== undefined && addressKey(known) === addressKey(address)) return;
    this.learn(address, "exchange");
    peer.advertisedAddress = address;
    this.#book.connected(address, monotonicMs());
  }
}
