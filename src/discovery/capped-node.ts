// The library's DHT node with replies of bounded size: left alone it answers with every peer and every node it knows,
// which is fragmented, amplifies forged questions, and fails altogether at some thousand peers.
/* oxlint-disable no-underscore-dangle -- the library names its inner members so; the version is exact for this reason */
import LibraryDht, { type KrpcPeer, type KrpcQuery } from "bittorrent-dht";
import { DHT_REPLY_NODES, MAX_DHT_REPLY_PEERS } from "../core/limits.ts";
import { toHex } from "../lib/bytes.ts";

/** Nodes in a reply without peers: Kademlia's k as the library has it, 520 bytes. */
const MAX_REPLY_NODES = 20;

export class CappedNode extends LibraryDht {
  override _onfindnode(query: KrpcQuery, peer: KrpcPeer): void {
    const target = query.a.target;
    if (target === undefined) return;
    this._rpc.response(peer, query, { id: this._rpc.id }, this._rpc.nodes.closest(target, MAX_REPLY_NODES));
  }

  /** Random peers and, unlike the library's, nodes beside them: a walk must not end at the first node that knows peers. */
  override _ongetpeers(query: KrpcQuery, peer: KrpcPeer): void {
    const infoHash = query.a.info_hash;
    if (infoHash === undefined) return;
    const id = this._rpc.id;
    const token = this._generateToken(peer.address);
    const values = this._peers.get(toHex(infoHash), MAX_DHT_REPLY_PEERS);
    const nodes = this._rpc.nodes.closest(infoHash, values.length > 0 ? DHT_REPLY_NODES : MAX_REPLY_NODES);
    this._rpc.response(peer, query, values.length > 0 ? { id, token, values } : { id, token }, nodes);
  }
}
