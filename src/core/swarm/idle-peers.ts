// Who gives way when every place of a torrent is taken and somebody new comes: the peer that has been of no use for longest,
// and nobody who is of use. Knows what moved and who waits for whom; no sockets, no clock.
import type { PeerHandle } from "../torrent/ids.ts";
import {
  IDLE_PLACE_MS,
  MAX_IDLE_HOSTS,
  PLACE_CHECK_MS,
  UNPROVEN_PLACE_MS,
  UNUSED_SLOT_MS,
} from "./limits.ts";

/** What a transfer knows of a connected peer, as far as it tells of use (`PeerState`). */
export interface PlaceHolder {
  /** Payload bytes from the peer and to it since it joined. */
  readonly downloaded: number;
  readonly uploaded: number;
  readonly peerInterested: boolean;
  readonly amChoking: boolean;
  /** Its requests that wait for us, and bytes ordered for it that its socket has not taken. */
  readonly uploads: { readonly length: number };
  readonly uploadInFlight: number;
}

/** A peer that may give way, and how many milliseconds ago its time was over. */
export interface IdlePeer {
  readonly handle: PeerHandle;
  readonly overdueMs: number;
}

interface Place {
  readonly host: string;
  /** Payload bytes, both ways, when it was last looked at. */
  moved: number;
  /** By the clock of looking: when a byte last moved, or the peer last waited for us. */
  usedAt: number;
  /** It has taken, given or wanted something since it came. */
  isProven: boolean;
  /** It had a slot and asked for nothing: its interest is not believed again before a byte has moved. */
  isDoubted: boolean;
}

export class Places {
  readonly #places = new Map<PeerHandle, Place>();
  /** Where peers came from that left without having been of use, until one of the same host is. */
  readonly #idleHosts = new Set<string>();
  /** Goes on only while peers are looked at: nobody was idle while the process stood still or would not listen. */
  #time = 0;
  #lookedAt: number;

  constructor(now: number) {
    this.#lookedAt = now;
  }

  take(handle: PeerHandle, host: string): void {
    this.#places.set(handle, { host, moved: 0, usedAt: this.#time, isProven: false, isDoubted: false });
  }

  leave(handle: PeerHandle): void {
    const place = this.#places.get(handle);
    this.#places.delete(handle);
    if (place === undefined || place.isProven) return;
    this.#idleHosts.add(place.host);
    for (const oldest of this.#idleHosts) {
      if (this.#idleHosts.size <= MAX_IDLE_HOSTS) break;
      this.#idleHosts.delete(oldest);
    }
  }

  /** Whether it is time to look again; between two looks a peer may be of use unseen. */
  isDue(now: number): boolean {
    return now - this.#lookedAt >= PLACE_CHECK_MS;
  }

  /** `holderOf`: undefined for a peer that nothing can be traded with yet; it is of no use so far. */
  look(holderOf: (handle: PeerHandle) => PlaceHolder | undefined, now: number): void {
    this.#time += Math.max(0, Math.min(now - this.#lookedAt, 2 * PLACE_CHECK_MS));
    this.#lookedAt = now;
    for (const [handle, place] of this.#places) {
      const holder = holderOf(handle);
      if (holder === undefined) continue;
      judge(place, holder, this.#time);
      if (place.isProven) this.#idleHosts.delete(place.host);
    }
  }

  /**
   * Whose place a newcomer from `host` gets; to be asked right after a look. `isKept`: somebody who never gives way.
   * @returns undefined when everybody is of use, or has not had the time for it.
   */
  mostOverdue(host: string, isKept: (handle: PeerHandle) => boolean): IdlePeer | undefined {
    let most: IdlePeer | undefined;
    for (const [handle, place] of this.#places) {
      const overdueMs = this.#time - place.usedAt - this.#patienceMs(place, host);
      if (overdueMs < 0 || overdueMs <= (most?.overdueMs ?? -1) || isKept(handle)) continue;
      most = { handle, overdueMs };
    }
    return most;
  }

  #patienceMs({ host, isProven }: Place, newcomer: string): number {
    if (isProven) return IDLE_PLACE_MS;
    return this.#idleHosts.has(host) && !this.#idleHosts.has(newcomer) ? 0 : UNPROVEN_PLACE_MS;
  }
}

function judge(place: Place, holder: PlaceHolder, time: number): void {
  const moved = holder.downloaded + holder.uploaded;
  const hasMoved = moved > place.moved;
  if (hasMoved || holder.peerInterested) place.isProven = true;
  if (hasMoved) {
    place.moved = moved;
    place.usedAt = time;
    place.isDoubted = false;
  } else if (!holder.peerInterested) return;
  else if (!waitsForUs(holder)) place.isDoubted ||= time - place.usedAt >= UNUSED_SLOT_MS;
  else if (!place.isDoubted) place.usedAt = time;
}

/** It wants data and cannot have any before we unchoke it, or before the rate limit allows what it asked for. */
function waitsForUs({ amChoking, uploads, uploadInFlight }: PlaceHolder): boolean {
  return amChoking || (uploads.length > 0 && uploadInFlight === 0);
}
