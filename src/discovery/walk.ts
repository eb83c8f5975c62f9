// One walk through the DHT to the nodes nearest to an info hash or id (BEP 5): which nodes are asked, when it is over, and which it
// has found. No host takes more than its share of it, by the nodes that it has or by those that it names, and the pinned addresses
// are always asked. Pure: knows no socket and no time.
import { addressKey, type PeerAddress, readCompact } from "../core/format/peer-address.ts";
import { spreadByHost } from "./host-spread.ts";
import {
  DHT_K,
  MAX_NEAREST_PER_HOST,
  MAX_PINNED_PER_WALK,
  MAX_WALK_NODES_NAMED_BY_HOST,
  MAX_WALK_QUERIES,
  MAX_WALK_QUERIES_PER_HOST,
} from "./limits.ts";
import { NODE_LENGTH, distanceOf } from "./node-id.ts";

/** Node id, IPv4 address, port (BEP 5, "compact node info"). */
const ID_LENGTH = 20;

/** A node that may be asked. Pinned ones are known by their address alone. */
export interface WalkNode extends PeerAddress {
  readonly id?: Buffer;
}

type NamedNode = WalkNode & { readonly id: Buffer };

/** A node that gave a token, with which we may announce ourselves there. */
export interface TokenNode extends PeerAddress {
  readonly id: Buffer;
  readonly token: Buffer;
}

export interface WalkReply {
  readonly id: Buffer;
  readonly token: Buffer | undefined;
  readonly nodes: readonly NamedNode[];
}

export interface WalkOptions {
  /** 20 bytes. */
  readonly target: Uint8Array;
  readonly ownId: Buffer;
  /** Nodes of the routing table, the nearest first. */
  readonly known: readonly NamedNode[];
  /** Asked whatever is nearer, and told by an announce. */
  readonly pinned: readonly PeerAddress[];
  /** Pinned addresses that were silent: asked as well, but the walk does not wait for them. */
  readonly silent: readonly PeerAddress[];
}

interface Candidate extends WalkNode {
  readonly id: Buffer;
  readonly distance: Buffer;
  state: "new" | "asked" | "answered" | "failed";
  token: Buffer | undefined;
}

export class Walk {
  readonly #options: WalkOptions;
  /** The nearest first. */
  readonly #candidates: Candidate[] = [];
  readonly #byAddress = new Map<string, Candidate>();
  readonly #pinned: ReadonlySet<string>;
  /** Pinned and silent addresses that were not asked yet. */
  #unasked: PeerAddress[];
  readonly #waitedFor = new Set<string>();
  readonly #queriesByHost = new Map<string, number>();
  readonly #namedByHost = new Map<string, number>();
  #queries = 0;
  #answers = 0;
  #isStopped = false;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#unasked = [...options.pinned, ...options.silent];
    this.#pinned = new Set(this.#unasked.map(addressKey));
    for (const node of options.known) this.#name(node);
  }

  /** Nodes to ask now, each once. */
  next(): readonly WalkNode[] {
    if (this.#isStopped) return [];
    const silent = new Set(this.#options.silent.map(addressKey));
    const pinned = this.#unasked;
    this.#unasked = [];
    const due: WalkNode[] = [...pinned, ...this.#nearest().filter((node) => this.#mayAsk(node))];
    for (const node of due) {
      const key = addressKey(node);
      if (!silent.has(key)) this.#waitedFor.add(key);
      const candidate = this.#byAddress.get(key);
      if (candidate?.state === "new") candidate.state = "asked";
    }
    return due;
  }

  /** No node is left to ask, and all that are waited for have answered or failed. */
  get isOver(): boolean {
    return this.#waitedFor.size === 0;
  }

  /** Nodes that have answered. */
  get answers(): number {
    return this.#answers;
  }

  answered(node: WalkNode, { id, token, nodes }: WalkReply): void {
    this.#waitedFor.delete(addressKey(node));
    this.#answers++;
    if (!id.equals(this.#options.ownId)) {
      const key = addressKey(node);
      const candidate = this.#byAddress.get(key) ?? this.#add({ host: node.host, port: node.port, id });
      candidate.state = "answered";
      candidate.token = token;
    }
    for (const named of nearestFirst(this.#options.target, nodes).slice(0, DHT_K)) {
      const count = (this.#namedByHost.get(node.host) ?? 0) + 1;
      const isPinned = this.#pinned.has(addressKey(node));
      if (!isPinned && count > MAX_WALK_NODES_NAMED_BY_HOST) return;
      if (this.#name(named)) this.#namedByHost.set(node.host, count);
    }
  }

  failed(node: WalkNode): void {
    const key = addressKey(node);
    this.#waitedFor.delete(key);
    const candidate = this.#byAddress.get(key);
    if (candidate !== undefined) candidate.state = "failed";
  }

  /** No further node is asked. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Where to announce: the nearest nodes that gave a token, and the nearest pinned ones that did. */
  get tokenNodes(): readonly TokenNode[] {
    const willing = this.#candidates.flatMap(({ id, host, port, token, state }) =>
      state === "answered" && token !== undefined ? [{ id, host, port, token }] : [],
    );
    const pinned = willing.filter((node) => this.#pinned.has(addressKey(node)));
    const told = new Set([
      ...spreadByHost(willing, DHT_K, MAX_NEAREST_PER_HOST),
      ...pinned.slice(0, MAX_PINNED_PER_WALK),
    ]);
    return willing.filter((node) => told.has(node));
  }

  #nearest(): readonly Candidate[] {
    const live = this.#candidates.filter(({ state }) => state !== "failed");
    return spreadByHost(live, DHT_K, MAX_NEAREST_PER_HOST);
  }

  /** Counts the query. */
  #mayAsk(node: Candidate): boolean {
    if (node.state !== "new" || this.#queries >= MAX_WALK_QUERIES) return false;
    const ofHost = this.#queriesByHost.get(node.host) ?? 0;
    if (ofHost >= MAX_WALK_QUERIES_PER_HOST) return false;
    this.#queriesByHost.set(node.host, ofHost + 1);
    this.#queries++;
    return true;
  }

  /** Pinned addresses are asked in any case, and are candidates when they have answered. @returns true for a new candidate. */
  #name(node: NamedNode): boolean {
    const key = addressKey(node);
    if (this.#byAddress.has(key) || this.#pinned.has(key) || node.id.equals(this.#options.ownId))
      return false;
    this.#add(node);
    return true;
  }

  #add({ id, host, port }: NamedNode): Candidate {
    const distance = distanceOf(this.#options.target, id);
    const candidate: Candidate = { id, host, port, distance, state: "new", token: undefined };
    const place = this.#candidates.findIndex((other) => distance.compare(other.distance) < 0);
    this.#candidates.splice(place < 0 ? this.#candidates.length : place, 0, candidate);
    this.#byAddress.set(addressKey(candidate), candidate);
    return candidate;
  }
}

/** @param fields of a reply that the guard has let through, so that its lengths are right */
export function readWalkReply(fields: {
  readonly id: Buffer;
  readonly token?: Buffer;
  readonly nodes?: Buffer;
}): WalkReply {
  const { id, token, nodes = Buffer.alloc(0) } = fields;
  const named: NamedNode[] = [];
  for (let at = 0; at < nodes.length; at += NODE_LENGTH) {
    const address = readCompact(nodes, at + ID_LENGTH);
    if (address !== undefined) named.push({ ...address, id: nodes.subarray(at, at + ID_LENGTH) });
  }
  return { id, token, nodes: named };
}

function nearestFirst<Node extends { readonly id: Buffer }>(
  target: Uint8Array,
  nodes: readonly Node[],
): Node[] {
  return nodes
    .map((node) => ({ node, distance: distanceOf(target, node.id) }))
    .toSorted((a, b) => a.distance.compare(b.distance))
    .map(({ node }) => node);
}
