// The peers that our DHT node stores for other nodes, by info hash: bounded, and dropped when they are not announced again. No few
// hosts fill it: where there is no room, a peer of the host with the most yields to one of a host with less. Pure: time and chance
// come in.
import { MAX_DHT_PEERS_PER_HASH, MAX_DHT_PEERS_PER_HOST, MAX_DHT_PEERS_PER_HOST_AND_HASH } from "./limits.ts";
import { present } from "../lib/assert.ts";
import { addressKey, type PeerAddress, writeCompact } from "../core/format/peer-address.ts";
import { HostShares } from "./host-shares.ts";

export interface PeerStoreOptions {
  /** Peers of all info hashes together. */
  readonly maxPeers: number;
  /** Milliseconds after which a peer that was not announced again is dropped. */
  readonly expiryMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

interface StoredPeer {
  readonly key: string;
  readonly infoHash: string;
  readonly host: string;
  readonly compact: Buffer;
  readonly expiresAt: number;
  /** Of this process: bounded by the files it shares, so it counts for no host and yields to none. */
  readonly isOwn: boolean;
  /** Its index in the list of its swarm. */
  index: number;
}

interface StoredSwarm {
  readonly list: StoredPeer[];
  /** Peers of other processes by host. */
  readonly hosts: Map<string, number>;
}

/** Info hashes are texts, all of one form; `now` is in milliseconds and never goes back. */
export class PeerStore {
  readonly #options: PeerStoreOptions;
  readonly #swarms = new Map<string, StoredSwarm>();
  readonly #shares = new HostShares<StoredPeer>();
  /** By info hash and address, in the order of expiry. */
  readonly #peers = new Map<string, StoredPeer>();

  constructor(options: PeerStoreOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#peers.size;
  }

  /** @returns false when an announce of `host` would be refused; a stored peer may always renew. */
  hasRoom(infoHash: string, host: string, now: number): boolean {
    this.#expire(now);
    const isKnown = (this.#swarms.get(infoHash)?.hosts.get(host) ?? 0) > 0;
    return isKnown || this.#yieldedTo(infoHash, host) !== undefined;
  }

  /** Stores or renews. @returns false when there is no room for it. */
  add(infoHash: string, peer: PeerAddress, now: number): boolean {
    this.#expire(now);
    const known = this.#peers.get(keyOf(infoHash, peer));
    const yielded = known === undefined ? this.#yieldedTo(infoHash, peer.host) : [];
    if (yielded === undefined) return false;
    for (const other of yielded) this.#remove(other);
    this.#put(infoHash, peer, now, known?.isOwn ?? false);
    return true;
  }

  /** Stores or renews a peer of this process, with or without room: the files it shares bound their number. */
  keep(infoHash: string, peer: PeerAddress, now: number): void {
    this.#put(infoHash, peer, now, true);
  }

  /** @returns up to `limit` compact addresses (six bytes each), chosen uniformly. */
  sample(infoHash: string, limit: number, now: number): Buffer[] {
    this.#expire(now);
    const list = this.#swarms.get(infoHash)?.list ?? [];
    const chosen: Buffer[] = [];
    for (let i = 0; i < Math.min(limit, list.length); i++) {
      const other = i + Math.floor(this.#options.random() * (list.length - i));
      const [here, there] = [present(list[i]), present(list[other])];
      list[i] = there;
      list[other] = here;
      [here.index, there.index] = [other, i];
      chosen.push(there.compact);
    }
    return chosen;
  }

  clear(): void {
    for (const table of [this.#peers, this.#swarms, this.#shares]) table.clear();
  }

  #put(infoHash: string, peer: PeerAddress, now: number, isOwn: boolean): void {
    const key = keyOf(infoHash, peer);
    const known = this.#peers.get(key);
    if (known !== undefined) this.#remove(known);
    const swarm: StoredSwarm = this.#swarms.get(infoHash) ?? { list: [], hosts: new Map() };
    this.#swarms.set(infoHash, swarm);
    const compact = Buffer.alloc(6);
    writeCompact(peer, compact, 0);
    const expiresAt = now + this.#options.expiryMs;
    const { host } = peer;
    const stored: StoredPeer = { key, infoHash, host, compact, expiresAt, isOwn, index: swarm.list.length };
    swarm.list.push(stored);
    this.#peers.set(key, stored);
    if (isOwn) return;
    count(swarm.hosts, host, 1);
    this.#shares.add(host, stored);
  }

  /** @returns the peer that yields to one more of `host`, none when there is room; undefined when the host is refused. */
  #yieldedTo(infoHash: string, host: string): readonly StoredPeer[] | undefined {
    const swarm = this.#swarms.get(infoHash);
    if ((swarm?.hosts.get(host) ?? 0) >= MAX_DHT_PEERS_PER_HOST_AND_HASH) return undefined;
    if (this.#shares.sizeOf(host) >= MAX_DHT_PEERS_PER_HOST) return undefined;
    const isFullSwarm = swarm !== undefined && swarm.list.length >= MAX_DHT_PEERS_PER_HASH;
    if (!isFullSwarm && this.#peers.size < this.#options.maxPeers) return [];
    const yielded = isFullSwarm ? yieldedIn(swarm, host) : this.#shares.yieldedTo(host);
    return yielded && [yielded];
  }

  #expire(now: number): void {
    for (const peer of this.#peers.values()) {
      if (peer.expiresAt > now) return;
      this.#remove(peer);
    }
  }

  #remove(peer: StoredPeer): void {
    this.#peers.delete(peer.key);
    const swarm = present(this.#swarms.get(peer.infoHash));
    const last = present(swarm.list.pop());
    if (last !== peer) {
      last.index = peer.index;
      swarm.list[peer.index] = last;
    }
    if (swarm.list.length === 0) this.#swarms.delete(peer.infoHash);
    if (peer.isOwn) return;
    count(swarm.hosts, peer.host, -1);
    this.#shares.remove(peer.host, peer);
  }
}

/** The same as HostShares.yieldedTo within one swarm, by a search: a table for each of 10,000 swarms takes more than it saves. */
function yieldedIn({ hosts, list }: StoredSwarm, host: string): StoredPeer | undefined {
  let largest: string | undefined;
  let most = (hosts.get(host) ?? 0) + 1;
  for (const [other, peers] of hosts) {
    if (peers > most) [largest, most] = [other, peers];
  }
  let oldest: StoredPeer | undefined;
  for (const peer of list) {
    const isOfLargest = peer.host === largest && !peer.isOwn;
    if (isOfLargest && (oldest === undefined || peer.expiresAt < oldest.expiresAt)) oldest = peer;
  }
  return oldest;
}

function keyOf(infoHash: string, peer: PeerAddress): string {
  return `${infoHash}@${addressKey(peer)}`;
}

function count(table: Map<string, number>, key: string, change: 1 | -1): void {
  const next = (table.get(key) ?? 0) + change;
  if (next > 0) table.set(key, next);
  else table.delete(key);
}
