// Gets the metadata from the peers that offer it: from one, and from more at once when those asked are late. Each
// delivers the whole or nothing: pieces of several peers are not put together, for one culprit would spoil the honest ones'.
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
  /** The same at the latest beat that saw a change, and when that was. */
  seen: number;
  seenAt: number;
}

export class MetadataSearch {
  readonly #onFound: (infoDict: Uint8Array) => void;
  readonly #tried = new Set<PeerHandle>();
  /** When those who were asked in vain last came to count as new although others were being asked. */
  #renewedAt = 0;
  /** Under way, by peer, in the order of asking. */
  readonly #attempts = new Map<PeerHandle, Attempt>();

  constructor(onFound: (infoDict: Uint8Array) => void) {
    this.#onFound = onFound;
  }

  /** Asks the next peer when nobody is being asked, or all who are asked are late. */
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
      for (const attempt of attempts) this.#remind(attempt, now);
      return;
    }
    if (attempts.length >= MAX_METADATA_FETCHES && !this.#makeRoom(attempts, now)) return;
    void this.#ask(next, now);
  }

  isAsking(peer: PeerConnection): boolean {
    return this.#attempts.has(peer.handle);
  }

  forget(peer: PeerConnection): void {
    this.#tried.delete(peer.handle);
    this.#attempts.delete(peer.handle);
  }

  /** @returns a peer that was not asked yet. When there is none, those asked in vain perhaps only were busy. */
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

  /** The one that gave least loses its place, so that a slow link still gets there by whoever gave most. */
  #makeRoom(attempts: readonly Attempt[], now: number): boolean {
    const [least] = attempts.toSorted((a, b) => a.received - b.received);
    if (least === undefined || now - least.since < METADATA_TIMEOUT_MS) return false;
    this.#attempts.delete(least.peer.handle);
    least.peer.wire.cancelMetadata();
    return true;
  }

  /** There is nobody else: what came is kept, and the rest asked for once more. */
  #remind(attempt: Attempt, now: number): void {
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
