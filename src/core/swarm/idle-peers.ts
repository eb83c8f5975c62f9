// Chooses the connection to close when a torrent is at its connection limit and another peer connects: the one that has been idle
// for longest, and never one in use. Knows what was transferred and who waits for a slot; no sockets, no clock.
import type { PeerHandle } from "../torrent/ids.ts";
import { IDLE_PEER_MS, MAX_IDLE_HOSTS, IDLE_CHECK_MS, UNPROVEN_PEER_MS, UNUSED_SLOT_MS } from "./limits.ts";

/** What a transfer knows of a connected peer, as far as it shows whether the peer is idle (`PeerState`). */
export interface PeerActivity {
  /** Payload bytes from the peer and to it since it joined. */
  readonly downloaded: number;
  readonly uploaded: number;
  readonly peerInterested: boolean;
  readonly amChoking: boolean;
  /** Its requests in our queue, and bytes queued for it that its socket has not taken. */
  readonly uploads: { readonly length: number };
  readonly uploadInFlight: number;
}

/** A peer that may be closed, and how many milliseconds ago its time to be active ended. */
export interface IdlePeer {
  readonly handle: PeerHandle;
  readonly overdueMs: number;
}

interface PeerRecord {
  readonly host: string;
  /** Payload bytes in both directions, at the last check. */
  transferred: number;
  /** On the clock of the checks: when the peer was last active, by a transfer or by waiting for a slot. */
  activeAt: number;
  /** It has been interested, or transferred a byte, since it joined. */
  isProven: boolean;
  /** It had a slot and requested nothing: its interest does not count until a byte is transferred. */
  isInterestIgnored: boolean;
}

export class IdlePeers {
  readonly #peers = new Map<PeerHandle, PeerRecord>();
  /** Hosts of peers that left unproven, until another peer of the same host is proven. */
  readonly #idleHosts = new Set<string>();
  /** Runs only from check to check: no peer is idle while the process stands still or does not read. */
  #time = 0;
  #checkedAt: number;

  constructor(now: number) {
    this.#checkedAt = now;
  }

  add(handle: PeerHandle, host: string): void {
    this.#peers.set(handle, {
      host,
      transferred: 0,
      activeAt: this.#time,
      isProven: false,
      isInterestIgnored: false,
    });
  }

  remove(handle: PeerHandle): void {
    const peer = this.#peers.get(handle);
    this.#peers.delete(handle);
    if (peer === undefined || peer.isProven) return;
    this.#idleHosts.add(peer.host);
    for (const oldest of this.#idleHosts) {
      if (this.#idleHosts.size <= MAX_IDLE_HOSTS) break;
      this.#idleHosts.delete(oldest);
    }
  }

  /** Whether the next check is due. Activity between two checks is seen by the second. */
  isDue(now: number): boolean {
    return now - this.#checkedAt >= IDLE_CHECK_MS;
  }

  /** A check. `activityOf`: undefined for a peer that cannot trade yet; it counts as idle. */
  update(activityOf: (handle: PeerHandle) => PeerActivity | undefined, now: number): void {
    this.#time += Math.max(0, Math.min(now - this.#checkedAt, 2 * IDLE_CHECK_MS));
    this.#checkedAt = now;
    for (const [handle, peer] of this.#peers) {
      const activity = activityOf(handle);
      if (activity === undefined) continue;
      updateRecord(peer, activity, this.#time);
      if (peer.isProven) this.#idleHosts.delete(peer.host);
    }
  }

  /**
   * The peer to close for one that connects from `host`, of the same or of one that holds more; to be called right after a check. `isExempt`: never to be closed.
   * @returns undefined when every peer is active, or has not had the time to be.
   */
  longestIdle(host: string, isExempt: (handle: PeerHandle) => boolean): IdlePeer | undefined {
    const held = Map.groupBy(this.#peers.values(), (peer) => peer.host);
    const heldOf = (each: string): number => held.get(each)?.length ?? 0;
    const least = heldOf(host) + 1;
    let longest: IdlePeer | undefined;
    for (const [handle, peer] of this.#peers) {
      // Or a host that connects again and again would take the slots of hosts that hold fewer.
      if (peer.host !== host && heldOf(peer.host) < least) continue;
      const overdueMs = this.#time - peer.activeAt - this.#patienceMs(peer, host);
      if (overdueMs < 0 || overdueMs <= (longest?.overdueMs ?? -1) || isExempt(handle)) continue;
      longest = { handle, overdueMs };
    }
    return longest;
  }

  #patienceMs({ host, isProven }: PeerRecord, incomingHost: string): number {
    if (isProven) return IDLE_PEER_MS;
    return this.#idleHosts.has(host) && !this.#idleHosts.has(incomingHost) ? 0 : UNPROVEN_PEER_MS;
  }
}

function updateRecord(peer: PeerRecord, activity: PeerActivity, time: number): void {
  const transferred = activity.downloaded + activity.uploaded;
  const hasTransferred = transferred > peer.transferred;
  if (hasTransferred || activity.peerInterested) peer.isProven = true;
  if (hasTransferred) {
    peer.transferred = transferred;
    peer.activeAt = time;
    peer.isInterestIgnored = false;
  } else if (!activity.peerInterested) return;
  else if (!waitsForUs(activity)) peer.isInterestIgnored ||= time - peer.activeAt >= UNUSED_SLOT_MS;
  else if (!peer.isInterestIgnored) peer.activeAt = time;
}

/** The peer wants data and gets none before we unchoke it, or before the rate limit allows what it requested. */
function waitsForUs({ amChoking, uploads, uploadInFlight }: PeerActivity): boolean {
  return amChoking || (uploads.length > 0 && uploadInFlight === 0);
}
