// The process on the network: one port for TCP and UDP, the sources of peers, the rate limits, one timer, and the torrents that it
// takes part in. Passes every incoming handshake to the torrent that it names.
import type { Report } from "../../core/exchange/report-message.ts";
import type { AddressPolicy } from "../../core/swarm/address-policy.ts";
import { type InfoHash, type PeerId, peerHandle, peerIdOf } from "../../core/torrent/ids.ts";
import {
  CONNECT_TIMEOUT_MS,
  FAREWELL_MS,
  LEFT_REPORT_MS,
  LIMITED_TICK_MS,
  MAX_ANSWERED_DUPLICATES,
  TICK_MS,
} from "./limits.ts";
import { FAREWELL_STEP_MS } from "../limits.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../peer/limits.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import type { PeerFault } from "../../core/torrent/peer-message.ts";
import { TokenBucket } from "../../core/rate/token-bucket.ts";
import type { Logger } from "../../lib/logger.ts";
import type { TcpConnection } from "../../net/tcp-connection.ts";
import { dial, type DialResult } from "../../net/tcp-dialer.ts";
import { monotonicMs, newPeerIdBytes } from "../clock.ts";
import type { ReportPort } from "../exchange/reporter.ts";
import { FlushTurn } from "../peer/flush-turn.ts";
import type { PeerContext } from "../peer/peer-context.ts";
import { openPort } from "./open-port.ts";
import type { NodeOptions } from "../options.ts";
import { PeerConnection } from "../peer/peer-connection.ts";
import { ConnectionBudget } from "./connection-budget.ts";
import { FirstBytes, type HalfOpenConnection } from "./first-bytes.ts";
import type { PeerSource } from "./peer-source.ts";
import type { SwarmNetwork, Torrent } from "./swarm-network.ts";

/** A BitTorrent handshake begins with the length of the protocol's name (BEP 3). */
const BITTORRENT_FIRST_BYTE = 0x13;

export interface NodeStart {
  readonly options: NodeOptions;
  /** A port that old magnets name; `--port` wins over it. */
  readonly keptPort: number | undefined;
  /** Addresses to reach the network by: every x.pe and --peers. */
  readonly bootstrap: readonly PeerAddress[];
  readonly logger: Logger;
}

/** What the node runs on. */
export interface NodeParts {
  readonly address: PeerAddress;
  readonly policy: Pick<AddressPolicy, "allows">;
  readonly sources: readonly PeerSource[];
  /** Reports to others, and what their reports go to. */
  readonly reports: ReportPort & {
    onReport(take: (report: Report, host: string, hasProof: boolean) => number | undefined): void;
  };
  readonly listener: { close(): void };
  /** Gives up when the signal is aborted. */
  readonly connect: (address: PeerAddress, signal: AbortSignal) => Promise<DialResult>;
  /** Bytes per second; 0 is unlimited. */
  readonly limits: { readonly uploadLimit: number; readonly downloadLimit: number };
  /** A peer that dialled us was admitted to a torrent: its host is proved. */
  readonly onAdmitted?: (host: string) => void;
  readonly logger: Logger;
  /** Milliseconds of a clock that never steps back. */
  readonly now: () => number;
}

export class Node implements SwarmNetwork, PeerContext {
  readonly logger: Logger;
  readonly peerId: PeerId = peerIdOf(newPeerIdBytes());
  /** What we advertise; its port is ours for TCP and UDP. */
  readonly address: PeerAddress;
  readonly policy: Pick<AddressPolicy, "allows">;
  readonly sources: readonly PeerSource[];
  readonly reports: ReportPort;
  readonly budget = new ConnectionBudget();
  readonly uploadBucket: TokenBucket;
  readonly downloadBucket: TokenBucket;
  readonly flushTurn = new FlushTurn();
  readonly now: () => number;
  readonly #parts: NodeParts;
  readonly #torrents = new Map<InfoHash, Torrent>();
  readonly #firstBytes: FirstBytes;
  readonly #connections = new Set<PeerConnection>();
  /** Second connections of a peer that got our handshake and were not closed by it yet, and since when. */
  readonly #answered = new Map<PeerConnection, number>();
  readonly #closing = new AbortController();
  #timer: ReturnType<typeof setInterval> | undefined;
  #nextHandle = 1;
  #turn = 0;

  /** Does nothing by itself before `start`: its parts call `accept`, and a timer `tick`. */
  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.logger = parts.logger;
    this.address = parts.address;
    this.policy = parts.policy;
    this.sources = parts.sources;
    this.reports = parts.reports;
    this.now = parts.now;
    this.uploadBucket = new TokenBucket(parts.limits.uploadLimit);
    this.downloadBucket = new TokenBucket(parts.limits.downloadLimit);
    this.#firstBytes = new FirstBytes({
      protocols: new Map([[BITTORRENT_FIRST_BYTE, (connection) => this.#acceptPeer(connection)]]),
      logger: parts.logger,
      now: parts.now,
    });
    parts.reports.onReport((report, host, hasProof) =>
      this.#torrents.get(report.infoHash)?.gossip.reported(report, host, hasProof),
    );
    for (const source of parts.sources)
      source.start((infoHash, address) => this.#torrents.get(infoHash)?.learn(address, source.name));
  }

  /** @throws UsageError when no address or port can be had. */
  static async start(start: NodeStart): Promise<Node> {
    const { options, logger } = start;
    const onBug = (error: unknown): void => logger.warn(`a connection failed on a bug: ${String(error)}`);
    let node: Node | undefined;
    const { bindHost, ...port } = await openPort({
      ...start,
      onConnection: (connection) => {
        if (node === undefined) connection.close();
        else node.accept(connection);
      },
      onBug,
    });
    const localAddress = bindHost === "0.0.0.0" ? undefined : bindHost;
    node = new Node({
      ...port,
      connect: (address, signal) =>
        dial({ address, localAddress, timeoutMs: CONNECT_TIMEOUT_MS, signal, onBug }),
      limits: options,
      logger,
      now: monotonicMs,
    });
    node.#startTimer(options.uploadLimit > 0 || options.downloadLimit > 0);
    return node;
  }

  add(torrent: Torrent): void {
    this.#torrents.set(torrent.infoHash, torrent);
    this.budget.join(torrent);
  }

  remove(torrent: Torrent): void {
    if (this.#torrents.get(torrent.infoHash) === torrent) this.#torrents.delete(torrent.infoHash);
    this.budget.leave(torrent);
  }

  /** @returns undefined when the host did not answer in time, or this node was closed meanwhile. */
  async dial(address: PeerAddress): Promise<PeerConnection | undefined> {
    const { signal } = this.#closing;
    const result = await this.budget.dialing(this.#parts.connect(address, signal));
    if (result.type === "failed") {
      this.logger.debug(`${addressKey(address)}: no connection (${result.code})`);
      return undefined;
    }
    if (signal.aborted) {
      result.connection.close();
      return undefined;
    }
    const peer = this.#peerOf(result.connection, this.now(), () => {});
    this.budget.add(peer);
    return peer;
  }

  /** A connection that the listener accepted. */
  accept(tcp: TcpConnection): void {
    if (this.#closing.signal.aborted) tcp.close();
    else this.#firstBytes.accept(tcp);
  }

  /** To be called every TICK_MS, or every LIMITED_TICK_MS under a rate limit. */
  tick(now: number): void {
    this.#firstBytes.tick(now);
    // Peers that we dialled and that have not answered: no torrent owns them yet.
    for (const peer of this.#connections) {
      const isHalfOpen = peer.peerId === undefined;
      if (isHalfOpen && now - peer.openedAt > HANDSHAKE_TIMEOUT_MS) peer.close("handshakeTimeout");
    }
    for (const [peer, at] of this.#answered) if (now - at > FAREWELL_MS) peer.close("duplicateConnection");
    // Under a rate limit the first to tick gets the tokens, so the torrents take turns at being first.
    const torrents = [...this.#torrents.values()];
    this.#turn++;
    for (let i = 0; i < torrents.length; i++) torrents[(i + this.#turn) % torrents.length]?.tick(now);
  }

  /** Stops listening and dialling, lets peers read what is queued for at most FAREWELL_MS, and leaves no timer behind. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearInterval(this.#timer);
    this.#parts.listener.close();
    const torrents = [...this.#torrents.values()];
    for (const torrent of torrents) torrent.close();
    this.#firstBytes.close();
    const deadline = this.now() + FAREWELL_MS;
    const reportsUntil = this.now() + LEFT_REPORT_MS;
    const isReported = () =>
      this.now() >= reportsUntil || torrents.every(({ gossip }) => gossip.isReported());
    const isTold = () => this.#connections.size === 0 && isReported();
    while (!isTold() && this.now() < deadline) await Bun.sleep(FAREWELL_STEP_MS);
    for (const peer of this.#connections) peer.close("shutdown");
    for (const source of this.sources) await source.close();
  }

  #startTimer(isLimited: boolean): void {
    this.#timer = setInterval(() => this.tick(this.now()), isLimited ? LIMITED_TICK_MS : TICK_MS);
  }

  #acceptPeer({ tcp, openedAt, done }: HalfOpenConnection): PeerConnection {
    const peer = this.#peerOf(tcp, openedAt, done);
    peer.awaitHandshake((infoHash) => {
      done();
      this.budget.add(peer);
      const fault = this.#route(peer, infoHash);
      if (fault !== undefined) this.budget.remove(peer);
      if (fault === "duplicateConnection" && this.#answered.size < MAX_ANSWERED_DUPLICATES) {
        this.#answered.set(peer, this.now());
        peer.answer(infoHash);
      }
      if (fault === undefined) this.#parts.onAdmitted?.(peer.remote.host);
      return fault;
    });
    return peer;
  }

  #peerOf(tcp: TcpConnection, openedAt: number, onEnd: () => void): PeerConnection {
    const peer = new PeerConnection({
      handle: peerHandle(this.#nextHandle++),
      tcp,
      context: this,
      openedAt,
      onEnd: () => {
        this.#connections.delete(peer);
        this.#answered.delete(peer);
        this.budget.remove(peer);
        onEnd();
      },
    });
    this.#connections.add(peer);
    return peer;
  }

  #route(peer: PeerConnection, infoHash: InfoHash): PeerFault | undefined {
    const torrent = this.#torrents.get(infoHash);
    return torrent === undefined ? "unknownInfoHash" : torrent.admit(peer);
  }
}
