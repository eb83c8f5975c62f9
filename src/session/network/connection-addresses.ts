// Keeps the peer book of a torrent in step with its connections. An address counts as connected when our own dial to it has reached
// the peer; what a peer states of itself is a claim, which is dialled later. Both are released when the connection ends.
import { addressKey, type PeerAddress } from "../../core/format/peer-address.ts";
import type { AddressPolicy } from "../../core/swarm/address-policy.ts";
import { type AddressSource, isPinnedSource } from "../../core/swarm/address-source.ts";
import { PeerBook, unknownPortAt } from "../../core/swarm/peer-book.ts";
import type { PeerFault } from "../../core/torrent/peer-message.ts";
import type { PeerConnection } from "../peer/peer-connection.ts";
import { MAX_OTHER_ADDRESSES } from "./limits.ts";

export class ConnectionAddresses {
  readonly book = new PeerBook();
  readonly #policy: Pick<AddressPolicy, "allows">;
  readonly #now: () => number;

  constructor(policy: Pick<AddressPolicy, "allows">, now: () => number) {
    this.#policy = policy;
    this.#now = now;
  }

  /** Addresses that the policy refuses and our own are left out; what the user named is always taken. */
  learn(address: PeerAddress, source: AddressSource, namer?: string): void {
    if (this.#policy.allows(address, isPinnedSource(source)))
      this.book.add(address, source, this.#now(), namer);
  }

  isBanned(peer: PeerConnection): boolean {
    return this.book.isBanned(addressToBan(peer), this.#now());
  }

  /** Our dial to an address that the user named has reached the peer. */
  isPinned(peer: PeerConnection): boolean {
    return reachedAddresses(peer).some((address) => this.book.isPinned(address));
  }

  /** How the peer was found: by the source of the address that we dialled, or by its own dial. */
  sourceOf({ dialled }: PeerConnection): AddressSource {
    return (dialled && this.book.sourceOf(dialled)) ?? "incoming";
  }

  /** The handshake is done and the peer is admitted. */
  admitted({ dialled }: PeerConnection): void {
    if (dialled !== undefined) this.book.connected(dialled, this.#now());
  }

  /** We dialled `address` and reached a peer that is connected already. */
  reachedAgain(peer: PeerConnection, address: PeerAddress): void {
    peer.listenAddress ??= address;
    this.#add(peer, address);
  }

  /** `peer` replaces `closed`, another connection of the same peer. */
  replaced(closed: PeerConnection, peer: PeerConnection): void {
    peer.listenAddress ??= closed.listenAddress;
    for (const address of reachedAddresses(closed)) this.#add(peer, address);
  }

  /**
   * The peer has advertised its listen port. A connection has one: the one before is given back. Where we have dialled, the port
   * is known.
   * @returns false when the peer is banned there.
   */
  advertisedPort(peer: PeerConnection, port: number): boolean {
    const { dialled, listenAddress } = peer;
    if (dialled !== undefined || listenAddress?.port === port) return true;
    const address = { host: peer.remote.host, port };
    const now = this.#now();
    if (listenAddress !== undefined) this.book.released(listenAddress, now, true);
    this.learn(address, "incoming");
    if (this.book.isBanned(address, now)) return false;
    peer.listenAddress = address;
    this.book.claimed(address, now);
    return true;
  }

  /** The peer has advertised a whole address: perhaps that of another host. */
  advertised(peer: PeerConnection, address: PeerAddress): void {
    this.learn(address, "exchange", peer.remote.host);
    if (this.book.sourceOf(address) === "exchange") this.book.claimed(address, this.#now());
  }

  /** `wasAdmitted`: false for a connection that ended before its handshake was accepted. */
  ended(peer: PeerConnection, fault: PeerFault | undefined, wasAdmitted: boolean): void {
    const now = this.#now();
    if (wasAdmitted && fault === "hashMismatch") this.book.ban(addressToBan(peer), now);
    // The other connection of the same peer keeps the address.
    if (fault === "duplicateConnection") return;
    for (const address of reachedAddresses(peer)) {
      if (wasAdmitted) this.book.disconnected(address, now);
      else this.book.failed(address, now);
    }
    if (peer.listenAddress !== undefined) this.book.released(peer.listenAddress, now, false);
  }

  #add(peer: PeerConnection, address: PeerAddress): void {
    const key = addressKey(address);
    if (!reachedAddresses(peer).some((known) => addressKey(known) === key)) {
      if (peer.otherAddresses.length >= MAX_OTHER_ADDRESSES) return this.book.failed(address, this.#now());
      peer.otherAddresses.push(address);
    }
    this.book.connected(address, this.#now());
  }
}

/** Never an address that a peer advertises as a whole: it may be that of another host. */
export function addressToBan({ listenAddress, remote }: PeerConnection): PeerAddress {
  return listenAddress ?? unknownPortAt(remote.host);
}

/** Where our dials have reached the peer. */
function reachedAddresses({ dialled, otherAddresses }: PeerConnection): PeerAddress[] {
  return dialled === undefined ? otherAddresses : [dialled, ...otherAddresses];
}
