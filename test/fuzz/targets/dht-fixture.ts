// The real DHT node without UDP: datagrams pass the guards to the node, and the datagrams that it sends are kept. One fixture
// serves one input.
import { EventEmitter } from "node:events";
import { asDict, decodeBencode, dictBytes, dictDict } from "../../../src/core/format/bencode.ts";
import {
  DHT_CONCURRENCY,
  DHT_K,
  DHT_QUERY_TIMEOUT_MS,
  MAX_DHT_STORED_PEERS,
} from "../../../src/discovery/limits.ts";
import { PEER_EXPIRY_MS } from "../../../src/core/swarm/limits.ts";
import { addressKey, type PeerAddress } from "../../../src/core/format/peer-address.ts";
import { CappedNode } from "../../../src/discovery/capped-node.ts";
import { guardDatagram } from "../../../src/discovery/datagram-guard.ts";
import { PendingQueries } from "../../../src/discovery/pending-queries.ts";
import { readUint16 } from "../../../src/lib/bytes.ts";
import { sha1 } from "../../../src/lib/sha1.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";
import { isLoopback, TOKEN_MARK } from "./datagram-input.ts";

export interface Sent {
  readonly bytes: Uint8Array;
  readonly to: PeerAddress;
}

export interface Received {
  /** "query", "reply", or why the datagram was dropped. */
  readonly outcome: string;
  readonly from: PeerAddress;
  /** The datagram with our token in place of the mark. */
  readonly given: Uint8Array;
  /** Datagrams that the node sent in answer. */
  readonly sent: readonly Sent[];
}

export interface Announced {
  readonly peer: PeerAddress;
  readonly infoHash: Buffer;
}

const OWN: PeerAddress = { host: "127.0.0.1", port: 6881 };
/** A host that the node has sent no query to. */
export const UNQUERIED: PeerAddress = { host: "127.0.0.66", port: 4000 };
/** Queried at once, so that the first transaction ids of our node are pending. */
export const BOOTSTRAP: readonly PeerAddress[] = [1, 2, 3].map((number) => ({
  host: `127.0.1.${number}`,
  port: 4000 + number,
}));

/** The members of a socket that the library uses. */
class Wires extends EventEmitter {
  readonly sent: Sent[] = [];
  readonly pending = new PendingQueries();

  bind(): void {}

  address(): { address: string; port: number } {
    return { address: OWN.host, port: OWN.port };
  }

  send(buffer: Uint8Array, offset: number, length: number, port: number, host: string): void {
    const to = { host, port };
    if (!isLoopback(to)) return;
    const bytes = Uint8Array.from(buffer.subarray(offset, offset + length));
    this.pending.sent(bytes, to);
    this.sent.push({ bytes, to });
  }

  close(): void {
    this.emit("close");
  }
}

export class DhtFixture {
  readonly #wires = new Wires();
  readonly #node: CappedNode;
  /** The queried node by transaction id in hexadecimal, in the order of the queries. */
  readonly #queried = new Map<string, PeerAddress>();
  readonly announced: Announced[] = [];
  readonly peers: PeerAddress[] = [];
  readonly warnings: string[] = [];

  constructor(Node: typeof CappedNode = CappedNode) {
    this.#node = new Node({
      bootstrap: BOOTSTRAP,
      socket: this.#wires,
      nodeId: Buffer.from(sha1(Buffer.from(addressKey(OWN)))),
      host: OWN.host,
      timeout: DHT_QUERY_TIMEOUT_MS,
      maxAge: PEER_EXPIRY_MS,
      maxPeers: MAX_DHT_STORED_PEERS,
      concurrency: DHT_CONCURRENCY,
      k: DHT_K,
      clock: new VirtualClock(),
    });
    this.#node.on("announce", (peer, infoHash) => this.announced.push({ peer, infoHash }));
    this.#node.on("peer", (peer) => this.peers.push(peer));
    this.#node.on("warning", (error) => this.warnings.push(error.message));
    this.#node.on("error", (error) => this.warnings.push(error.message));
  }

  get nodes(): readonly PeerAddress[] {
    return this.#node.nodes.toArray();
  }

  /** The token that our node issues to `host` for the info hash in `datagram`. */
  tokenFor(host: string, datagram: Uint8Array): Uint8Array {
    const message = asDict(decodeBencode(datagram));
    const args = message && dictDict(message, "a");
    const infoHash = (args && dictBytes(args, "info_hash")) ?? new Uint8Array(20);
    return Uint8Array.from(this.#node.tokenFor(host, infoHash));
  }

  /** Starts a lookup, as a download does. */
  lookup(infoHash: Uint8Array): void {
    this.#node.lookup(Buffer.from(infoHash), () => {});
  }

  /**
   * Passes a datagram to the node if the guards accept it. Its source is the queried node if it answers a query of ours, else
   * UNQUERIED.
   */
  receive(written: Uint8Array): Received {
    this.#noteQueries();
    const datagram = this.#withTransaction(written);
    const message = asDict(decodeBencode(datagram));
    const transaction = (message && dictBytes(message, "t"))?.toHex() ?? "";
    const from = this.#queried.get(transaction) ?? UNQUERIED;
    const given = replaced(datagram, Buffer.from(TOKEN_MARK), this.tokenFor(from.host, datagram));
    const result = guardDatagram(given, isLoopback);
    if (result.verdict === "rejected") return { outcome: result.fault, from, given, sent: [] };
    if (result.kind === "reply" && !this.#wires.pending.settle(result.transaction, from)) {
      return { outcome: "notAsked", from, given, sent: [] };
    }
    this.#wires.sent.length = 0;
    this.#wires.emit("message", Buffer.from(result.bytes), { address: from.host, port: from.port });
    const sent = [...this.#wires.sent];
    this.#noteQueries();
    return { outcome: result.kind, from, given, sent };
  }

  /** An input names a query of ours by its number, from 1: the ids of the node are random. */
  #withTransaction(datagram: Uint8Array): Uint8Array {
    const message = asDict(decodeBencode(datagram));
    const number = message && !message.has("q") ? dictBytes(message, "t") : undefined;
    if (number?.length !== 2) return datagram;
    const id = [...this.#queried.keys()][readUint16(number, 0) - 1];
    if (id === undefined) return datagram;
    return replaced(datagram, transactionField(number), transactionField(Buffer.from(id, "hex")));
  }

  close(): void {
    this.#node.destroy(() => {});
  }

  #noteQueries(): void {
    for (const { bytes, to } of this.#wires.sent) {
      const message = asDict(decodeBencode(bytes));
      const transaction = message && dictBytes(message, "t");
      if (message?.has("q") === true && transaction !== undefined) this.#queried.set(transaction.toHex(), to);
    }
    this.#wires.sent.length = 0;
  }
}

function transactionField(id: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from("1:t2:"), id]);
}

function replaced(bytes: Uint8Array, mark: Uint8Array, by: Uint8Array): Uint8Array {
  const at = Buffer.from(bytes).indexOf(mark);
  if (at < 0 || by.length !== mark.length) return bytes;
  const copy = Uint8Array.from(bytes);
  copy.set(by, at);
  return copy;
}
