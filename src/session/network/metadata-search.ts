// Fetches the metadata from the peers that offer it: from one, pinned ones first, and from more at once after a while. Each
// delivers the whole or nothing: pieces of several peers are not combined, for one culprit would spoil those of the others.
import type { PeerHandle } from "../../core/torrent/ids.ts";
import {
  MAX_METADATA_FETCHES,
  METADATA_MIN_BYTES_PER_MS,
  METADATA_PATIENCE_MS,
  METADATA_TIMEOUT_MS,
} from "./limits.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";

interface Attempt {
  readonly peer: PeerConnection;
  readonly since: number;
  /** Bytes. */
  received: number;
  /** The same at the latest tick that saw a change, and when that was. */
  seen: number;
  seenAt: number;
}

export interface MetadataSearchOptions {
  readonly onFound: (infoDict: Uint8Array) => void;
  /** The user named the peer. */
  readonly isPinned: (peer: PeerConnection) => boolean;
}

export class MetadataSearch {
  readonly #options: MetadataSearchOptions;
  readonly #tried = new Set<PeerHandle>();
  /** When the peers that were asked in vain last became eligible again although others were being asked. */
  #renewedAt = 0;
  /** Under way, by peer, in the order of asking. */
  readonly #attempts = new Map<PeerHandle, Attempt>();
  /** The peer that delivered it, or a later one of its host. */
  #giver: PeerConnection | undefined;
  #giverHost: string | undefined;
  #received = 0;

  constructor(options: MetadataSearchOptions) {
    this.#options = options;
  }

  /**
   * Asks the next peer when none is being asked, when all that are asked are late, or when the last was asked METADATA_TIMEOUT_MS
   * ago, however fast it sends: it may send what is of no use. A pinned peer does not wait for others.
   */
  tick(peers: Iterable<PeerConnection>, now: number): void {
    const attempts = [...this.#attempts.values()];
    for (const attempt of attempts) {
      if (attempt.received === attempt.seen) continue;
      attempt.seen = attempt.received;
      attempt.seenAt = now;
    }
    const next = this.#nextOf(peers);
    const isUrgent = next !== undefined && this.#options.isPinned(next) && !this.#isAskingPinned(attempts);
    const isInTime = attempts.some((attempt) => !isLate(attempt, now));
    if (isInTime && !isUrgent && now - (attempts.at(-1)?.since ?? now) < METADATA_TIMEOUT_MS) return;
    if (next === undefined) {
      this.#renew(now);
      for (const attempt of attempts) this.#repeat(attempt, now);
      return;
    }
    if (attempts.length >= MAX_METADATA_FETCHES && !this.#cancelSlowest(attempts, now, isUrgent)) return;
    void this.#ask(next, now);
  }

  /** Bytes of metadata from all peers so far, whatever came of them. */
  get received(): number {
    return this.#received;
  }

  /** It is being asked, or has delivered the metadata, or is the first of that host to come back. */
  isGiver(peer: PeerConnection): boolean {
    if (this.#attempts.has(peer.handle) || this.#giver === peer) return true;
    return this.#giver === undefined && this.#giverHost === peer.remote.host;
  }

  joined(peer: PeerConnection): void {
    if (this.isGiver(peer)) this.#giver = peer;
  }

  forget(peer: PeerConnection): void {
    this.#tried.delete(peer.handle);
    this.#attempts.delete(peer.handle);
    if (this.#giver === peer) this.#giver = undefined;
  }

  /** @returns a peer that was not asked yet, a pinned one first. */
  #nextOf(peers: Iterable<PeerConnection>): PeerConnection | undefined {
    let next: PeerConnection | undefined;
    for (const peer of peers) {
      if (peer.wire.offeredMetadataLength === undefined || this.#tried.has(peer.handle)) continue;
      if (this.#options.isPinned(peer)) return peer;
      next ??= peer;
    }
    return next;
  }

  /** There is no other peer: those asked in vain may have been busy and become eligible. */
  #renew(now: number): void {
    if (this.#attempts.size > 0 && now - this.#renewedAt < METADATA_TIMEOUT_MS) return;
    this.#renewedAt = now;
    this.#tried.clear();
    for (const handle of this.#attempts.keys()) this.#tried.add(handle);
  }

  #isAskingPinned(attempts: readonly Attempt[]): boolean {
    return attempts.some(({ peer }) => this.#options.isPinned(peer));
  }

  /**
   * Cancels the attempt that received least, so that a slow link still succeeds by the one that received most; of a pinned peer
   * last. For a pinned peer at once.
   */
  #cancelSlowest(attempts: readonly Attempt[], now: number, isUrgent: boolean): boolean {
    const unpinned = attempts.filter(({ peer }) => !this.#options.isPinned(peer));
    const [slowest] = (unpinned.length > 0 ? unpinned : attempts).toSorted((a, b) => a.received - b.received);
    if (slowest === undefined || (!isUrgent && now - slowest.since < METADATA_TIMEOUT_MS)) return false;
    this.#attempts.delete(slowest.peer.handle);
    slowest.peer.wire.cancelMetadata();
    return true;
  }

  /** What was received is kept, and the rest requested once more. */
  #repeat(attempt: Attempt, now: number): void {
    if (now - attempt.seenAt < METADATA_TIMEOUT_MS) return;
    attempt.seenAt = now;
    void attempt.peer.fetchMetadata();
  }

  async #ask(peer: PeerConnection, now: number): Promise<void> {
    this.#tried.add(peer.handle);
    const attempt: Attempt = { peer, since: now, received: 0, seen: 0, seenAt: now };
    this.#attempts.set(peer.handle, attempt);
    const infoDict = await peer.fetchMetadata((bytes) => {
      attempt.received += bytes;
      this.#received += bytes;
    });
    if (this.#attempts.get(peer.handle) === attempt) this.#attempts.delete(peer.handle);
    if (infoDict === undefined) return;
    for (const other of this.#attempts.values()) other.peer.wire.cancelMetadata();
    this.#attempts.clear();
    this.#giver = peer;
    this.#giverHost = peer.remote.host;
    this.#options.onFound(infoDict);
  }
}

function isLate({ since, received }: Attempt, now: number): boolean {
  return received < (now - since - METADATA_PATIENCE_MS) * METADATA_MIN_BYTES_PER_MS;
}
