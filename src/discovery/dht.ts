// Our DHT node (BEP 5): finds and announces peers of a private network. Wraps bittorrent-dht and its traps; knows
// neither when to ask (core/swarm/discovery-schedule.ts) nor what becomes of an address (core/swarm/peer-book.ts).
import type { DhtNodeInfo } from "bittorrent-dht";
import { idBytes, type InfoHash, infoHashOf } from "../core/torrent/ids.ts";
import {
  DHT_CONCURRENCY,
  DHT_K,
  DHT_LOOKUP_TIMEOUT_MS,
  MAX_DHT_STORED_PEERS,
  MAX_WALK_PEERS_NAMED_BY_HOST,
  DHT_LIBRARY_TIMEOUT_MS,
} from "./limits.ts";
import { PEER_EXPIRY_MS } from "../core/swarm/limits.ts";
import { addressKey, type PeerAddress } from "../core/format/peer-address.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { CappedNode } from "./capped-node.ts";
import { GuardedSocket } from "./guarded-socket.ts";
import { nodeIdOf } from "./node-id.ts";
import { ReportChannel } from "./report-channel.ts";

export interface DhtOptions {
  /** Address to bind: one of this machine's, or 0.0.0.0. */
  readonly host: string;
  /** UDP port, the same number as for TCP; 0 lets the system choose. */
  readonly port: number;
  /** Where others reach this machine; never given to `lookup` as a peer. */
  readonly advertisedHost: string;
  /** The pinned nodes: asked in each walk and told in each announce. May be empty: then nothing is sent before a query comes in. */
  readonly bootstrap: readonly PeerAddress[];
  /** Addresses that may be contacted besides the bootstrap addresses. */
  readonly accepts: (address: PeerAddress) => boolean;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** `namer`: the host of the node that named it; undefined: it announced itself to us. */
type PeerListener = (address: PeerAddress, namer: string | undefined) => void;
type AnnounceListener = (infoHash: InfoHash, address: PeerAddress) => void;

const ID_LENGTH = 20;
const ANY_HOST = "0.0.0.0";

export class Dht {
  /** How far hosts are, over the same socket. */
  readonly reports: ReportChannel;
  readonly #options: DhtOptions;
  readonly #bootstrapKeys: ReadonlySet<string>;
  #port = 0;
  #node: CappedNode | undefined;
  #socket: GuardedSocket | undefined;
  #nodeId: Buffer = Buffer.alloc(ID_LENGTH);
  #isClosed = false;
  /** By info hash: the listeners of the walks that run. */
  readonly #listeners = new Map<InfoHash, Set<PeerListener>>();
  readonly #announceListeners: AnnounceListener[] = [];
  /** The latest walk per info hash that has not ended. */
  readonly #walks = new Map<InfoHash, Promise<void>>();
  /** End every wait when the node closes; the library does not call back then. */
  readonly #waits = new Set<() => void>();

  constructor(options: DhtOptions) {
    this.#options = options;
    this.reports = new ReportChannel({
      clock: options.clock,
      nodeId: () => this.#nodeId,
      send: (datagram, to) => this.#socket?.sendApart(datagram, to),
    });
    this.#bootstrapKeys = new Set(options.bootstrap.map(addressKey));
  }

  /** @throws DatagramBindError when UDP cannot be bound; its `code` is "EADDRINUSE" when the port is taken. */
  async start(): Promise<void> {
    const { host, port, advertisedHost, logger, clock } = this.#options;
    const socket = await GuardedSocket.open({
      host,
      port,
      accepts: (address) => this.#accepts(address),
      logger,
      now: () => clock.now(),
      takes: (datagram, from) => this.reports.takes(datagram, from),
    });
    if (this.#isClosed) return socket.close();
    this.#socket = socket;
    this.#port = socket.address().port;
    this.#nodeId = nodeIdOf({ host: advertisedHost, port: this.#port });
    const node = new CappedNode({
      bootstrap: this.#options.bootstrap.filter((address) => !this.#isSelf(address)),
      socket,
      nodeId: this.#nodeId,
      host: advertisedHost,
      timeout: DHT_LIBRARY_TIMEOUT_MS,
      maxAge: PEER_EXPIRY_MS,
      maxPeers: MAX_DHT_STORED_PEERS,
      concurrency: DHT_CONCURRENCY,
      k: DHT_K,
      clock,
    });
    this.#node = node;
    node.on("peer", (peer, infoHash, from) =>
      this.#notifyWalks(infoHashOf(infoHash), peer, from?.host ?? from?.address),
    );
    node.on("announce", (peer, infoHash) => this.#notifyAnnounced(infoHashOf(infoHash), peer));
    node.on("node", (fresh) => this.#dropStale(node, fresh));
    node.on("warning", (error) => logger.debug(`DHT: ${error.message}`));
    node.on("error", (error) => logger.debug(`DHT: ${error.message}`));
    node.listen(this.#port, host);
  }

  /** The bound UDP port; 0 before `start`. */
  get port(): number {
    return this.#port;
  }

  /** Nodes in the routing table. */
  get nodeCount(): number {
    return this.#node?.nodes.count() ?? 0;
  }

  /**
   * One walk through the DHT, at most DHT_LOOKUP_TIMEOUT_MS long. `onPeer` is called once for each address and host that
   * names it; our own and addresses that may not be contacted are left out, and so is what one host names beyond
   * MAX_WALK_PEERS_NAMED_BY_HOST. Never rejects.
   */
  lookup(infoHash: InfoHash, onPeer: PeerListener): Promise<void> {
    const seen = new Map<string | undefined, Set<string>>();
    return this.#walk(infoHash, (address, namer) => {
      const key = addressKey(address);
      const named = seen.get(namer) ?? new Set();
      if (named.has(key) || named.size >= MAX_WALK_PEERS_NAMED_BY_HOST) return;
      seen.set(namer, named.add(key));
      onPeer(address, namer);
    });
  }

  /**
   * Announces our address with `port` at the nodes nearest to the info hash, and at our own node. Walks first, or waits for
   * a walk that runs: the library alone announces to the nodes of up to five minutes ago, or to none. Never rejects.
   * @returns whether another node has stored it.
   */
  async announce(infoHash: InfoHash, port: number): Promise<boolean> {
    await (this.#walks.get(infoHash) ?? this.#walk(infoHash, () => {}));
    let isStored = false;
    await this.#bounded((node, done) => {
      node.announce(bufferOf(infoHash), port, (error) => {
        isStored = error === null;
        // A lone node keeps its own record and announces to no other.
        if (error !== null && this.nodeCount > 0)
          this.#options.logger.debug(`DHT announce: ${error.message}`);
        done();
      });
      return () => {};
    });
    return isStored;
  }

  /** Pings the address, now or later, and adds it to the routing table when it answers (PORT message, BEP 5). */
  addNode(address: PeerAddress): void {
    if (this.#accepts(address)) this.#node?.addCandidate(address);
  }

  /** `listener` is called for every peer that announces itself at our node. */
  onAnnounced(listener: AnnounceListener): void {
    this.#announceListeners.push(listener);
  }

  /** Ends all walks, whose promises resolve, and frees the port. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const node = this.#node;
    this.#node = undefined;
    for (const end of this.#waits) end();
    if (node !== undefined) await new Promise<void>((resolve) => node.destroy(resolve));
  }

  #walk(infoHash: InfoHash, listener: PeerListener): Promise<void> {
    const listeners = this.#listeners.get(infoHash) ?? new Set();
    this.#listeners.set(infoHash, listeners.add(listener));
    const walk = this.#bounded((node, done) => node.lookup(bufferOf(infoHash), done)).finally(() => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(infoHash);
      if (this.#walks.get(infoHash) === walk) this.#walks.delete(infoHash);
    });
    this.#walks.set(infoHash, walk);
    return walk;
  }

  /** Runs one operation of the library until it is done, its time is up or we close. `start` returns how to stop it. */
  #bounded(start: (node: CappedNode, done: () => void) => () => void): Promise<void> {
    const node = this.#node;
    if (node === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      let stop = () => {};
      const end = () => {
        cancel();
        this.#waits.delete(end);
        stop();
        resolve();
      };
      const cancel = this.#options.clock.after(DHT_LOOKUP_TIMEOUT_MS, end);
      this.#waits.add(end);
      stop = start(node, end);
    });
  }

  /** Removes the old id of a node that restarted under a new one: the library queries that entry in vain and keeps it. */
  #dropStale(node: CappedNode, fresh: DhtNodeInfo): void {
    for (const known of node.nodes.toArray()) {
      const isSameAddress = known.host === fresh.host && known.port === fresh.port;
      if (isSameAddress && !known.id.equals(fresh.id)) node.removeNode(known.id);
    }
  }

  #notifyWalks(infoHash: InfoHash, peer: PeerAddress, namer: string | undefined): void {
    if (!this.#accepts(peer)) return;
    for (const listener of this.#listeners.get(infoHash) ?? [])
      listener({ host: peer.host, port: peer.port }, namer);
  }

  #notifyAnnounced(infoHash: InfoHash, peer: PeerAddress): void {
    if (!this.#accepts(peer)) return;
    for (const listener of this.#announceListeners) listener(infoHash, { host: peer.host, port: peer.port });
  }

  #accepts(address: PeerAddress): boolean {
    if (this.#isSelf(address)) return false;
    return this.#bootstrapKeys.has(addressKey(address)) || this.#options.accepts(address);
  }

  #isSelf({ host, port }: PeerAddress): boolean {
    if (port !== this.#port) return false;
    const isBoundHere =
      this.#options.host === ANY_HOST ? host.startsWith("127.") : host === this.#options.host;
    return isBoundHere || host === this.#options.advertisedHost;
  }
}

function bufferOf(infoHash: InfoHash): Buffer {
  return Buffer.from(idBytes(infoHash));
}
