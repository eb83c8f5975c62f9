// Every address known for one torrent: where it was learned, whether it may be dialled, and when. Knows no sockets.
import { addressKey, type PeerAddress } from "../format/peer-address.ts";
import { type AddressSource, isPinnedSource } from "./address-source.ts";
import { selectDials } from "./dial-selection.ts";
import { KnownAddress } from "./known-address.ts";
import {
  DIAL_PATIENCE_MS,
  MAX_BANNED_PORTS,
  MAX_DIAL_FAILURES,
  MAX_KNOWN_PEERS,
  MAX_SELF_ADDRESSES,
  STABLE_CONNECTION_MS,
} from "./limits.ts";

/** Stands for every peer of `host` that has not advertised a listen port. In the book only when banned; never dialled. */
export function unknownPortAt(host: string): PeerAddress {
  return { host, port: 0 };
}

export class PeerBook {
  readonly #entries = new Map<string, KnownAddress>();
  readonly #self = new Set<string>();

  /** Addresses known, our own not among them. Never above MAX_KNOWN_PEERS. */
  get size(): number {
    return this.#entries.size;
  }

  /** @returns true when the address is new. Our own and, in a full book, those of low rank are left out. */
  add(address: PeerAddress, source: AddressSource, now: number): boolean {
    const key = addressKey(address);
    if (this.#self.has(key)) return false;
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.namedAt = now;
      if (isPinnedSource(source) && !known.isPinned) known.pin(source, now);
      return false;
    }
    if (this.#entries.size >= MAX_KNOWN_PEERS && !this.#evictFor(source, now)) return false;
    this.#entries.set(key, new KnownAddress(address, source, now));
    return true;
  }

  /**
   * The addresses to dial now: at most `slots`, of which `room` may be unpinned, so that incoming connections do not keep us from
   * the addresses that the user named. No limit per host, because up to 30 processes may share one. The caller reports each
   * dial by `dialing`.
   */
  nextDials(now: number, slots: number, random: () => number, room = slots): PeerAddress[] {
    if (slots <= 0) return [];
    const pinned: PeerAddress[] = [];
    const others: PeerAddress[] = [];
    let pinnedDials = 0;
    let otherDials = 0;
    for (const entry of this.#entries.values()) {
      if (entry.state === "dialing") {
        if (entry.isPinned) pinnedDials++;
        else otherDials++;
      } else if (entry.isDialable(now)) (entry.isPinned ? pinned : others).push(entry.address);
    }
    return selectDials({ pinned, others, pinnedDials, otherDials }, slots, room, random);
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

  /** The handshake is done, in either direction. A ban is not lifted by it. */
  connected(address: PeerAddress, now: number): void {
    const entry = this.#find(address);
    if (entry === undefined || entry.isBanned(now)) return;
    entry.state = "connected";
    entry.connectedAt = now;
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
    this.#entries.delete(key);
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
    if (!entry.isPinned && entry.failures >= MAX_DIAL_FAILURES && entry.bans === 0)
      this.#entries.delete(entry.key);
  }

  /** @returns false when every address in the full book is worth at least as much as a new one from `source`. */
  #evictFor(source: AddressSource, now: number): boolean {
    let worst: KnownAddress | undefined;
    for (const entry of this.#entries.values()) {
      if (!entry.isEvictable(now)) continue;
      if (worst === undefined || entry.isWorthLess(worst)) worst = entry;
    }
    return worst?.yieldsTo(source, now) === true && this.#entries.delete(worst.key);
  }
}
