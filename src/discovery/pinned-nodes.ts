// The addresses that the user or the magnet names: asked in each walk and told in each announce, whatever other nodes lie nearer,
// so that no host can keep a node from the seeds it was given. Pure.
import { addressKey, type PeerAddress } from "../core/format/peer-address.ts";
import { MAX_PINNED_PER_WALK, MAX_SILENT_PINNED_PER_WALK } from "./limits.ts";
import { distanceOf, nodeIdOf } from "./node-id.ts";

interface PinnedNode {
  readonly address: PeerAddress;
  readonly id: Buffer;
  isSilent: boolean;
}

export interface PinnedChoice {
  readonly pinned: readonly PeerAddress[];
  /** They did not answer the last query: a walk asks them and does not wait for them. */
  readonly silent: readonly PeerAddress[];
}

export class PinnedNodes {
  readonly #nodes: ReadonlyMap<string, PinnedNode>;
  #turn = 0;

  constructor(addresses: readonly PeerAddress[]) {
    this.#nodes = new Map(
      addresses.map((address) => [addressKey(address), { address, id: nodeIdOf(address), isSilent: false }]),
    );
  }

  /**
   * Those of a walk to `target`: all, and it waits for all, while the routing table needs nodes. Later the nearest to the target, which are the same ones
   * on each machine with this list, and of the silent ones a few in turns: a seed that restarts is found again.
   */
  choose(target: Uint8Array, needsNodes: boolean): PinnedChoice {
    const all = [...this.#nodes.values()];
    if (needsNodes) return { pinned: addressesOf(all), silent: [] };
    const silent = all.filter(({ isSilent }) => isSilent);
    const answering = all
      .filter(({ isSilent }) => !isSilent)
      .toSorted((a, b) => distanceOf(target, a.id).compare(distanceOf(target, b.id)));
    const start = this.#turn % Math.max(1, silent.length);
    this.#turn = start + MAX_SILENT_PINNED_PER_WALK;
    const inTurn = [...silent.slice(start), ...silent.slice(0, start)];
    return {
      pinned: addressesOf(answering.slice(0, MAX_PINNED_PER_WALK)),
      silent: addressesOf(inTurn.slice(0, MAX_SILENT_PINNED_PER_WALK)),
    };
  }

  /** A query to this address has been answered or lost. */
  heard(address: PeerAddress, hasAnswered: boolean): void {
    const node = this.#nodes.get(addressKey(address));
    if (node !== undefined) node.isSilent = !hasAnswered;
  }
}

function addressesOf(nodes: readonly PinnedNode[]): readonly PeerAddress[] {
  return nodes.map(({ address }) => address);
}
