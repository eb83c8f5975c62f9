// Who asked us something and is not in the routing table: each is pinged, a few at a time, because only who answers
// from where it says it is may enter the table. At once while that is short of nodes; otherwise a little later, when many have
// entered it by an answer anyway. Knows no socket and no table. Pure: time comes in.
import {
  DHT_PING_DELAY_MS,
  DHT_PING_PAUSE_MS,
  MAX_DHT_PINGS,
  MAX_DHT_PINGS_QUEUED,
  MAX_RATE_SOURCES,
} from "./limits.ts";
import { addressKey, type PeerAddress } from "../core/format/peer-address.ts";
import { toHex } from "../lib/bytes.ts";

/** Somebody at `address`, and the id of 20 bytes under which it asked; none when it was only named. */
export interface UnverifiedNode {
  readonly address: PeerAddress;
  readonly id: Uint8Array | undefined;
}

/** Asks the newcomer for a sign of life and calls `done` once, when it came or will not come, or is not needed any more. */
type Ping = (node: UnverifiedNode, done: () => void) => void;
type Later = (milliseconds: number, run: () => void) => void;

export class UnverifiedNodes {
  readonly #ping: Ping;
  readonly #later: Later;
  /** When each id at an address was greeted or put into the queue, the longest ago in front. */
  readonly #pingedAt = new Map<string, number>();
  readonly #waiting: UnverifiedNode[] = [];
  /** For the next of the later rounds. */
  readonly #patient: UnverifiedNode[] = [];
  #inFlight = 0;

  constructor(ping: Ping, later: Later) {
    this.#ping = ping;
    this.#later = later;
  }

  /**
   * @param now milliseconds
   * @param isShort the table could do with any node: it is greeted at once, and so is everybody who waits
   */
  heard(node: UnverifiedNode, now: number, isShort: boolean): void {
    // By id too: a node that came back under another is not found under its old one.
    const key = `${node.id === undefined ? "" : toHex(node.id)}@${addressKey(node.address)}`;
    const pingedAt = this.#pingedAt.get(key);
    if (pingedAt !== undefined && now - pingedAt < DHT_PING_PAUSE_MS) return;
    if (this.#waiting.length + this.#patient.length >= MAX_DHT_PINGS_QUEUED) return;
    this.#pingedAt.delete(key);
    if (this.#pingedAt.size >= MAX_RATE_SOURCES) {
      const [oldest] = this.#pingedAt.keys();
      if (oldest !== undefined) this.#pingedAt.delete(oldest);
    }
    this.#pingedAt.set(key, now);
    this.#patient.push(node);
    if (isShort) this.#pingAll();
    else if (this.#patient.length === 1) this.#later(DHT_PING_DELAY_MS, () => this.#pingAll());
  }

  /** UnverifiedNodes remembered, at most MAX_RATE_SOURCES. */
  get size(): number {
    return this.#pingedAt.size;
  }

  #pingAll(): void {
    this.#waiting.push(...this.#patient.splice(0));
    this.#pingNext();
  }

  #pingNext(): void {
    while (this.#inFlight < MAX_DHT_PINGS) {
      const node = this.#waiting.shift();
      if (node === undefined) return;
      this.#inFlight++;
      this.#ping(node, () => {
        this.#inFlight--;
        this.#pingNext();
      });
    }
  }
}
