// Who gives way when every use of a torrent is taken and somebody new comes: the peer that has been of no use for longest,
// and nobody who is of use. Knows what moved and who waits for whom; no sockets, no clock.
import type { PeerHandle } from "../torrent/ids.ts";
import { IDLE_PEER_MS, MAX_IDLE_HOSTS, IDLE_CHECK_MS, UNPROVEN_PEER_MS, UNUSED_SLOT_MS } from "./limits.ts";

/** What a transfer knows of a connected peer, as far as it tells of use (`PeerState`). */
export interface PeerActivity {
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

interface ConnectionUse {
  readonly host: string;
  /** Payload bytes, both ways, when it was last looked at. */
  moved: number;
  /** By the clock of looking: when a byte last moved, or the peer last waited for us. */
  usedAt: number;
  /** It has taken, given or wanted something since it came. */
  isProven: boolean;
  /** It had a slot and asked for nothing: its interest is not believed again before a byte has moved. */
  isInterestIgnored: boolean;
}

export class IdlePeers {
  readonly #uses = new Map<PeerHandle, ConnectionUse>();
  /** Where peers came from that left without having been of use, until one of the same host is. */
  readonly #idleHosts = new Set<string>();
  /** Goes on only while peers are looked at: nobody was idle while the process stood still or would not listen. */
  #time = 0;
  #lookedAt: number;

  constructor(now: number) {
    this.#lookedAt = now;
  }

  add(handle: PeerHandle, host: string): void {
    this.#uses.set(handle, { host, moved: 0, usedAt: this.#time, isProven: false, isInterestIgnored: false });
  }

  remove(handle: PeerHandle): void {
    const use = this.#uses.get(handle);
    this.#uses.delete(handle);
    if (use === undefined || use.isProven) return;
    this.#idleHosts.add(use.host);
    for (const oldest of this.#idleHosts) {
      if (this.#idleHosts.size <= MAX_IDLE_HOSTS) break;
      this.#idleHosts.delete(oldest);
    }
  }

  /** Whether it is time to look again; between two looks a peer may be of use unseen. */
  isDue(now: number): boolean {
    return now - this.#lookedAt >= IDLE_CHECK_MS;
  }

  /** `activityOf`: undefined for a peer that nothing can be traded with yet; it is of no use so far. */
  update(activityOf: (handle: PeerHandle) => PeerActivity | undefined, now: number): void {
    this.#time += Math.max(0, Math.min(now - this.#lookedAt, 2 * IDLE_CHECK_MS));
    this.#lookedAt = now;
    for (const [handle, use] of this.#uses) {
      const activity = activityOf(handle);
      if (activity === undefined) continue;
      judge(use, activity, this.#time);
      if (use.isProven) this.#idleHosts.delete(use.host);
    }
  }

  /**
   * Whose use a newcomer from `host` gets; to be asked right after a look. `isKept`: somebody who never gives way.
   * @returns undefined when everybody is of use, or has not had the time for it.
   */
  longestIdle(host: string, isKept: (handle: PeerHandle) => boolean): IdlePeer | undefined {
    let most: IdlePeer | undefined;
    for (const [handle, use] of this.#uses) {
      const overdueMs = this.#time - use.usedAt - this.#patienceMs(use, host);
      if (overdueMs < 0 || overdueMs <= (most?.overdueMs ?? -1) || isKept(handle)) continue;
      most = { handle, overdueMs };
    }
    return most;
  }

  #patienceMs({ host, isProven }: ConnectionUse, newcomer: string): number {
    if (isProven) return IDLE_PEER_MS;
    return this.#idleHosts.has(host) && !this.#idleHosts.has(newcomer) ? 0 : UNPROVEN_PEER_MS;
  }
}

function judge(use: ConnectionUse, activity: PeerActivity, time: number): void {
  const moved = activity.downloaded + activity.uploaded;
  const hasMoved = moved > use.moved;
  if (hasMoved || activity.peerInterested) use.isProven = true;
  if (hasMoved) {
    use.moved = moved;
    use.usedAt = time;
    use.isInterestIgnored = false;
  } else if (!activity.peerInterested) return;
  else if (!waitsForUs(activity)) use.isInterestIgnored ||= time - use.usedAt >= UNUSED_SLOT_MS;
  else if (!use.isInterestIgnored) use.usedAt = time;
}

/** It wants data and cannot have any before we unchoke it, or before the rate limit allows what it asked for. */
function waitsForUs({ amChoking, uploads, uploadInFlight }: PeerActivity): boolean {
  return amChoking || (uploads.length > 0 && uploadInFlight === 0);
}
