// The real DHT node without UDP: datagrams go in as the guarded socket lets them in, what it sends is kept. One fixture lives
// for one input.
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
import { sha1 } from "../../../src/lib/sha1.ts";
import { isLoopback, TOKEN_MARK } from "./datagram-input.ts";

export interface Sent {
  readonly bytes: Uint8Array;
  readonly to: PeerAddress;
}

export interface Received {
  /** "query", "reply", or why it was dropped. */
  readonly verdict: string;
  readonly from: PeerAddress;
  /** The datagram with our token in place of the mark. */
  readonly given: Uint8Array;
  /** Because of it, at once. */
  readonly sent: readonly Sent[];
}

export interface Announced {
  readonly peer: PeerAddress;
  readonly infoHash: Buffer;
}

const OWN: PeerAddress = { host: "127.0.0.1", port: 6881 };
/** Whoever was not asked anything. */
export const STRANGER: PeerAddress = { host: "127.0.0.66", port: 4000 };
/** Asked at once, so that the first transaction ids of our node are waiting for their answers. */
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
  /** Transaction id in hexadecimal → whom it was asked of. */
  readonly #asked = new Map<string, PeerAddress>();
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
    });
    this.#node.on("announce", (peer, infoHash) => this.announced.push({ peer, infoHash }));
    this.#node.on("peer", (peer) => this.peers.push(peer));
    this.#node.on("warning", (error) => this.warnings.push(error.message));
    this.#node.on("error", (error) => this.warnings.push(error.message));
  }

  get nodes(): readonly PeerAddress[] {
    return this.#node.nodes.toArray();
  }

  /** What our node lets `host` announce itself with, under the info hash that `datagram` names. */
  tokenFor(host: string, datagram: Uint8Array): Uint8Array {
    const message = asDict(decodeBencode(datagram));
    const args = message && dictDict(message, "a");
    const infoHash = (args && dictBytes(args, "info_hash")) ?? new Uint8Array(20);
    return Uint8Array.from(this.#node.tokenFor(host, infoHash));
  }

  /** Starts a walk, the way a download does. */
  lookup(infoHash: Uint8Array): void {
    this.#node.lookup(Buffer.from(infoHash), () => {});
  }

  /**
   * Hands a datagram to the node if the guards let it in. An answer to a query of ours comes from whom it was asked of,
   * everything else from a stranger.
   */
  receive(datagram: Uint8Array): Received {
    this.#noteAsked();
    const message = asDict(decodeBencode(datagram));
    const transaction = (message && dictBytes(message, "t"))?.toHex() ?? "";
    const from = this.#asked.get(transaction) ?? STRANGER;
    const given = replaced(datagram, Buffer.from(TOKEN_MARK), this.tokenFor(from.host, datagram));
    const result = guardDatagram(given, isLoopback);
    if (result.verdict === "rejected") return { verdict: result.fault, from, given, sent: [] };
    if (result.kind === "reply" && !this.#wires.pending.settle(result.transaction, from)) {
      return { verdict: "notAsked", from, given, sent: [] };
    }
    this.#wires.sent.length = 0;
    this.#wires.emit("message", Buffer.from(result.bytes), { address: from.host, port: from.port });
    const sent = [...this.#wires.sent];
    this.#noteAsked();
    return { verdict: result.kind, from, given, sent };
  }

  close(): void {
    this.#node.destroy(() => {});
  }

  #noteAsked(): void {
    for (const { bytes, to } of this.#wires.sent) {
      const message = asDict(decodeBencode(bytes));
      const transaction = message && dictBytes(message, "t");
      if (message?.has("q") === true && transaction !== undefined) this.#asked.set(transaction.toHex(), to);
    }
    this.#wires.sent.length = 0;
  }
}

function replaced(bytes: Uint8Array, mark: Uint8Array, by: Uint8Array): Uint8Array {
  const at = Buffer.from(bytes).indexOf(mark);
  if (at < 0 || by.length !== mark.length) return bytes;
  const copy = Uint8Array.from(bytes);
  copy.set(by, at);
  return copy;
}
