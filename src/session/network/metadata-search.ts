// Fetches the metadata from the peers that offer it: from one, and from more at once when those that are asked are late. Each
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

export class MetadataSearch {
  readonly #onFound: (infoDict: Uint8Array) => void;
  readonly #tried = new Set<PeerHandle>();
  /** When the peers that were asked in vain last became eligible again although others were being asked. */
  #renewedAt = 0;
  /** Under way, by peer, in the order of asking. */
  readonly #attempts = new Map<PeerHandle, Attempt>();

  constructor(onFound: (infoDict: Uint8Array) => void) {
    this.#onFound = onFound;
  }

  /** Asks the next peer when none is being asked, or all that are asked are late. */
  tick(peers: Iterable<PeerConnection>, now: number): void {
    const attempts = [...this.#attempts.values()];
    for (const attempt of attempts) {
      if (attempt.received === attempt.seen) continue;
      attempt.seen = attempt.received;
      attempt.seenAt = now;
    }
    if (attempts.some((attempt) => !isLate(attempt, now))) return;
    const next = this.#nextOf(peers, now);
    if (next === undefined) {
      for (const attempt of attempts) this.#repeat(attempt, now);
      return;
    }
    if (attempts.length >= MAX_METADATA_FETCHES && !this.#cancelSlowest(attempts, now)) return;
    void this.#ask(next, now);
  }

  isAsking(peer: PeerConnection): boolean {
    return this.#attempts.has(peer.handle);
  }

  forget(peer: PeerConnection): void {
    this.#tried.delete(peer.handle);
    this.#attempts.delete(peer.handle);
  }

  /** @returns a peer that was not asked yet. When there is none, those asked in vain may have been busy and become eligible. */
  #nextOf(peers: Iterable<PeerConnection>, now: number): PeerConnection | undefined {
    for (const peer of peers) {
      if (peer.wire.offeredMetadataLength !== undefined && !this.#tried.has(peer.handle)) return peer;
    }
    if (this.#attempts.size > 0 && now - this.#renewedAt < METADATA_TIMEOUT_MS) return undefined;
    this.#renewedAt = now;
    this.#tried.clear();
    for (const handle of this.#attempts.keys()) this.#tried.add(handle);
    return undefined;
  }

  /** Cancels the attempt that received least, so that a slow link still succeeds by the one that received most. */
  #cancelSlowest(attempts: readonly Attempt[], now: number): boolean {
    const [slowest] = attempts.toSorted((a, b) => a.received - b.received);
    if (slowest === undefined || now - slowest.since < METADATA_TIMEOUT_MS) return false;
    this.#attempts.delete(slowest.peer.handle);
    slowest.peer.wire.cancelMetadata();
    return true;
  }

  /** There is no other peer: what was received is kept, and the rest requested once more. */
  #repeat(attempt: Attempt, now: number): void {
    if (now - attempt.seenAt < METADATA_TIMEOUT_MS) return;
    attempt.seenAt = now;
    void attempt.peer.fetchMetadata();
  }

  async #ask(peer: PeerConnection, now: number): Promise<void> {
    this.#tried.add(peer.handle);
    const attempt: Attempt = { peer, since: now, received: 0, seen: 0, seenAt: now };
    this.#attempts.set(peer.handle, attempt);
    const infoDict = await peer.fetchMetadata((bytes) => (attempt.received += bytes));
    if (this.#attempts.get(peer.handle) === attempt) this.#attempts.delete(peer.handle);
    if (infoDict === undefined) return;
    for (const other of this.#attempts.values()) other.peer.wire.cancelMetadata();
    this.#attempts.clear();
    this.#onFound(infoDict);
  }
}

function isLate({ since, received }: Attempt, now: number): boolean {
  return received < (now - since - METADATA_PATIENCE_MS) * METADATA_MIN_BYTES_PER_MS;
}
