import type { DhtNodeInfo, RoutingTable } from "bittorrent-dht";
import { describe, expect, test } from "bun:test";
import {
  DHT_K,
  MAX_NEAREST_PER_HOST,
  MAX_NODES_CONSIDERED,
  MAX_TABLE_NODES_PER_HOST,
} from "../../src/discovery/limits.ts";
import { mayEnter, nearestNodes } from "../../src/discovery/routing-rules.ts";

const ownId = Buffer.alloc(20);
const node = (first: number, host: string, port: number): DhtNodeInfo => ({
  id: Buffer.from([first, ...Buffer.alloc(18, 1), port]),
  host,
  port,
});
const tableOf = (nodes: readonly DhtNodeInfo[]): RoutingTable => ({
  count: () => nodes.length,
  get: () => null,
  toArray: () => [...nodes],
  closest: (_, count) => nodes.slice(0, count),
});
const ports = (count: number, first = 0x80) =>
  Array.from({ length: count }, (_, i) => node(first, "10.9.9.9", 1 + i));

describe("the routing table", () => {
  test("D11: takes so many nodes of one host in one bucket, and more in another or of another host", () => {
    const table = tableOf(ports(MAX_TABLE_NODES_PER_HOST));
    expect(mayEnter(table, ownId, node(0xff, "10.9.9.9", 99))).toBe(false);
    expect(mayEnter(table, ownId, node(0x7f, "10.9.9.9", 99))).toBe(true);
    expect(mayEnter(table, ownId, node(0xff, "10.9.9.8", 99))).toBe(true);
    expect(mayEnter(tableOf(ports(MAX_TABLE_NODES_PER_HOST - 1)), ownId, node(0xff, "10.9.9.9", 99))).toBe(
      true,
    );
  });

  test("takes a node that restarts under another id beside its earlier entry, which is dropped then", () => {
    const table = tableOf(ports(MAX_TABLE_NODES_PER_HOST));
    expect(mayEnter(table, ownId, node(0xff, "10.9.9.9", 1))).toBe(true);
  });

  test("D11: names so many nodes of one host while it knows others, however near they are", () => {
    const others = Array.from({ length: DHT_K }, (_, i) => node(1, `10.0.0.${i}`, 1));
    const near = nearestNodes(tableOf([...ports(10, 0), ...others]), ownId, DHT_K);
    expect(near).toHaveLength(DHT_K);
    expect(near.filter(({ host }) => host === "10.9.9.9")).toHaveLength(MAX_NEAREST_PER_HOST);
    expect(nearestNodes(tableOf(ports(MAX_NODES_CONSIDERED)), ownId, DHT_K)).toHaveLength(DHT_K);
  });
});
