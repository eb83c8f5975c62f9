// The peers that our DHT node stores for other nodes, by info hash: bounded so that neither one host nor one info hash
// fills the store, and dropped when they are not announced again. Pure: time and chance come in.
import {
  MAX_DHT_PEERS_PER_HASH,
  MAX_DHT_PEERS_PER_HOST,
  MAX_DHT_PEERS_PER_HOST_AND_HASH,
  MAX_DHT_STORED_HASHES,
} from "./limits.ts";
import { present } from "../lib/assert.ts";
import { addressKey, type PeerAddress, writeCompact } from "../core/format/peer-address.ts";

export interface PeerStoreOptions {
  /** Peers of all info hashes together. */
  readonly maxPeers: number;
  /** Milliseconds after which a peer that was not announced again is dropped. */
  readonly expiryMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

interface StoredPeer {
  readonly infoHash: string;
  readonly host: string;
  readonly compact: Buffer;
  readonly expiresAt: number;
  /** Its index in the list of its swarm. */
  index: number;
}

interface StoredSwarm {
  readonly list: StoredPeer[];
  /** Peers by host. */
  readonly hosts: Map<string, number>;
}

/** Info hashes are texts, all of one form; `now` is in milliseconds and never goes back. */
export class PeerStore {
  readonly #options: PeerStoreOptions;
  readonly #swarms = new Map<string, StoredSwarm>();
  readonly #hosts = new Map<string, number>();
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
    return (this.#swarms.get(infoHash)?.hosts.get(host) ?? 0) > 0 || this.#takesOneMore(infoHash, host);
  }

  /** Stores or renews. @returns false when there is no room for it. */
  add(infoHash: string, peer: PeerAddress, now: number): boolean {
    this.#expire(now);
    const isKnown = this.#peers.has(keyOf(infoHash, peer));
    if (!isKnown && !this.#takesOneMore(infoHash, peer.host)) return false;
    this.keep(infoHash, peer, now);
    return true;
  }

  /** Stores or renews a peer of this process, with or without room: the files it shares bound their number. */
  keep(infoHash: string, peer: PeerAddress, now: number): void {
    const key = keyOf(infoHash, peer);
    const known = this.#peers.get(key);
    if (known !== undefined) this.#remove(key, known);
    const swarm: StoredSwarm = this.#swarms.get(infoHash) ?? { list: [], hosts: new Map() };
    this.#swarms.set(infoHash, swarm);
    const compact = Buffer.alloc(6);
    writeCompact(peer, compact, 0);
    const expiresAt = now + this.#options.expiryMs;
    const stored = { infoHash, host: peer.host, compact, expiresAt, index: swarm.list.length };
    swarm.list.push(stored);
    this.#peers.set(key, stored);
    count(swarm.hosts, peer.host, 1);
    count(this.#hosts, peer.host, 1);
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
    for (const table of [this.#peers, this.#swarms, this.#hosts]) table.clear();
  }

  #takesOneMore(infoHash: string, host: string): boolean {
    const swarm = this.#swarms.get(infoHash);
    return (
      this.#peers.size < this.#options.maxPeers &&
      (swarm === undefined
        ? this.#swarms.size < MAX_DHT_STORED_HASHES
        : swarm.list.length < MAX_DHT_PEERS_PER_HASH) &&
      (swarm?.hosts.get(host) ?? 0) < MAX_DHT_PEERS_PER_HOST_AND_HASH &&
      (this.#hosts.get(host) ?? 0) < MAX_DHT_PEERS_PER_HOST
    );
  }

  #expire(now: number): void {
    for (const [key, peer] of this.#peers) {
      if (peer.expiresAt > now) return;
      this.#remove(key, peer);
    }
  }

  #remove(key: string, peer: StoredPeer): void {
    this.#peers.delete(key);
    count(this.#hosts, peer.host, -1);
    const swarm = present(this.#swarms.get(peer.infoHash));
    const last = present(swarm.list.pop());
    count(swarm.hosts, peer.host, -1);
    if (last !== peer) {
      last.index = peer.index;
      swarm.list[peer.index] = last;
    }
    if (swarm.list.length === 0) this.#swarms.delete(peer.infoHash);
  }
}

function keyOf(infoHash: string, peer: PeerAddress): string {
  return `${infoHash}@${addressKey(peer)}`;
}

function count(table: Map<string, number>, key: string, change: 1 | -1): void {
  const next = (table.get(key) ?? 0) + change;
  if (next > 0) table.set(key, next);
  else table.delete(key);
}
