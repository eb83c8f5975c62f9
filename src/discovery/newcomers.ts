// Who asked us something and is not in the routing table: each is pinged, a few at a time, because only who answers
// from where it says it is may enter the table. Knows no socket and no table. Pure: time comes in.
import {
  DHT_GREETING_PAUSE_MS,
  MAX_DHT_GREETINGS,
  MAX_DHT_GREETINGS_WAITING,
  MAX_RATE_SOURCES,
} from "../core/limits.ts";
import { addressKey, type PeerAddress } from "../core/peer-address.ts";
import { toHex } from "../lib/bytes.ts";

/** Asks `address` for a sign of life and calls `done` once, when it came or will not come. */
type Ping = (address: PeerAddress, done: () => void) => void;

export class Newcomers {
  readonly #ping: Ping;
  /** When each id at an address was greeted or put into the queue, the longest ago in front. */
  readonly #greetedAt = new Map<string, number>();
  readonly #waiting: PeerAddress[] = [];
  #inFlight = 0;

  constructor(ping: Ping) {
    this.#ping = ping;
  }

  /** `address` asked us something under `id`, 20 bytes; `now` in milliseconds. */
  heard(address: PeerAddress, id: Uint8Array, now: number): void {
    // By id too: a node that came back under another is not found under its old one.
    const key = `${toHex(id)}@${addressKey(address)}`;
    const greetedAt = this.#greetedAt.get(key);
    if (greetedAt !== undefined && now - greetedAt < DHT_GREETING_PAUSE_MS) return;
    if (this.#waiting.length >= MAX_DHT_GREETINGS_WAITING) return;
    this.#greetedAt.delete(key);
    if (this.#greetedAt.size >= MAX_RATE_SOURCES) {
      const [oldest] = this.#greetedAt.keys();
      if (oldest !== undefined) this.#greetedAt.delete(oldest);
    }
    this.#greetedAt.set(key, now);
    this.#waiting.push(address);
    this.#greet();
  }

  /** Newcomers remembered, at most MAX_RATE_SOURCES. */
  get size(): number {
    return this.#greetedAt.size;
  }

  #greet(): void {
    while (this.#inFlight < MAX_DHT_GREETINGS) {
      const address = this.#waiting.shift();
      if (address === undefined) return;
      this.#inFlight++;
      this.#ping(address, () => {
        this.#inFlight--;
        this.#greet();
      });
    }
  }
}
