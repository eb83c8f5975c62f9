// The connected peers of one torrent: who is who, whose place goes to a newcomer, and where those who left can be found
// when their data proves wrong afterwards.
import type { PeerHandle, PeerId } from "../../core/torrent/ids.ts";
import { MAX_DISCONNECTED_PEERS } from "./limits.ts";
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import { unknownPortAt } from "../../core/swarm/peer-book.ts";
import { type PeerActivity, IdlePeers } from "../../core/swarm/idle-peers.ts";
import { monotonicMs } from "../clock.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";

/** A connected peer that would give way to a newcomer, and how many milliseconds ago its time was over. */
export interface IdleConnection {
  readonly peer: PeerConnection;
  readonly overdueMs: number;
}

/** What the transfer knows of a peer; undefined before there is one. */
export type ActivityOf = (handle: PeerHandle) => PeerActivity | undefined;

export class PeerTable {
  readonly #peers = new Map<PeerHandle, PeerConnection>();
  /** By host and id: whoever else says the id of somebody, which all his peers know, is not him. */
  readonly #identities = new Map<string, PeerConnection>();
  readonly #idlePeers = new IdlePeers(monotonicMs());
  /** Of those who left, the latest last. */
  readonly #disconnected = new Map<PeerHandle, PeerAddress>();

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

  /** @returns false when it was not among them. */
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

  /** It left, and nothing is held against it so far. */
  remember(peer: PeerConnection): void {
    this.#disconnected.set(peer.handle, addressToBan(peer));
    for (const oldest of this.#disconnected.keys()) {
      if (this.#disconnected.size <= MAX_DISCONNECTED_PEERS) break;
      this.#disconnected.delete(oldest);
    }
  }

  /** Whom to ban for what a peer gave before it left; once, and undefined when that was long ago. */
  takeDisconnected(handle: PeerHandle): PeerAddress | undefined {
    const address = this.#disconnected.get(handle);
    this.#disconnected.delete(handle);
    return address;
  }

  /** Who is known to listen there. */
  at(address: PeerAddress): PeerConnection[] {
    const key = addressKey(address);
    return [...this.#peers.values()].filter(
      ({ listenAddress }) => listenAddress !== undefined && addressKey(listenAddress) === key,
    );
  }

  /**
   * Two peers that dial each other at once keep the connection that the one with the smaller peer id opened.
   * @returns false when the connection that we have stays; otherwise it was closed, or there was none.
   */
  settleDuplicate(peer: PeerConnection, peerId: PeerId, ownId: PeerId): boolean {
    const other = this.#identities.get(identityOf(peer, peerId));
    if (other === undefined) return true;
    const preferred = ownId < peerId ? "outgoing" : "incoming";
    if (other.direction === peer.direction || other.direction === preferred) {
      other.listenAddress ??= peer.dialled;
      return false;
    }
    peer.listenAddress ??= other.listenAddress;
    other.close("duplicateConnection");
    return true;
  }

  tick(activityOf: ActivityOf, now: number): void {
    if (this.#idlePeers.isDue(now)) this.#idlePeers.update(activityOf, now);
  }

  /** Who gives way to this newcomer, if anybody does; `isKept`: somebody who never does. */
  idlest(
    newcomer: PeerConnection,
    activityOf: ActivityOf,
    isKept: (peer: PeerConnection) => boolean,
    now: number,
  ): IdleConnection | undefined {
    this.#idlePeers.update(activityOf, now);
    const most = this.#idlePeers.longestIdle(newcomer.remote.host, (handle) => {
      const peer = this.#peers.get(handle);
      return peer !== undefined && isKept(peer);
    });
    const peer = most && this.#peers.get(most.handle);
    return peer && most && { peer, overdueMs: most.overdueMs };
  }
}

function identityOf({ remote }: PeerConnection, peerId: PeerId): string {
  return `${remote.host} ${peerId}`;
}

/** What a ban of the peer is for: its own word on where else it can be reached may name somebody else. */
export function addressToBan({ listenAddress, remote }: PeerConnection): PeerAddress {
  return listenAddress ?? unknownPortAt(remote.host);
}
