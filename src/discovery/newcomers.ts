// Who asked us something and is not in the routing table: each is pinged, a few at a time, because only who answers
// from where it says it is may enter the table. At once while that is short of nodes; otherwise a little later, when many have
// entered it by an answer anyway. Knows no socket and no table. Pure: time comes in.
import {
  DHT_GREETING_DELAY_MS,
  DHT_GREETING_PAUSE_MS,
  MAX_DHT_GREETINGS,
  MAX_DHT_GREETINGS_WAITING,
  MAX_RATE_SOURCES,
} from "./limits.ts";
import { addressKey, type PeerAddress } from "../core/format/peer-address.ts";
import { toHex } from "../lib/bytes.ts";

/** Somebody at `address`, and the id of 20 bytes under which it asked; none when it was only named. */
export interface Newcomer {
  readonly address: PeerAddress;
  readonly id: Uint8Array | undefined;
}

/** Asks the newcomer for a sign of life and calls `done` once, when it came or will not come, or is not needed any more. */
type Ping = (newcomer: Newcomer, done: () => void) => void;
type Later = (milliseconds: number, run: () => void) => void;

export class Newcomers {
  readonly #ping: Ping;
  readonly #later: Later;
  /** When each id at an address was greeted or put into the queue, the longest ago in front. */
  readonly #greetedAt = new Map<string, number>();
  readonly #waiting: Newcomer[] = [];
  /** For the next of the later rounds. */
  readonly #patient: Newcomer[] = [];
  #inFlight = 0;

  constructor(ping: Ping, later: Later) {
    this.#ping = ping;
    this.#later = later;
  }

  /**
   * @param now milliseconds
   * @param isShort the table could do with any node: it is greeted at once, and so is everybody who waits
   */
  heard(newcomer: Newcomer, now: number, isShort: boolean): void {
    // By id too: a node that came back under another is not found under its old one.
    const key = `${newcomer.id === undefined ? "" : toHex(newcomer.id)}@${addressKey(newcomer.address)}`;
    const greetedAt = this.#greetedAt.get(key);
    if (greetedAt !== undefined && now - greetedAt < DHT_GREETING_PAUSE_MS) return;
    if (this.#waiting.length + this.#patient.length >= MAX_DHT_GREETINGS_WAITING) return;
    this.#greetedAt.delete(key);
    if (this.#greetedAt.size >= MAX_RATE_SOURCES) {
      const [oldest] = this.#greetedAt.keys();
      if (oldest !== undefined) this.#greetedAt.delete(oldest);
    }
    this.#greetedAt.set(key, now);
    this.#patient.push(newcomer);
    if (isShort) this.#greetAll();
    else if (this.#patient.length === 1) this.#later(DHT_GREETING_DELAY_MS, () => this.#greetAll());
  }

  /** Newcomers remembered, at most MAX_RATE_SOURCES. */
  get size(): number {
    return this.#greetedAt.size;
  }

  #greetAll(): void {
    this.#waiting.push(...this.#patient.splice(0));
    this.#greet();
  }

  #greet(): void {
    while (this.#inFlight < MAX_DHT_GREETINGS) {
      const newcomer = this.#waiting.shift();
      if (newcomer === undefined) return;
      this.#inFlight++;
      this.#ping(newcomer, () => {
        this.#inFlight--;
        this.#greet();
      });
    }
  }
}
