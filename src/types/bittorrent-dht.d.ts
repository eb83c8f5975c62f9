// bittorrent-dht 11.0.12: the members that src/discovery uses; test/shims-dht.test.ts checks that each exists.

declare module "bittorrent-dht" {
  export interface DhtNodeInfo {
    readonly id: Buffer;
    readonly host: string;
    readonly port: number;
  }

  /** Where a query came from. */
  export interface KrpcPeer {
    readonly address: string;
    readonly port: number;
  }

  export interface KrpcQuery {
    readonly t: Buffer;
    readonly a: {
      readonly id: Buffer;
      readonly target?: Buffer;
      readonly info_hash?: Buffer;
      readonly token?: Buffer;
      readonly port?: number;
      readonly implied_port?: number;
    };
    /** "Do not take me for a node" (BEP 43). */
    readonly ro?: number;
  }

  /** A query to send; the library adds our id. */
  export interface KrpcMessage {
    readonly q: string;
    readonly a?: Readonly<Record<string, unknown>>;
  }

  export interface KrpcReply {
    readonly r: { readonly id: Buffer; readonly token?: Buffer; readonly nodes?: Buffer };
  }

  export interface RoutingTable {
    count(): number;
    get(id: Buffer): DhtNodeInfo | null;
    toArray(): DhtNodeInfo[];
    closest(id: Buffer, count: number): DhtNodeInfo[];
  }

  export interface DhtOptions {
    /** Never left out: without it three public routers are asked. */
    readonly bootstrap: readonly { readonly host: string; readonly port: number }[];
    /** A dgram-like socket, see GuardedSocket. */
    readonly socket: object;
    readonly nodeId: Buffer;
    /** Our own address, under which `announce` keeps our record in our own node. */
    readonly host: string;
    /** Milliseconds; a query fails after 4/4 to 5/4 of it. */
    readonly timeout: number;
    /** Milliseconds; records live for 2/3 to 4/3 of it. */
    readonly maxAge: number;
    readonly maxPeers: number;
    readonly concurrency: number;
    /** Nodes that a walk looks for, and nodes in a bucket; 20 if not given. */
    readonly k: number;
  }

  interface DhtListeners {
    /** `from`: the node that named it; null: our own store. */
    peer: (
      peer: { readonly host: string; readonly port: number },
      infoHash: Buffer,
      from: { readonly address?: string; readonly host?: string } | null,
    ) => void;
    announce: (peer: { readonly host: string; readonly port: number }, infoHash: Buffer) => void;
    node: (node: DhtNodeInfo) => void;
    warning: (error: Error) => void;
    error: (error: Error) => void;
  }

  export default class DHT {
    constructor(options: DhtOptions);
    readonly nodeId: Buffer;
    readonly nodes: RoutingTable;
    readonly destroyed: boolean;

    on<Name extends keyof DhtListeners>(name: Name, listener: DhtListeners[Name]): this;
    emit<Name extends keyof DhtListeners>(name: Name, ...values: Parameters<DhtListeners[Name]>): boolean;
    listen(port: number, host: string): void;
    /** @returns a function that ends the walk. */
    lookup(infoHash: Buffer, callback: (error: Error | null, nodes?: number) => void): () => void;
    announce(infoHash: Buffer, port: number, callback: (error: Error | null, nodes?: number) => void): void;
    removeNode(id: Buffer): void;
    destroy(callback: () => void): void;

    /** Not public, and the reason for the exact version in package.json. */
    readonly _rpc: {
      readonly id: Buffer;
      readonly nodes: RoutingTable;
      response(
        peer: KrpcPeer,
        query: KrpcQuery,
        reply: Record<string, unknown>,
        nodes?: readonly DhtNodeInfo[],
      ): void;
      error(peer: KrpcPeer, query: KrpcQuery, error: readonly [code: number, message: string]): void;
      /**
       * Waits for its turn while `concurrency` queries are in flight. The answer's sender enters `nodes`. `from` is the node that
       * was asked when none has answered.
       */
      query(
        node: { readonly host: string; readonly port: number; readonly id?: Buffer },
        message: KrpcMessage,
        callback: (
          error: (Error & { readonly code?: unknown }) | null,
          reply: KrpcReply | null,
          from: KrpcPeer,
        ) => void,
      ): void;
      /** Puts a node into `nodes`. */
      _addNode(node: DhtNodeInfo): void;
      readonly socket: {
        /** The transaction ids of queries in flight; 0 marks a free place. */
        readonly _ids: readonly number[];
        removeAllListeners(name: "query"): void;
        on(name: "query", listener: (query: KrpcQuery, peer: KrpcPeer) => void): void;
      };
    };
    /** Compact addresses by info hash in hexadecimal, `count` of them at random. */
    _peers: {
      get(infoHash: string, count: number): Buffer[];
      add(infoHash: string, compact: Buffer): void;
      destroy(): void;
    };
    /** By info hash in hexadecimal: the nodes that gave a token in its last walk, which an announce goes to. */
    readonly _tables: {
      get(infoHash: string): { closest(id: Buffer): readonly object[] } | undefined;
      set(infoHash: string, table: { closest(id: Buffer): readonly object[] }): void;
    };
    /** A walk to `target`, for lookups and announces. `onReply` returns false to end it; the callback gets the answers. */
    _closest(
      target: Buffer,
      message: KrpcMessage,
      onReply: ((reply: KrpcReply, from: KrpcPeer) => boolean) | null,
      callback: (error: Error | null, nodes: number) => void,
    ): void;
    /** Looks for the nodes nearest to the own id, if that is wanted. */
    _bootstrap(isWanted: boolean): void;
    _onquery(query: KrpcQuery, peer: KrpcPeer): void;
    _onfindnode(query: KrpcQuery, peer: KrpcPeer): void;
    _ongetpeers(query: KrpcQuery, peer: KrpcPeer): void;
    _onannouncepeer(query: KrpcQuery, peer: KrpcPeer): void;
  }
}
