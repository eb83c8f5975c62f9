// What the routing table takes and gives, so that no host takes it over: its nodes in one bucket are bounded, and so are those of it
// among the nearest. Pure.
import type { DhtNodeInfo, RoutingTable } from "bittorrent-dht";
import { spreadByHost } from "./host-spread.ts";
import { MAX_NEAREST_PER_HOST, MAX_NODES_CONSIDERED, MAX_TABLE_NODES_PER_HOST } from "./limits.ts";
import { sharedBits } from "./node-id.ts";

/** @returns false when its host has its share of the bucket; an entry of the same address does not count, for it is replaced. */
export function mayEnter(table: RoutingTable, ownId: Buffer, node: DhtNodeInfo): boolean {
  const ofHost = table.toArray().filter(({ host, port }) => host === node.host && port !== node.port);
  const bucket = sharedBits(ownId, node.id);
  return ofHost.filter(({ id }) => sharedBits(ownId, id) === bucket).length < MAX_TABLE_NODES_PER_HOST;
}

/** @returns up to `count` nodes near to `target`, of as many hosts as there are. */
export function nearestNodes(table: RoutingTable, target: Buffer, count: number): readonly DhtNodeInfo[] {
  return spreadByHost(table.closest(target, MAX_NODES_CONSIDERED), count, MAX_NEAREST_PER_HOST);
}
