// Keeps the peer book of a torrent in step with its connections: an address that a connection marks as connected is released when
// the connection ends, under whatever other addresses the peer is known as well.
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

  /** Foreign networks and our own address are left out; what the user named is always taken. */
  learn(address: PeerAddress, source: AddressSource): void {
    if (this.#policy.allows(address, isPinnedSource(source))) this.book.add(address, source, this.#now());
  }

  isBanned(peer: PeerConnection): boolean {
    return this.book.isBanned(addressToBan(peer), this.#now());
  }

  isPinned({ listenAddress }: PeerConnection): boolean {
    return listenAddress !== undefined && this.book.isPinned(listenAddress);
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
    for (const address of addressesOf(closed)) this.#add(peer, address);
  }

  /**
   * The peer has advertised its listen port. Only the first port of an incoming connection counts: no client moves while it is
   * connected, and each further one would be an entry of the book that is never released.
   * @returns false when the peer is banned there.
   */
  advertisedPort(peer: PeerConnection, port: number): boolean {
    if (peer.listenAddress !== undefined) return true;
    const address = { host: peer.remote.host, port };
    this.learn(address, "incoming");
    if (this.book.isBanned(address, this.#now())) return false;
    peer.listenAddress = address;
    this.book.connected(address, this.#now());
    return true;
  }

  /** The peer has advertised a whole address. It is not dialled there; it may be that of another host. */
  advertised(peer: PeerConnection, address: PeerAddress): void {
    this.learn(address, "exchange");
    this.#add(peer, address);
  }

  /** `wasAdmitted`: false for a connection that ended before its handshake was accepted. */
  ended(peer: PeerConnection, fault: PeerFault | undefined, wasAdmitted: boolean): void {
    const now = this.#now();
    if (wasAdmitted && fault === "hashMismatch") this.book.ban(addressToBan(peer), now);
    // The other connection of the same peer keeps the address.
    if (fault === "duplicateConnection") return;
    for (const address of addressesOf(peer)) {
      if (wasAdmitted) this.book.disconnected(address, now);
      else this.book.failed(address, now);
    }
  }

  #add(peer: PeerConnection, address: PeerAddress): void {
    const key = addressKey(address);
    if (!addressesOf(peer).some((known) => addressKey(known) === key)) {
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

function addressesOf({ listenAddress, otherAddresses }: PeerConnection): PeerAddress[] {
  return listenAddress === undefined ? otherAddresses : [listenAddress, ...otherAddresses];
}
