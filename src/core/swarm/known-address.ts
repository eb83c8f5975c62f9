// One address in a torrent's peer book: its state, its back-off and what it is worth in a full book.
import { addressKey, type PeerAddress } from "../format/peer-address.ts";
import { type AddressSource, isPinnedSource, rankOf } from "./address-source.ts";
import {
  BAN_MS,
  CLAIM_PATIENCE_MS,
  MAX_BAN_MS,
  PEER_EXPIRY_MS,
  PINNED_BAN_MS,
  REDIAL_MAX_MS,
  REDIAL_MIN_MS,
  REDIAL_OTHER_MIN_MS,
  REDIAL_PINNED_MAX_MS,
} from "./limits.ts";

export class KnownAddress {
  readonly address: PeerAddress;
  readonly key: string;
  source: AddressSource;
  state: "idle" | "dialing" | "connected" | "banned" = "idle";
  /** Consecutive dials that failed and connections that were short. */
  failures = 0;
  bans = 0;
  connectedAt = 0;
  /** When it was dialled last; 0: never. */
  dialledAt = 0;
  /** When a source last named it. */
  namedAt: number;
  /** When an idle address may be dialled, or a banned one may connect again. */
  #dueAt: number;
  /** A connected peer has stated that it listens there: until then it is believed. */
  #claimedUntil: number | undefined;

  constructor(address: PeerAddress, source: AddressSource, now: number) {
    this.address = address;
    this.key = addressKey(address);
    this.source = source;
    this.namedAt = now;
    this.#dueAt = now;
  }

  get isPinned(): boolean {
    return isPinnedSource(this.source);
  }

  get dueAt(): number {
    return this.#dueAt;
  }

  /** A claim keeps no pinned address from being dialled. */
  isDialable(now: number): boolean {
    if (!this.isPinned && this.#claimedUntil !== undefined && now < this.#claimedUntil) return false;
    return this.#isAtRest && this.#dueAt <= now && this.address.port !== 0;
  }

  /** A connected peer states that it listens there. Only the first claim counts: others could be renewed for ever. */
  claim(now: number): void {
    this.#claimedUntil ??= now + CLAIM_PATIENCE_MS;
  }

  /** The peer that claimed it has left. */
  release(now: number): void {
    if (this.#claimedUntil === undefined || this.state !== "idle") return;
    this.#claimedUntil = now;
    this.#dueAt = Math.max(this.#dueAt, now + REDIAL_OTHER_MIN_MS);
  }

  /** It was given up before, and is named again. */
  recall(failures: number, dueAt: number): void {
    this.failures = failures;
    this.#dueAt = dueAt;
  }

  /** Backed off or banned: a second report of the same end must not count twice. */
  isWaiting(now: number): boolean {
    return this.#isAtRest && this.#dueAt > now;
  }

  isBanned(now: number): boolean {
    return this.state === "banned" && this.#dueAt > now;
  }

  isEvictable(now: number): boolean {
    if (this.isPinned) return false;
    return this.state === "idle" || (this.state === "banned" && this.#dueAt <= now);
  }

  /** Whether it is evicted before `other` is. */
  isWorthLess(other: KnownAddress): boolean {
    if (this.failures !== other.failures) return this.failures > other.failures;
    const rank = rankOf(this.source);
    const otherRank = rankOf(other.source);
    return rank === otherRank ? this.namedAt < other.namedAt : rank < otherRank;
  }

  /** Whether an address that `source` names for the first time takes its entry in a full book. */
  yieldsTo(source: AddressSource, now: number): boolean {
    return this.failures > 0 || now - this.namedAt >= PEER_EXPIRY_MS || rankOf(this.source) < rankOf(source);
  }

  /** The user has named it: a ban and a back-off are lifted. */
  pin(source: AddressSource, now: number): void {
    this.source = source;
    this.failures = 0;
    if (this.state === "banned") this.state = "idle";
    if (this.state === "idle") this.#dueAt = now;
  }

  /** A dial failed, or a connection was short. */
  failed(now: number): void {
    this.failures++;
    this.#backOff(this.failures, now);
  }

  /** A connection that was long enough to clear the record has ended. */
  lost(now: number): void {
    this.failures = 0;
    this.#backOff(1, now);
  }

  /** A pinned address is not banned, it may be the only one: it waits. Each ban is twice as long as the one before. */
  ban(now: number): void {
    const [first, longest] = this.isPinned ? [PINNED_BAN_MS, BAN_MS] : [BAN_MS, MAX_BAN_MS];
    this.state = this.isPinned ? "idle" : "banned";
    this.#dueAt = now + Math.min(first * 2 ** this.bans, longest);
    this.bans++;
  }

  /** Doubled with every failure in a row. */
  #backOff(failures: number, now: number): void {
    const [first, longest] = this.isPinned
      ? [REDIAL_MIN_MS, REDIAL_PINNED_MAX_MS]
      : [REDIAL_OTHER_MIN_MS, REDIAL_MAX_MS];
    this.state = "idle";
    this.#dueAt = now + Math.min(first * 2 ** (failures - 1), longest);
  }

  get #isAtRest(): boolean {
    return this.state === "idle" || this.state === "banned";
  }
}
