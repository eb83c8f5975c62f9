// Nodes that sent a query, or were named by another, and are not in the routing table. Each is pinged, a few at a time: only a
// node that answers from its address may enter the table. At once while the table needs nodes; else after a delay, in which many
// enter it by an answer to a query of ours. Knows no socket and no table. Pure: time comes in.
import {
  DHT_PING_DELAY_MS,
  DHT_PING_PAUSE_MS,
  MAX_DHT_PINGS,
  MAX_DHT_PINGS_QUEUED,
  MAX_RATE_SOURCES,
} from "./limits.ts";
import { addressKey, type PeerAddress } from "../core/format/peer-address.ts";
import { toHex } from "../lib/bytes.ts";

/** `id`: 20 bytes, as in its query; undefined for a node that another one named. */
export interface UnverifiedNode {
  readonly address: PeerAddress;
  readonly id: Uint8Array | undefined;
}

/** Pings the node and calls `done` once: when it has answered, when it will not, or when no ping is needed. */
type Ping = (node: UnverifiedNode, done: () => void) => void;
type Later = (milliseconds: number, run: () => void) => void;

export class UnverifiedNodes {
  readonly #ping: Ping;
  readonly #later: Later;
  /** When each node, by id and address, was pinged or queued; the longest ago in front. */
  readonly #pingedAt = new Map<string, number>();
  /** Pinged as soon as fewer than MAX_DHT_PINGS are in flight. */
  readonly #queued: UnverifiedNode[] = [];
  /** Queued when the delay is over. */
  readonly #delayed: UnverifiedNode[] = [];
  #inFlight = 0;

  constructor(ping: Ping, later: Later) {
    this.#ping = ping;
    this.#later = later;
  }

  /**
   * @param now milliseconds
   * @param needsNodes of the routing table: then this node and all delayed ones are pinged at once
   */
  heard(node: UnverifiedNode, now: number, needsNodes: boolean): void {
    // By id too: a node that restarts under another id is another node.
    const key = `${node.id === undefined ? "" : toHex(node.id)}@${addressKey(node.address)}`;
    const pingedAt = this.#pingedAt.get(key);
    if (pingedAt !== undefined && now - pingedAt < DHT_PING_PAUSE_MS) return;
    if (this.#queued.length + this.#delayed.length >= MAX_DHT_PINGS_QUEUED) return;
    this.#pingedAt.delete(key);
    if (this.#pingedAt.size >= MAX_RATE_SOURCES) {
      const [oldest] = this.#pingedAt.keys();
      if (oldest !== undefined) this.#pingedAt.delete(oldest);
    }
    this.#pingedAt.set(key, now);
    this.#delayed.push(node);
    if (needsNodes) this.#pingAll();
    else if (this.#delayed.length === 1) this.#later(DHT_PING_DELAY_MS, () => this.#pingAll());
  }

  /** Nodes remembered, at most MAX_RATE_SOURCES. */
  get size(): number {
    return this.#pingedAt.size;
  }

  #pingAll(): void {
    this.#queued.push(...this.#delayed.splice(0));
    this.#pingNext();
  }

  #pingNext(): void {
    while (this.#inFlight < MAX_DHT_PINGS) {
      const node = this.#queued.shift();
      if (node === undefined) return;
      this.#inFlight++;
      this.#ping(node, () => {
        this.#inFlight--;
        this.#pingNext();
      });
    }
  }
}
