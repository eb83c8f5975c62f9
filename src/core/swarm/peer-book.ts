// Every address known for one torrent: where it was learned, whether it may be dialled, and when. Knows no sockets.
import { addressKey, type PeerAddress } from "../format/peer-address.ts";
import { type AddressSource, isPinnedSource } from "./address-source.ts";
import { DialFailures } from "./dial-failures.ts";
import type { DialGate } from "./dial-pacer.ts";
import { selectDials } from "./dial-selection.ts";
import { KnownAddress } from "./known-address.ts";
import { type NamedCandidate, NamedAddresses } from "./named-addresses.ts";
import {
  DIAL_PATIENCE_MS,
  FULL_BOOK_PAUSE_MS,
  MAX_BANNED_PORTS,
  MAX_DIAL_FAILURES,
  MAX_KNOWN_PEERS,
  MAX_SELF_ADDRESSES,
  SEARCH_PAUSE_PER_ADDRESS_MS,
  STABLE_CONNECTION_MS,
} from "./limits.ts";

/** Stands for every peer of `host` that has not advertised a listen port. In the book only when banned; never dialled. */
export function unknownPortAt(host: string): PeerAddress {
  return { host, port: 0 };
}

const openGate: DialGate = { mayDial: () => true, take: () => true };

export class PeerBook {
  readonly #entries = new Map<string, KnownAddress>();
  readonly #named = new NamedAddresses();
  readonly #failures = new DialFailures();
  readonly #self = new Set<string>();
  /** When a search for addresses to dial last found none. */
  #barrenAt = -Infinity;
  /** When a search for an address to evict last found none. */
  #fullAt = -Infinity;

  /** Addresses known, our own not among them. Never above MAX_KNOWN_PEERS. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * `namer`: the host that named it, by default its own.
   * @returns true when the address is new. Our own and, in a full book, those of low rank are left out.
   */
  add(address: PeerAddress, source: AddressSource, now: number, namer = address.host): boolean {
    const key = addressKey(address);
    if (this.#self.has(key)) return false;
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#namedAgain(known, source, now, namer);
      return false;
    }
    if (this.#entries.size >= MAX_KNOWN_PEERS && !this.#evictFor(source, now, namer)) return false;
    const entry = new KnownAddress(address, source, now);
    const failure = this.#failures.take(key);
    if (!entry.isPinned) {
      if (failure !== undefined) entry.recall(failure.failures, failure.dueAt);
      this.#named.add(entry, namer);
    }
    this.#entries.set(key, entry);
    return true;
  }

  /**
   * The addresses to dial now: at most `slots`, of which `room` may be unpinned, so that incoming connections do not keep us from
   * the addresses that the user named. `gate` bounds how fast they are dialled. The caller reports each dial by `dialing`.
   */
  nextDials(
    now: number,
    slots: number,
    random: () => number,
    room = slots,
    gate: DialGate = openGate,
  ): PeerAddress[] {
    if (slots <= 0) return [];
    const isEligible = (entry: KnownAddress): boolean =>
      entry.isDialable(now) && gate.mayDial(entry.address.host, entry.isPinned);
    const pinned: KnownAddress[] = [];
    let pinnedDials = 0;
    let otherDials = 0;
    for (const entry of this.#entries.values()) {
      if (entry.state === "dialing") {
        if (entry.isPinned) pinnedDials++;
        else otherDials++;
      } else if (entry.isPinned && isEligible(entry)) pinned.push(entry);
    }
    const others = room > 0 ? this.#searchOthers(now, slots, isEligible, random) : [];
    const selected = selectDials(
      {
        pinned: longestUndialled(pinned, random),
        others: others.map(({ entry }) => entry),
        pinnedDials,
        otherDials,
      },
      slots,
      room,
      (entry) => gate.take(entry.address.host, entry.isPinned),
    );
    const dialled = new Set(selected);
    for (const { entry, namer } of others) if (dialled.has(entry)) this.#named.served(namer);
    return selected.map(({ address }) => address);
  }

  dialing(address: PeerAddress, now: number): void {
    const entry = this.#find(address);
    if (entry === undefined) return;
    entry.state = "dialing";
    entry.dialledAt = now;
  }

  /** Dials that will probably succeed: those begun less than DIAL_PATIENCE_MS ago. */
  dialsUnderWay(now: number): number {
    let count = 0;
    for (const { state, dialledAt } of this.#entries.values()) {
      if (state === "dialing" && now - dialledAt < DIAL_PATIENCE_MS) count++;
    }
    return count;
  }

  /** A dial to it has reached a peer that is connected now: never on the word of a peer. A ban is not lifted by it. */
  connected(address: PeerAddress, now: number): void {
    const entry = this.#find(address);
    if (entry === undefined || entry.isBanned(now)) return;
    entry.state = "connected";
    entry.connectedAt = now;
  }

  /** A connected peer states that it listens there: it is dialled later, not never. */
  claimed(address: PeerAddress, now: number): void {
    this.#find(address)?.claim(now);
  }

  /** The peer that stated it has left, or states another one: then what its word alone has brought is dropped. */
  released(address: PeerAddress, now: number, isReplaced: boolean): void {
    const entry = this.#find(address);
    if (entry === undefined) return;
    const isWordAlone = entry.source === "incoming" && entry.state === "idle" && entry.dialledAt === 0;
    if (isReplaced && isWordAlone) this.#delete(entry);
    else entry.release(now);
  }

  /** A dial or its handshake failed. */
  failed(address: PeerAddress, now: number): void {
    const entry = this.#find(address);
    if (entry !== undefined && !entry.isWaiting(now)) this.#fail(entry, now);
  }

  /**
   * The connection ended: the address becomes dialable again after its back-off, and a ban given in the meantime stays. Not for a
   * second connection to the same address that was closed as a duplicate.
   */
  disconnected(address: PeerAddress, now: number): void {
    const entry = this.#find(address);
    if (entry === undefined || entry.isWaiting(now)) return;
    const isStable = entry.state === "connected" && now - entry.connectedAt >= STABLE_CONNECTION_MS;
    if (isStable) entry.lost(now);
    else this.#fail(entry, now);
  }

  /** The address leads back to this very process: removed, and refused from now on. */
  markSelf(address: PeerAddress): void {
    const key = addressKey(address);
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#delete(entry);
    if (this.#self.size < MAX_SELF_ADDRESSES) this.#self.add(key);
  }

  isSelf(address: PeerAddress): boolean {
    return this.#self.has(addressKey(address));
  }

  /**
   * A piece with data of this address failed its hash, perhaps long after the peer left and was forgotten. A pinned address only
   * waits longer, since it may be the only source. With MAX_BANNED_PORTS of its addresses banned, a host is assumed to change its
   * port, and banned itself.
   */
  ban(address: PeerAddress, now: number): void {
    this.add(address, "incoming", now);
    const entry = this.#find(address);
    if (entry === undefined) return;
    entry.ban(now);
    const { host, port } = address;
    if (port !== 0 && this.#bannedPorts(host, now) >= MAX_BANNED_PORTS) this.ban(unknownPortAt(host), now);
  }

  /** Asked before an incoming connection is admitted. */
  isBanned(address: PeerAddress, now: number): boolean {
    return this.#find(address)?.isBanned(now) ?? false;
  }

  isPinned(address: PeerAddress): boolean {
    return this.#find(address)?.isPinned ?? false;
  }

  sourceOf(address: PeerAddress): AddressSource | undefined {
    return this.#find(address)?.source;
  }

  /** Addresses with a live connection. */
  addresses(): PeerAddress[] {
    const connected = this.#entries.values().filter(({ state }) => state === "connected");
    return Array.from(connected, ({ address }) => address);
  }

  #find(address: PeerAddress): KnownAddress | undefined {
    return this.#entries.get(addressKey(address));
  }

  #bannedPorts(host: string, now: number): number {
    let count = 0;
    for (const entry of this.#entries.values()) {
      if (entry.address.host === host && entry.address.port !== 0 && entry.isBanned(now)) count++;
    }
    return count;
  }

  #fail(entry: KnownAddress, now: number): void {
    entry.failed(now);
    if (!entry.isPinned && entry.failures >= MAX_DIAL_FAILURES && entry.bans === 0) this.#delete(entry);
  }

  /** A search visits every address: after one in vain a large book waits, however often it is asked. */
  #searchOthers(
    now: number,
    slots: number,
    isEligible: (entry: KnownAddress) => boolean,
    random: () => number,
  ): NamedCandidate[] {
    if (now - this.#barrenAt < this.#entries.size * SEARCH_PAUSE_PER_ADDRESS_MS) return [];
    const found = this.#named.inTurn(slots, isEligible, random);
    if (found.length === 0) this.#barrenAt = now;
    return found;
  }

  #namedAgain(known: KnownAddress, source: AddressSource, now: number, namer: string): void {
    known.namedAt = now;
    if (known.isPinned) return;
    if (isPinnedSource(source)) {
      this.#named.remove(known);
      known.pin(source, now);
    } else this.#named.add(known, namer);
  }

  /** How often it failed is kept. */
  #delete(entry: KnownAddress): void {
    const { key, failures, dueAt } = entry;
    this.#entries.delete(key);
    this.#named.remove(entry);
    if (failures > 0) this.#failures.remember(key, { failures, dueAt });
  }

  /**
   * One of the namer that has most makes room for one of a namer that has fewer, whatever their ranks; a namer that has more than
   * its share only replaces its own.
   * @returns false when every address in the full book is worth at least as much as a new one from `source`.
   */
  #evictFor(source: AddressSource, now: number, namer: string): boolean {
    for (const entry of this.#named.ofLargerShare(namer)) {
      if (!entry.isEvictable(now)) continue;
      this.#delete(entry);
      return true;
    }
    if (!isPinnedSource(source) && now - this.#fullAt < FULL_BOOK_PAUSE_MS) return false;
    let worst: KnownAddress | undefined;
    const own = isPinnedSource(source) ? undefined : this.#named.ofExcessShare(namer);
    for (const entry of own ?? this.#entries.values()) {
      if (!entry.isEvictable(now)) continue;
      if (worst === undefined || entry.isWorthLess(worst)) worst = entry;
    }
    if (worst?.yieldsTo(source, now) !== true) {
      this.#fullAt = now;
      return false;
    }
    this.#delete(worst);
    return true;
  }
}

/** In random order where they were dialled at the same time, so that each has its turn at a host that may be dialled slowly. */
function longestUndialled(entries: readonly KnownAddress[], random: () => number): KnownAddress[] {
  return entries
    .map((entry) => ({ entry, chance: random() }))
    .toSorted((a, b) => a.entry.dialledAt - b.entry.dialledAt || a.chance - b.chance)
    .map(({ entry }) => entry);
}
