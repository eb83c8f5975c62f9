// The process as one member of the network: its port (TCP and UDP), its DHT node, its rate limits, its heart beat, and
// the torrents it takes part in. Hands every incoming handshake to the torrent it names.
import type { AddressPolicy } from "../../core/swarm/address-policy.ts";
import { excessHalfOpen } from "../../core/swarm/half-open.ts";
import { type InfoHash, type PeerHandle, type PeerId, peerHandle, peerIdOf } from "../../core/torrent/ids.ts";
import {
  CONNECT_TIMEOUT_MS,
  FAREWELL_MS,
  LIMITED_TICK_MS,
  MAX_CONNECTIONS,
  MAX_HALF_OPEN_OUTGOING,
  TICK_MS,
} from "./limits.ts";
import { FAREWELL_STEP_MS } from "../limits.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../peer/limits.ts";
import type { AddressSource } from "../../core/swarm/address-source.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import type { PeerFault } from "../../core/torrent/peer-message.ts";
import { TokenBucket } from "../../core/rate/token-bucket.ts";
import type { Dht } from "../../discovery/dht.ts";
import type { Logger } from "../../lib/logger.ts";
import type { TcpConnection } from "../../net/tcp-connection.ts";
import { dial } from "../../net/tcp-dialer.ts";
import type { TcpListener } from "../../net/tcp-listener.ts";
import { monotonicMs, newPeerIdBytes } from "../clock.ts";
import { FlushTurn } from "../peer/flush-turn.ts";
import { type OpenPort, openPort } from "./open-port.ts";
import type { NodeOptions } from "../options.ts";
import { PeerConnection } from "../peer/peer-connection.ts";
import type { IdleConnection } from "./peer-table.ts";

/** What a process on the network needs of each torrent that it takes part in. */
export interface Torrent {
  readonly infoHash: InfoHash;
  /** An incoming handshake names this torrent. @returns why the connection is refused; undefined: it is admitted. */
  admit(peer: PeerConnection): PeerFault | undefined;
  /** Somebody told of an address of this torrent. */
  learn(address: PeerAddress, source: AddressSource): void;
  idlest(newcomer: PeerConnection): IdleConnection | undefined;
  tick(now: number): void;
  close(): void;
}

export interface NodeStart {
  readonly options: NodeOptions;
  /** A port that old magnets name; `--port` wins over it. */
  readonly keptPort: number | undefined;
  /** Addresses to reach the network by: every x.pe and --peers. */
  readonly bootstrap: readonly PeerAddress[];
  readonly logger: Logger;
}

export class Node {
  readonly logger: Logger;
  readonly peerId: PeerId = peerIdOf(newPeerIdBytes());
  /** What we tell others; its port is ours for TCP and UDP. */
  readonly address: PeerAddress;
  readonly policy: AddressPolicy;
  readonly uploadBucket: TokenBucket;
  readonly downloadBucket: TokenBucket;
  readonly flushTurn = new FlushTurn();
  readonly dht: Dht;
  readonly #listener: TcpListener;
  readonly #bindHost: string;
  readonly #torrents = new Map<InfoHash, Torrent>();
  /** Accepted connections that have not named a torrent yet, oldest first. */
  readonly #halfOpen = new Set<PeerConnection>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #connections = new Set<PeerConnection>();
  #tickedAt = 0;
  #dialing = 0;
  #nextHandle = 1;
  #turn = 0;
  #closed = false;

  private constructor(start: NodeStart, port: OpenPort) {
    this.logger = start.logger;
    this.address = port.advertised;
    this.#bindHost = port.bindHost;
    this.dht = port.dht;
    this.#listener = port.listener;
    this.policy = port.policy;
    this.uploadBucket = new TokenBucket(start.options.uploadLimit);
    this.downloadBucket = new TokenBucket(start.options.downloadLimit);
    const limited = start.options.uploadLimit > 0 || start.options.downloadLimit > 0;
    this.#timer = setInterval(() => this.tick(monotonicMs()), limited ? LIMITED_TICK_MS : TICK_MS);
    this.dht.onAnnounced((infoHash, address) => this.#torrents.get(infoHash)?.learn(address, "dht"));
  }

  /** @throws UsageError when no address or port can be had. */
  static async start(start: NodeStart): Promise<Node> {
    let node: Node | undefined;
    const port = await openPort({
      ...start,
      onConnection: (connection) => {
        if (node === undefined) connection.close();
        else node.#accept(connection);
      },
      onBug: (error) => start.logger.warn(`a connection failed on a bug: ${String(error)}`),
    });
    node = new Node(start, port);
    return node;
  }

  add(torrent: Torrent): void {
    this.#torrents.set(torrent.infoHash, torrent);
  }

  remove(torrent: Torrent): void {
    if (this.#torrents.get(torrent.infoHash) === torrent) this.#torrents.delete(torrent.infoHash);
  }

  /** Connections that may still be dialled by anybody in this process. */
  get dialSlots(): number {
    const room = MAX_CONNECTIONS - this.#introduced - this.#dialing;
    return Math.max(0, Math.min(MAX_HALF_OPEN_OUTGOING - this.#dialing, room));
  }

  /** @returns undefined when nobody answered in time or this node was closed meanwhile. */
  async dial(address: PeerAddress): Promise<PeerConnection | undefined> {
    this.#dialing++;
    try {
      const result = await dial({
        address,
        localAddress: this.#bindHost === "0.0.0.0" ? undefined : this.#bindHost,
        timeoutMs: CONNECT_TIMEOUT_MS,
        onBug: (error) => this.logger.warn(`a connection failed on a bug: ${String(error)}`),
      });
      if (result.type === "failed") {
        this.logger.debug(`${addressKey(address)}: no connection (${result.code})`);
        return undefined;
      }
      if (this.#closed) {
        result.connection.close();
        return undefined;
      }
      return this.#wrap(result.connection);
    } finally {
      this.#dialing--;
    }
  }

  /** Stops listening, lets peers have what is on its way to them for at most FAREWELL_MS, and leaves no timer behind. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#listener.close();
    for (const torrent of this.#torrents.values()) torrent.close();
    for (const peer of this.#halfOpen) peer.close("shutdown");
    const deadline = monotonicMs() + FAREWELL_MS;
    while (this.#connections.size > 0 && monotonicMs() < deadline) await Bun.sleep(FAREWELL_STEP_MS);
    for (const peer of this.#connections) peer.close("shutdown");
    await this.dht.close();
  }

  /** For a newcomer that is counted already. @returns false when everybody else, of whatever torrent, is of use. */
  makeRoom(newcomer: PeerConnection): boolean {
    if (this.#introduced <= MAX_CONNECTIONS) return true;
    let idlest: IdleConnection | undefined;
    for (const torrent of this.#torrents.values()) {
      const other = torrent.idlest(newcomer);
      if (other !== undefined && other.overdueMs > (idlest?.overdueMs ?? -1)) idlest = other;
    }
    idlest?.peer.close("notNeeded");
    return idlest !== undefined;
  }

  /** All connections but those that came and have not named a torrent yet. */
  get #introduced(): number {
    return this.#connections.size - this.#halfOpen.size;
  }

  #wrap(tcp: TcpConnection): PeerConnection {
    const peer = new PeerConnection({
      handle: this.#newHandle(),
      tcp,
      context: this,
      onEnd: () => {
        this.#connections.delete(peer);
        this.#halfOpen.delete(peer);
      },
    });
    this.#connections.add(peer);
    return peer;
  }

  #accept(tcp: TcpConnection): void {
    if (this.#closed) {
      tcp.close();
      return;
    }
    const peer = this.#wrap(tcp);
    this.#halfOpen.add(peer);
    this.#dropExcessHalfOpen();
    peer.listen((infoHash) => this.#route(peer, infoHash));
  }

  /** Between two heart beats every socket was read. */
  #dropExcessHalfOpen(): void {
    const openedAt = this.#halfOpen.values().map((peer) => peer.openedAt);
    let surplus = excessHalfOpen(openedAt, this.#halfOpen.size, this.#tickedAt);
    for (const oldest of this.#halfOpen) {
      if (surplus-- <= 0) break;
      oldest.close("tooManyConnections");
    }
  }

  #route(peer: PeerConnection, infoHash: InfoHash): PeerFault | undefined {
    this.#halfOpen.delete(peer);
    const torrent = this.#torrents.get(infoHash);
    return torrent === undefined ? "unknownInfoHash" : torrent.admit(peer);
  }

  /** The heart beat. */
  tick(now: number): void {
    this.#dropExcessHalfOpen();
    this.#tickedAt = now;
    // Also of those that we dialled and that have not answered: no torrent looks after them yet.
    for (const peer of this.#connections) {
      const isHalfOpen = peer.peerId === undefined;
      if (isHalfOpen && now - peer.openedAt > HANDSHAKE_TIMEOUT_MS) peer.close("handshakeTimeout");
    }
    // Under a rate limit the first to tick gets the tokens, so the torrents take turns at being first.
    const torrents = [...this.#torrents.values()];
    this.#turn++;
    for (let i = 0; i < torrents.length; i++) torrents[(i + this.#turn) % torrents.length]?.tick(now);
  }

  #newHandle(): PeerHandle {
    return peerHandle(this.#nextHandle++);
  }
}
