// The library's DHT node with bounds: replies of bounded size, peers in a bounded store, tokens for one info hash each, walks
// that no host takes over, and a routing table of verified nodes. The library alone answers with every peer it knows, drops peers in a flood of announces,
// and puts the sender of any query into its routing table.
/* oxlint-disable no-underscore-dangle -- the library names its inner members so; the version is exact for this reason */
import LibraryDht, {
  type DhtOptions,
  type KrpcMessage,
  type KrpcPeer,
  type KrpcQuery,
  type KrpcReply,
} from "bittorrent-dht";
import {
  DHT_JOIN_DELAY_MS,
  DHT_K,
  DHT_REPLY_NODES,
  MAX_DHT_REPLY_PEERS,
  MAX_NODES_CONSIDERED,
} from "./limits.ts";
import type { PeerAddress } from "../core/format/peer-address.ts";
import { toHex } from "../lib/bytes.ts";
import type { Clock } from "../lib/clock.ts";
import { AnnounceTokens } from "./announce-tokens.ts";
import { freeTransactionId } from "./transaction-ids.ts";
import { type UnverifiedNode, UnverifiedNodes } from "./unverified-nodes.ts";
import { PeerStore } from "./peer-store.ts";
import { PinnedNodes } from "./pinned-nodes.ts";
import { mayEnter, nearestNodes } from "./routing-rules.ts";
import { readWalkReply, Walk, type WalkNode } from "./walk.ts";

const SECRET_LENGTH = 20;
/** BEP 5: "Server Error" and "Protocol Error". */
const SERVER_ERROR = 202;
const PROTOCOL_ERROR = 203;

export interface CappedNodeOptions extends DhtOptions {
  readonly clock: Clock;
}

interface Answer {
  readonly reply: KrpcReply;
  readonly from: KrpcPeer;
}

export class CappedNode extends LibraryDht {
  readonly #clock: Clock;
  readonly #store: PeerStore;
  readonly #tokens: AnnounceTokens;
  readonly #pinned: PinnedNodes;
  readonly #unverified = new UnverifiedNodes(
    (node, done) => (this.#isVerified(node) ? done() : this.#ping(node.address, done)),
    (milliseconds, run) => this.#later(milliseconds, run),
  );
  /** Cancels each timer that is set. */
  readonly #timers = new Set<() => void>();

  constructor({ clock, ...options }: CappedNodeOptions) {
    // Without an age the library's own store, which is replaced here, sets no timer.
    super({ ...options, maxAge: 0 });
    const store = new PeerStore({
      maxPeers: options.maxPeers,
      expiryMs: options.maxAge,
      random: () => clock.random(),
    });
    this.#clock = clock;
    this.#tokens = new AnnounceTokens(clock.randomBytes(SECRET_LENGTH));
    this.#pinned = new PinnedNodes(options.bootstrap);
    this.#store = store;
    this._peers.destroy();
    this._peers = {
      get: (infoHash, count) => store.sample(infoHash, count, clock.now()),
      // Only our own announce comes this way.
      add: (infoHash, compact) => store.keep(infoHash, addressOf(compact), clock.now()),
      destroy: () => store.clear(),
    };
    const addNode = this._rpc._addNode.bind(this._rpc);
    this._rpc._addNode = (node) => {
      if (mayEnter(this.nodes, this.nodeId, node)) addNode(node);
    };
    // The library takes the number after the last id, and starts again after 65535.
    const { socket } = this._rpc;
    Object.defineProperty(socket, "_tick", {
      get: () => freeTransactionId(socket._ids, (length) => clock.randomBytes(length)) - 1,
      set: () => {},
    });
    // The library's listener puts the sender of every query into the routing table.
    socket.removeAllListeners("query");
    socket.on("query", (query, peer) => {
      this._onquery(query, peer);
      this.#noteSender(query, peer);
    });
  }

  /** A node in the routing table has this address. */
  knows({ host, port }: PeerAddress): boolean {
    return this.nodes.toArray().some((known) => known.host === host && known.port === port);
  }

  /** A node that another one named: pinged at once when the table needs nodes, else after DHT_PING_DELAY_MS. */
  addCandidate(address: PeerAddress): void {
    this.#note({ address, id: undefined });
  }

  /** The walk to our own id, and what the library does when its table has not changed for long. */
  override _bootstrap(isWanted: boolean): void {
    const { id } = this._rpc;
    if (isWanted)
      this.#later(DHT_JOIN_DELAY_MS, () =>
        this._closest(id, { q: "find_node", a: { id, target: id } }, null, () => {}),
      );
  }

  /** The library's walk asks the nearest nodes alone, whichever hosts they are of. */
  override _closest(
    target: Buffer,
    message: KrpcMessage,
    onReply: ((reply: KrpcReply, from: KrpcPeer) => boolean) | null,
    callback: (error: Error | null, nodes: number) => void,
  ): void {
    const walk = new Walk({
      target,
      ownId: this._rpc.id,
      known: this._rpc.nodes.closest(target, MAX_NODES_CONSIDERED),
      ...this.#pinned.choose(target, this.nodes.count() < DHT_K),
    });
    let hasEnded = false;
    const step = () => {
      if (this.destroyed || hasEnded) return;
      for (const node of walk.next()) {
        this.#ask(node, message, (answer) => {
          if (answer === undefined) walk.failed(node);
          else {
            walk.answered(node, readWalkReply(answer.reply.r));
            if (onReply?.(answer.reply, answer.from) === false) walk.stop();
          }
          step();
        });
      }
      if (!walk.isOver) return;
      hasEnded = true;
      const { tokenNodes } = walk;
      this._tables.set(toHex(target), { closest: () => tokenNodes });
      queueMicrotask(() => callback(null, walk.answers));
    };
    step();
  }

  override destroy(callback: () => void): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    super.destroy(callback);
  }

  override _onfindnode(query: KrpcQuery, peer: KrpcPeer): void {
    const target = query.a.target;
    if (target === undefined) return;
    this._rpc.response(peer, query, { id: this._rpc.id }, nearestNodes(this.nodes, target, DHT_K));
  }

  /**
   * Random peers and nodes beside them, where the library gives peers alone: a walk must not end at the first node that
   * knows peers. Without room for the sender no token: it announces itself at the next nearest nodes instead.
   */
  override _ongetpeers(query: KrpcQuery, peer: KrpcPeer): void {
    const infoHash = query.a.info_hash;
    if (infoHash === undefined) return;
    const now = this.#clock.now();
    const key = toHex(infoHash);
    const hasRoom = this.#store.hasRoom(key, peer.address, now);
    const values = this.#store.sample(key, MAX_DHT_REPLY_PEERS, now);
    const nodes = nearestNodes(this.nodes, infoHash, values.length > 0 ? DHT_REPLY_NODES : DHT_K);
    const reply = {
      id: this._rpc.id,
      ...(hasRoom ? { token: this.tokenFor(peer.address, infoHash) } : {}),
      ...(values.length > 0 ? { values } : {}),
    };
    this._rpc.response(peer, query, reply, nodes);
  }

  override _onannouncepeer(query: KrpcQuery, peer: KrpcPeer): void {
    const { info_hash: infoHash, token, port: named, implied_port: implied } = query.a;
    const port = implied === undefined || implied === 0 ? named : peer.port;
    if (infoHash === undefined || token === undefined || port === undefined) return;
    if (!this.isToken(token, peer.address, infoHash)) {
      this._rpc.error(peer, query, [PROTOCOL_ERROR, "bad token"]);
      return;
    }
    const announced = { host: peer.address, port };
    if (!this.#store.add(toHex(infoHash), announced, this.#clock.now())) {
      this._rpc.error(peer, query, [SERVER_ERROR, "no room"]);
      return;
    }
    this.emit("announce", announced, infoHash);
    this._rpc.response(peer, query, { id: this._rpc.id });
  }

  /** The token with which `host` may announce itself here under `infoHash` (20 bytes). */
  tokenFor(host: string, infoHash: Uint8Array): Buffer {
    return this.#tokens.make(host, infoHash, this.#clock.now());
  }

  isToken(token: Uint8Array, host: string, infoHash: Uint8Array): boolean {
    return this.#tokens.isValid(token, host, infoHash, this.#clock.now());
  }

  /** `done` gets nothing when the node is silent, has an error or answers under another id. */
  #ask(node: WalkNode, message: KrpcMessage, done: (answer: Answer | undefined) => void): void {
    this._rpc.query(node, message, (error, reply, from) => {
      const hasAnswered = error === null && reply?.r !== undefined;
      this.#pinned.heard(node, hasAnswered);
      if (hasAnswered) return done({ reply, from });
      // By address too: another node may name a good node's id beside an address where none answers.
      const known = node.id && this.nodes.get(node.id);
      const isLost = error?.code === "ETIMEDOUT" || error?.code === "EUNEXPECTEDNODE";
      if (isLost && known && known.host === node.host && known.port === node.port) this.removeNode(known.id);
      done(undefined);
    });
  }

  /** A read-only node (BEP 43) is not queried. */
  #noteSender(query: KrpcQuery, { address: host, port }: KrpcPeer): void {
    const isReadOnly = query.ro !== undefined && query.ro !== 0;
    if (!isReadOnly) this.#note({ address: { host, port }, id: query.a.id });
  }

  #note(node: UnverifiedNode): void {
    if (this.#isVerified(node)) return;
    this.#unverified.heard(node, this.#clock.now(), this.nodes.count() < DHT_K);
  }

  #isVerified({ address, id }: UnverifiedNode): boolean {
    if (id === undefined) return this.knows(address);
    const known = this.nodes.get(Buffer.from(id));
    return known?.host === address.host && known.port === address.port;
  }

  /** Sets no timer after `destroy`: it would keep the node in memory. */
  #later(milliseconds: number, run: () => void): void {
    if (this.destroyed) return;
    const cancel = this.#clock.after(milliseconds, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }

  /** Not the library's `addNode`, which lets an answer replace the entry of another address with the same id. */
  #ping({ host, port }: PeerAddress, done: () => void): void {
    if (!this.destroyed) this._rpc.query({ host, port }, { q: "ping" }, () => done());
  }
}

function addressOf(compact: Buffer): PeerAddress {
  return { host: compact.subarray(0, 4).join("."), port: compact.readUInt16BE(4) };
}
