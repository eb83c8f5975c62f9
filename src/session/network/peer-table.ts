// The connected peers of one torrent: by handle, by identity and by address, which of them is idle for longest, and the addresses of
// those that left, for a ban when their data proves wrong afterwards.
import type { PeerHandle, PeerId } from "../../core/torrent/ids.ts";
import { MAX_DISCONNECTED_PEERS } from "./limits.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import { type PeerActivity, IdlePeers } from "../../core/swarm/idle-peers.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";
import { addressToBan } from "./connection-addresses.ts";
import type { IdleConnection } from "./connection-budget.ts";

/** What the transfer knows of a peer; undefined before there is a transfer. */
export type ActivityOf = (handle: PeerHandle) => PeerActivity | undefined;

export interface Duplicate {
  readonly present: PeerConnection;
  readonly stays: boolean;
}

export class PeerTable {
  readonly #peers = new Map<PeerHandle, PeerConnection>();
  /** By host and peer id: every peer knows the ids of its peers, so a connection from elsewhere with the same id is another peer. */
  readonly #identities = new Map<string, PeerConnection>();
  readonly #idlePeers: IdlePeers;
  /** Addresses of peers that left, the latest last. */
  readonly #disconnected = new Map<PeerHandle, PeerAddress>();

  constructor(now: number) {
    this.#idlePeers = new IdlePeers(now);
  }

  get size(): number {
    return this.#peers.size;
  }

  get(handle: PeerHandle): PeerConnection | undefined {
    return this.#peers.get(handle);
  }

  values(): MapIterator<PeerConnection> {
    return this.#peers.values();
  }

  add(peer: PeerConnection, peerId: PeerId): void {
    this.#peers.set(peer.handle, peer);
    this.#identities.set(identityOf(peer, peerId), peer);
    this.#idlePeers.add(peer.handle, peer.remote.host);
  }

  /** @returns false when the peer was not in the table. */
  remove(peer: PeerConnection): boolean {
    const { handle, peerId } = peer;
    if (!this.#peers.delete(handle)) return false;
    if (peerId !== undefined) {
      const identity = identityOf(peer, peerId);
      if (this.#identities.get(identity) === peer) this.#identities.delete(identity);
    }
    this.#idlePeers.remove(handle);
    return true;
  }

  /** The peer left without a known fault. */
  rememberDisconnected(peer: PeerConnection): void {
    this.#disconnected.set(peer.handle, addressToBan(peer));
    for (const oldest of this.#disconnected.keys()) {
      if (this.#disconnected.size <= MAX_DISCONNECTED_PEERS) break;
      this.#disconnected.delete(oldest);
    }
  }

  /** The address to ban for what a peer sent before it left; once, and undefined when that was long ago. */
  takeDisconnected(handle: PeerHandle): PeerAddress | undefined {
    const address = this.#disconnected.get(handle);
    this.#disconnected.delete(handle);
    return address;
  }

  /** The peers that are known to listen there. */
  at(address: PeerAddress): PeerConnection[] {
    const key = addressKey(address);
    return [...this.#peers.values()].filter(
      ({ listenAddress }) => listenAddress !== undefined && addressKey(listenAddress) === key,
    );
  }

  /**
   * Two peers that dial each other at once keep the connection that the one with the smaller peer id opened.
   * @returns the present connection with the same peer, and whether it stays; undefined when there is none.
   */
  duplicateOf(peer: PeerConnection, peerId: PeerId, ownId: PeerId): Duplicate | undefined {
    const present = this.#identities.get(identityOf(peer, peerId));
    if (present === undefined) return undefined;
    const preferred = ownId < peerId ? "outgoing" : "incoming";
    return {
      present,
      stays: present.direction === peer.direction || present.direction === preferred,
    };
  }

  tick(activityOf: ActivityOf, now: number): void {
    if (this.#idlePeers.isDue(now)) this.#idlePeers.update(activityOf, now);
  }

  /** The peer to close for this incoming one, if any; never one for which `isExempt` holds. */
  longestIdle(
    incoming: PeerConnection,
    activityOf: ActivityOf,
    isExempt: (peer: PeerConnection) => boolean,
    now: number,
  ): IdleConnection | undefined {
    this.#idlePeers.update(activityOf, now);
    const idle = this.#idlePeers.longestIdle(incoming.remote.host, (handle) => {
      const peer = this.#peers.get(handle);
      return peer !== undefined && isExempt(peer);
    });
    const peer = idle && this.#peers.get(idle.handle);
    return peer && idle && { peer, overdueMs: idle.overdueMs };
  }
}

function identityOf({ remote }: PeerConnection, peerId: PeerId): string {
  return `${remote.host} ${peerId}`;
}
