// A node on a virtual clock: no socket, no DHT, no timer. What dials reach, what sources find and what peers send is up to the test.
import type { Report } from "../../../src/core/exchange/report-message.ts";
import type { OnReportAnswer, TakeReport } from "../../../src/discovery/report-channel.ts";
import { setImmediate } from "node:timers/promises";
import {
  infoHashOf,
  type InfoHash,
  type PeerId,
  peerHandle,
  peerIdOf,
} from "../../../src/core/torrent/ids.ts";
import { addressKey, type PeerAddress } from "../../../src/core/format/peer-address.ts";
import type { AddressSource } from "../../../src/core/swarm/address-source.ts";
import { concatBytes, readUint32 } from "../../../src/lib/bytes.ts";
import type { Logger } from "../../../src/lib/logger.ts";
import { TcpConnection, type TcpSocket } from "../../../src/net/tcp-connection.ts";
import type { DialResult } from "../../../src/net/tcp-dialer.ts";
import { Node, type NodeParts } from "../../../src/session/network/node.ts";
import type { PeerSource } from "../../../src/session/network/peer-source.ts";
import { CONNECT_TIMEOUT_MS, TICK_MS } from "../../../src/session/network/limits.ts";
import { Swarm } from "../../../src/session/network/swarm.ts";
import type { SwarmOptions } from "../../../src/session/network/swarm-network.ts";
import type { PeerConnection } from "../../../src/session/peer/peer-connection.ts";
import { frame, handshakeBytes } from "../../wire/wire-end.ts";

export const OWN_ADDRESS: PeerAddress = { host: "10.0.0.1", port: 42_070 };
/** The info hash that is this byte twenty times. */
export const torrentHash = (byte: number): InfoHash => infoHashOf(new Uint8Array(20).fill(byte));
export const TORRENT = 5;

/** What a Bun socket is to a TcpConnection. */
export class FakeSocket {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress = OWN_ADDRESS.host;
  readonly localPort = OWN_ADDRESS.port;
  /** Bytes that the socket takes before it is full. */
  room = Number.POSITIVE_INFINITY;
  isPaused = false;
  isClosed = false;
  hasEnded = false;
  readonly #written: Uint8Array[] = [];

  constructor(remote: PeerAddress) {
    this.remoteAddress = remote.host;
    this.remotePort = remote.port;
  }

  get written(): Uint8Array {
    return concatBytes(this.#written);
  }

  write(bytes: Uint8Array, start: number, length: number): number {
    const taken = Math.min(length, this.room);
    this.room -= taken;
    this.#written.push(bytes.slice(start, start + taken));
    return taken;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.hasEnded = true;
  }

  terminate(): void {
    this.isClosed = true;
  }
}

/** The other end of a connection. */
export class RemotePeer {
  readonly socket: FakeSocket;
  readonly tcp: TcpConnection;
  readonly bugs: unknown[] = [];

  constructor(address: PeerAddress, direction: "incoming" | "outgoing" = "incoming") {
    this.socket = new FakeSocket(address);
    const socket: unknown = this.socket;
    this.tcp = TcpConnection.of(socket as TcpSocket, direction, (bug) => void this.bugs.push(bug))!;
  }

  get isClosed(): boolean {
    return this.socket.isClosed;
  }

  get isPaused(): boolean {
    return this.socket.isPaused;
  }

  /** Bytes that it got. */
  get heard(): number {
    return this.socket.written.length;
  }

  /** The messages after the handshake, each an id and a body; a keep-alive has the id -1. */
  get messages(): { readonly id: number; readonly body: Uint8Array }[] {
    const bytes = this.socket.written.subarray(68);
    const messages: { id: number; body: Uint8Array }[] = [];
    for (let at = 0; at + 4 <= bytes.length;) {
      const length = readUint32(bytes, at);
      const body = bytes.subarray(at + 4, at + 4 + length);
      messages.push({ id: body[0] ?? -1, body: body.subarray(1) });
      at += 4 + length;
    }
    return messages;
  }

  send(bytes: Uint8Array | string): void {
    this.tcp.handleData(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  }

  /** A handshake for the torrent of this byte, from the peer whose id is the other one twenty times. */
  sendHandshake(torrent = TORRENT, peerId: number | PeerId = 1): void {
    const bytes = handshakeBytes().slice();
    bytes.fill(torrent, 28, 48);
    if (typeof peerId === "number") bytes.fill(peerId, 48, 68);
    else bytes.set(Uint8Array.fromHex(peerId), 48);
    this.send(bytes);
  }

  /** An extension handshake with this listen port (BEP 10), or without one. */
  sendPort(port: number | undefined): void {
    const text = port === undefined ? "d1:mdee" : `d1:mde1:pi${port}ee`;
    this.send(frame(20, [0, ...new TextEncoder().encode(text)]));
  }

  leave(): void {
    this.tcp.handleClose(undefined);
  }
}

export class FakeSource implements PeerSource {
  readonly name: AddressSource;
  nodeCount = 1;
  lookups = 0;
  announces = 0;
  isHeard = true;
  isClosed = false;
  readonly nodes: string[] = [];
  /** What a lookup finds. */
  readonly known: PeerAddress[] = [];
  onPeer: (infoHash: InfoHash, address: PeerAddress) => void = () => {};

  constructor(name: AddressSource = "dht") {
    this.name = name;
  }

  start(onPeer: (infoHash: InfoHash, address: PeerAddress) => void): void {
    this.onPeer = onPeer;
  }

  lookup(_infoHash: InfoHash, onPeer: (address: PeerAddress) => void): Promise<void> {
    this.lookups++;
    for (const address of this.known) onPeer(address);
    return Promise.resolve();
  }

  announce(): Promise<boolean> {
    this.announces++;
    return Promise.resolve(this.isHeard);
  }

  addNode(address: PeerAddress): void {
    this.nodes.push(addressKey(address));
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

/** Sends no report anywhere, and remembers which were sent. */
export class FakeReports {
  readonly sent: { readonly report: Report; readonly to: PeerAddress; readonly onAnswer: OnReportAnswer }[] =
    [];
  take: TakeReport = () => undefined;

  send(report: Report, to: PeerAddress, onAnswer: OnReportAnswer): void {
    this.sent.push({ report, to, onAnswer });
  }

  onReport(take: TakeReport): void {
    this.take = take;
  }
}

interface FakeDial {
  readonly address: PeerAddress;
  readonly at: number;
  readonly settle: (result: DialResult) => void;
}

export class NetworkFixture {
  now = 1_000;
  readonly source = new FakeSource();
  readonly reports = new FakeReports();
  readonly node: Node;
  readonly log: string[] = [];
  /** Every dial so far, as addresses. */
  readonly dialled: string[] = [];
  /** Under way, oldest first. */
  readonly dials = new Set<FakeDial>();
  /** Peers that answer at once, by address; all other addresses are silent. */
  readonly answering = new Map<string, () => RemotePeer>();
  isListening = true;
  #nextHost = 1;

  constructor(parts: Partial<NodeParts> = {}) {
    const debug = (line: string) => void this.log.push(line);
    const logger: Logger = { debug, info: debug, warn: debug };
    this.node = new Node({
      address: OWN_ADDRESS,
      policy: { allows: () => true },
      sources: [this.source],
      reports: this.reports,
      listener: { close: () => void (this.isListening = false) },
      connect: (address, signal) => this.#connect(address, signal),
      limits: { uploadLimit: 0, downloadLimit: 0 },
      logger,
      now: () => this.now,
      ...parts,
    });
  }

  /** A leecher that does not know its metadata, unless it is said. */
  swarm(options: Partial<SwarmOptions> = {}): Swarm {
    const swarm = new Swarm({
      node: this.node,
      infoHash: torrentHash(TORRENT),
      infoDict: undefined,
      pinned: [],
      state: "leeching",
      destination: "00".repeat(8),
      hostsPerAddress: 1,
      onMetadata: () => {},
      onFirstPeer: () => {},
      ...options,
    });
    this.node.add(swarm);
    return swarm;
  }

  /** A connection that was accepted and says nothing; each comes from a host of its own unless it is said. */
  accept(host = `10.1.${this.#nextHost >> 8}.${this.#nextHost++ & 255}`): RemotePeer {
    const peer = new RemotePeer({ host, port: 50_000 });
    this.node.accept(peer.tcp);
    return peer;
  }

  /** A peer that has connected and said its handshake. */
  join(peerId: number | PeerId = 1, host?: string, torrent = TORRENT): RemotePeer {
    const peer = this.accept(host);
    peer.sendHandshake(torrent, peerId);
    return peer;
  }

  /** From now on this address answers a dial: `peers` gets each connection. */
  answer(address: PeerAddress, peers: RemotePeer[] = []): RemotePeer[] {
    this.answering.set(addressKey(address), () => {
      const peer = new RemotePeer(address, "outgoing");
      peers.push(peer);
      return peer;
    });
    return peers;
  }

  /** Time passes, with a tick as often as a node has one and all that it causes. */
  async pass(milliseconds: number): Promise<void> {
    for (const end = this.now + milliseconds; this.now < end;) {
      this.now = Math.min(end, this.now + TICK_MS);
      for (const dial of this.dials) {
        if (this.now - dial.at < CONNECT_TIMEOUT_MS) break;
        this.dials.delete(dial);
        dial.settle({ type: "failed", code: "TIMEOUT" });
      }
      await setImmediate();
      this.node.tick(this.now);
      await setImmediate();
    }
  }

  #connect(address: PeerAddress, signal: AbortSignal): Promise<DialResult> {
    this.dialled.push(addressKey(address));
    const peer = this.answering.get(addressKey(address))?.();
    if (peer !== undefined) return Promise.resolve({ type: "connected", connection: peer.tcp });
    const { promise, resolve } = Promise.withResolvers<DialResult>();
    this.dials.add({ address, at: this.now, settle: resolve });
    signal.addEventListener("abort", () => resolve({ type: "failed", code: "ABORT" }));
    return promise;
  }
}

/** The peers of a swarm, oldest first. */
export function peersOf(swarm: Swarm): PeerConnection[] {
  const handles = Array.from({ length: 2_000 }, (_, i) => peerHandle(i + 1));
  return handles.flatMap((handle) => swarm.peer(handle) ?? []);
}

/** A peer id above or below any that a node makes up for itself. */
export const HIGHEST_ID = peerIdOf(new Uint8Array(20).fill(255));
export const LOWEST_ID = peerIdOf(new Uint8Array(20));
/** Output that is not part of an answer leaves at the end of the turn. */
export const endOfTurn = (): Promise<unknown> => setImmediate();
