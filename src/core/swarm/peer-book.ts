// Every address known for one torrent: where it came from, whether it may be dialled, and when. Knows no sockets.
import {
  BAN_MS,
  DIAL_PATIENCE_MS,
  MAX_BANNED_PORTS,
  MAX_BAN_MS,
  MAX_DIAL_FAILURES,
  MAX_KNOWN_PEERS,
  MAX_SELF_ADDRESSES,
  PEER_EXPIRY_MS,
  PINNED_BAN_MS,
  REDIAL_MAX_MS,
  REDIAL_MIN_MS,
  REDIAL_OTHER_MIN_MS,
  REDIAL_PINNED_MAX_MS,
  STABLE_CONNECTION_MS,
} from "./limits.ts";
import { addressKey, type PeerAddress } from "../format/peer-address.ts";

/**
 * Where an address was learned. The first two are the user's own word and are pinned; "pex" is BEP 11, "exchange" our
 * own `pf_hosts`.
 */
export type AddressSource = "magnet" | "flag" | "dht" | "pex" | "exchange" | "incoming";

/**
 * Evicted in this order: what peers tell about others is worth less than what an address says of itself. In the DHT and
 * in our own exchange it does so, through others.
 */
const WORTH: Readonly<Record<AddressSource, number>> = {
  pex: 0,
  dht: 1,
  exchange: 1,
  incoming: 2,
  magnet: 3,
  flag: 3,
};

interface Entry {
  readonly address: PeerAddress;
  source: AddressSource;
  /** From the magnet or --peers: retried for ever, never forgotten, never banned. */
  pinned: boolean;
  state: "idle" | "dialing" | "connected" | "banned";
  /** Dials and short connections in a row that came to nothing. */
  failures: number;
  bans: number;
  /** When an idle address may be dialled, or a banned one spoken to again. */
  dueAt: number;
  connectedAt: number;
  dialledAt: number;
  /** When a source last named it. */
  namedAt: number;
}

/**
 * Stands for everybody who comes from `host` and has not said where it listens. It is in the book only when banned, and
 * never dialled.
 */
export function namelessAt(host: string): PeerAddress {
  return { host, port: 0 };
}

export class PeerBook {
  readonly #entries = new Map<string, Entry>();
  readonly #self = new Set<string>();

  /** Addresses known, ourselves not among them. Never above MAX_KNOWN_PEERS. */
  get size(): number {
    return this.#entries.size;
  }

  /** @returns true when the address is new. Our own and, in a full book, worthless ones are left out. */
  add(address: PeerAddress, source: AddressSource, now: number): boolean {
    const key = addressKey(address);
    if (this.#self.has(key)) return false;
    const pinned = source === "magnet" || source === "flag";
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.namedAt = now;
      if (pinned && !known.pinned) pin(known, source, now);
      return false;
    }
    if (this.#entries.size >= MAX_KNOWN_PEERS && !this.#makeRoom(source, now)) return false;
    this.#entries.set(key, {
      address,
      source,
      pinned,
      state: "idle",
      failures: 0,
      bans: 0,
      dueAt: now,
      connectedAt: 0,
      dialledAt: 0,
      namedAt: now,
    });
    return true;
  }

  /**
   * Who to dial now: due addresses in random order, pinned ones first, at most `slots`, of which `room` may be others: who
   * comes by itself must not keep us from those that the user named. No limit per host, because up to 30 processes may
   * share one. The caller says `dialing` for each that it takes.
   */
  nextDials(now: number, slots: number, random: () => number, room = slots): PeerAddress[] {
    if (slots <= 0) return [];
    const pinned: PeerAddress[] = [];
    const others: PeerAddress[] = [];
    for (const entry of this.#entries.values()) {
      if (!isDialable(entry, now)) continue;
      (entry.pinned ? pinned : others).push(entry.address);
    }
    const left = Math.max(0, Math.min(room, slots - pinned.length));
    return [...pickSome(pinned, slots, random), ...pickSome(others, left, random)];
  }

  dialing(address: PeerAddress, now: number): void {
    const entry = this.#find(address);
    if (entry === undefined) return;
    entry.state = "dialing";
    entry.dialledAt = now;
  }

  /** Dials that will probably come to something: those begun less than DIAL_PATIENCE_MS ago. */
  dialsUnderWay(now: number): number {
    let count = 0;
    for (const { state, dialledAt } of this.#entries.values()) {
      if (state === "dialing" && now - dialledAt < DIAL_PATIENCE_MS) count++;
    }
    return count;
  }

  /** The handshake is done, whoever dialled. A ban is not lifted by it. */
  connected(address: PeerAddress, now: number): void {
    const entry = this.#find(address);
    if (entry === undefined || this.isBanned(address, now)) return;
    entry.state = "connected";
    entry.connectedAt = now;
  }

  /** A dial or its handshake came to nothing. */
  failed(address: PeerAddress, now: number): void {
    const entry = this.#find(address);
    if (entry !== undefined && !isWaiting(entry, now)) this.#backOff(entry, now);
  }

  /**
   * The connection ended: the address goes back into the queue, and a ban given in the meantime stays. Not for a
   * second connection to the same address that was closed as a duplicate.
   */
  disconnected(address: PeerAddress, now: number): void {
    const entry = this.#find(address);
    if (entry === undefined || isWaiting(entry, now)) return;
    if (entry.state === "connected" && now - entry.connectedAt >= STABLE_CONNECTION_MS) {
      entry.failures = 0;
      entry.state = "idle";
      entry.dueAt = now + backOffOf(entry, 1);
    } else this.#backOff(entry, now);
  }

  /** The address leads back to this very process: dropped and never taken in again. */
  markSelf(address: PeerAddress): void {
    const key = addressKey(address);
    this.#entries.delete(key);
    if (this.#self.size < MAX_SELF_ADDRESSES) this.#self.add(key);
  }

  isSelf(address: PeerAddress): boolean {
    return this.#self.has(addressKey(address));
  }

  /**
   * Its data failed the hash, maybe long after it left and was forgotten. A pinned address only waits longer, since it may
   * be the only source. A host with many banned addresses is believed to change its port.
   */
  ban(address: PeerAddress, now: number): void {
    this.add(address, "incoming", now);
    const entry = this.#find(address);
    if (entry === undefined) return;
    const doubled = 2 ** entry.bans;
    entry.bans++;
    entry.state = entry.pinned ? "idle" : "banned";
    entry.dueAt =
      now +
      (entry.pinned ? Math.min(PINNED_BAN_MS * doubled, BAN_MS) : Math.min(BAN_MS * doubled, MAX_BAN_MS));
    const { host, port } = address;
    if (port !== 0 && this.#bannedPorts(host, now) >= MAX_BANNED_PORTS) this.ban(namelessAt(host), now);
  }

  /** Asked before an incoming connection is accepted. */
  isBanned(address: PeerAddress, now: number): boolean {
    const entry = this.#find(address);
    return entry !== undefined && entry.state === "banned" && entry.dueAt > now;
  }

  isPinned(address: PeerAddress): boolean {
    return this.#find(address)?.pinned ?? false;
  }

  sourceOf(address: PeerAddress): AddressSource | undefined {
    return this.#find(address)?.source;
  }

  /** Addresses with a live connection, the only ones worth telling to others (BEP 11). */
  addresses(): PeerAddress[] {
    const live: PeerAddress[] = [];
    for (const entry of this.#entries.values()) if (entry.state === "connected") live.push(entry.address);
    return live;
  }

  #find(address: PeerAddress): Entry | undefined {
    return this.#entries.get(addressKey(address));
  }

  #bannedPorts(host: string, now: number): number {
    let count = 0;
    for (const { address, state, dueAt } of this.#entries.values()) {
      if (address.host === host && address.port !== 0 && state === "banned" && dueAt > now) count++;
    }
    return count;
  }

  #backOff(entry: Entry, now: number): void {
    entry.failures++;
    if (!entry.pinned && entry.failures >= MAX_DIAL_FAILURES && entry.bans === 0) {
      this.#entries.delete(addressKey(entry.address));
      return;
    }
    entry.state = "idle";
    entry.dueAt = now + backOffOf(entry, entry.failures);
  }

  /** @returns false when everybody in the full book is worth at least as much as a newcomer from `source`. */
  #makeRoom(source: AddressSource, now: number): boolean {
    let victim: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (!isEvictable(entry, now)) continue;
      if (victim === undefined || isWorthLess(entry, victim)) victim = entry;
    }
    if (victim === undefined) return false;
    const isPoor =
      victim.failures > 0 || now - victim.namedAt >= PEER_EXPIRY_MS || WORTH[victim.source] < WORTH[source];
    return isPoor && this.#entries.delete(addressKey(victim.address));
  }
}

function pin(entry: Entry, source: AddressSource, now: number): void {
  entry.pinned = true;
  entry.source = source;
  entry.failures = 0;
  if (entry.state === "banned") entry.state = "idle";
  if (entry.state === "idle") entry.dueAt = now;
}

function isAtRest(entry: Entry): boolean {
  return entry.state === "idle" || entry.state === "banned";
}

function isDialable(entry: Entry, now: number): boolean {
  return isAtRest(entry) && entry.dueAt <= now && entry.address.port !== 0;
}

/** Backed off or banned already: a second report of the same end must not count twice. */
function isWaiting(entry: Entry, now: number): boolean {
  return isAtRest(entry) && entry.dueAt > now;
}

/** 0.2 to 5 s for pinned addresses, 1 to 60 s for others, doubled with every failure. */
function backOffOf(entry: Entry, failures: number): number {
  const first = entry.pinned ? REDIAL_MIN_MS : REDIAL_OTHER_MIN_MS;
  return Math.min(first * 2 ** (failures - 1), entry.pinned ? REDIAL_PINNED_MAX_MS : REDIAL_MAX_MS);
}

function isEvictable(entry: Entry, now: number): boolean {
  return !entry.pinned && (entry.state === "idle" || (entry.state === "banned" && entry.dueAt <= now));
}

function isWorthLess(a: Entry, b: Entry): boolean {
  if (a.failures !== b.failures) return a.failures > b.failures;
  if (WORTH[a.source] !== WORTH[b.source]) return WORTH[a.source] < WORTH[b.source];
  return a.namedAt < b.namedAt;
}

/** Up to `count` of `items`, each equally likely, in random order; `items` is reordered. */
function pickSome<Item>(items: Item[], count: number, random: () => number): Item[] {
  const taken = Math.max(0, Math.min(count, items.length));
  for (let i = 0; i < taken; i++) {
    const j = i + Math.floor(random() * (items.length - i));
    const item = items[j];
    const other = items[i];
    if (item === undefined || other === undefined) break;
    items[i] = item;
    items[j] = other;
  }
  return items.slice(0, taken);
}
