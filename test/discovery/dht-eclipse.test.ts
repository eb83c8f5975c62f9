// One host with many ports that wants to be all that our DHT node knows: D11 of docs/THREATS.md.
import { afterEach, describe, expect, test } from "bun:test";
import { dictBytes, dictText } from "../../src/core/format/bencode.ts";
import { idBytes } from "../../src/core/torrent/ids.ts";
import { DHT_K, MAX_TABLE_NODES_PER_HOST, MAX_WALK_PEERS_NAMED_BY_HOST } from "../../src/discovery/limits.ts";
import { addressKey, type PeerAddress } from "../../src/core/format/peer-address.ts";
import type { Dht } from "../../src/discovery/dht.ts";
import { nodeIdOf } from "../../src/discovery/node-id.ts";
import { at, DhtNetwork, found, infoHash } from "./dht-network.ts";
import { compactPeer, eventually, id20, query, type RawUdp, reply } from "./krpc.ts";

const SYBIL_HOST = "127.0.0.66";
const network = new DhtNetwork();
afterEach(() => network.close());

const hash = idBytes(infoHash);

/** `count` ports of one host with ids beside the info hash. They name one another and peers that are not there. */
async function openSybils(count: number): Promise<RawUdp[]> {
  const sybils: RawUdp[] = [];
  for (let i = 0; i < count; i++) sybils.push(await network.raw(SYBIL_HOST));
  const idOf = (i: number) => Buffer.concat([hash.subarray(0, 19), Buffer.of(i)]);
  const nodes = Buffer.concat(
    sybils
      .slice(0, 20)
      .map(({ address }, i) => Buffer.concat([idOf(i), compactPeer(address.host, address.port)])),
  );
  for (const [i, sybil] of sybils.entries()) {
    sybil.answer = (message, from) => {
      const values = Array.from({ length: 90 }, (_, j) => compactPeer(`127.66.${i}.${1 + j}`, 9));
      sybil.send(reply({ id: idOf(i), nodes, token: "t", values }, dictBytes(message, "t")), from);
    };
  }
  return sybils;
}

/** Each of them queries the node, and is pinged. */
async function joinAll(sybils: readonly RawUdp[], dht: Dht, address: PeerAddress): Promise<void> {
  for (const sybil of sybils) await sybil.ask(query("ping", { id: id20("s") }), address);
  await eventually(() => dht.nodeCount > 0 && sybils.every(({ received }) => received.length > 1));
}

describe("DHT rows", () => {
  test("D11: a leech finds the seed by a node whose table ten ports of one host fill beside the info hash", async () => {
    const middle = await network.node("127.0.0.11");
    const middleAt = at("127.0.0.11", middle);
    const sybils = await openSybils(10);
    await joinAll(sybils, middle, middleAt);
    const seed = await network.node("127.0.0.12", [middleAt]);
    expect(await seed.announce(infoHash, 7001)).toBe(true);
    const leech = await network.node("127.0.0.13", [middleAt]);
    expect(await found(leech)).toContain("127.0.0.12:7001");
  });

  test("D11: a pinned node is asked and told by a node that knows thirty nearer ones", async () => {
    const pinned = await network.raw("127.0.0.12");
    const id = Buffer.from(hash.map((byte) => byte ^ 0xff));
    pinned.answer = (message, from) => pinned.send(reply({ id, token: "t" }, dictBytes(message, "t")), from);
    const dht = await network.node("127.0.0.11", [pinned.address]);
    const target = at("127.0.0.11", dht);
    for (let host = 1; host <= 30; host++) {
      const near = await network.raw(`127.0.7.${host}`);
      const nearId = Buffer.concat([hash.subarray(0, 18), Buffer.of(host, host)]);
      near.answer = (message, from) =>
        near.send(reply({ id: nearId, token: "t" }, dictBytes(message, "t")), from);
      await near.ask(query("ping", { id: nearId }), target);
    }
    await eventually(() => dht.nodeCount >= DHT_K);
    for (let round = 0; round < 2; round++) await dht.announce(infoHash, 7001);
    const asked = pinned.received.map(({ message }) => dictText(message, "q"));
    expect(asked.filter((name) => name === "get_peers")).toHaveLength(2);
    expect(asked.filter((name) => name === "announce_peer")).toHaveLength(2);
  });

  test("D11: one host has so many nodes in one bucket of the table", async () => {
    const dht = await network.node("127.0.0.11");
    const target = at("127.0.0.11", dht);
    const own = nodeIdOf(target);
    for (let i = 0; i < 12; i++) {
      const raw = await network.raw(SYBIL_HOST);
      const id = Buffer.from(own);
      // All in the half of the ids in which ours does not lie.
      id[0] = own.readUInt8(0) ^ 0x80;
      id[19] = i;
      raw.beNode(id);
      await raw.ask(query("ping", { id }), target);
      await eventually(() => raw.received.some(({ message }) => message.has("q")));
    }
    const other = await network.raw("127.0.0.12");
    const id = Buffer.from(own);
    id[0] = own.readUInt8(0) ^ 0xff;
    other.beNode(id);
    await other.ask(query("ping", { id }), target);
    await eventually(() => dht.nodeCount === MAX_TABLE_NODES_PER_HOST + 1);
    expect(dht.nodeCount).toBe(MAX_TABLE_NODES_PER_HOST + 1);
  });

  test("D11: of what one host names by all its ports a lookup takes so many peers, and says which host named each", async () => {
    const sybils = await openSybils(10);
    const honest = await network.raw("127.0.0.12");
    honest.answer = (message, from) => {
      const values = [compactPeer("127.0.0.5", 7001)];
      honest.send(reply({ id: id20("h"), token: "t", values }, dictBytes(message, "t")), from);
    };
    const dht = await network.node("127.0.0.11", [...sybils.map(({ address }) => address), honest.address]);
    const named = new Map<string, string | undefined>();
    await dht.lookup(infoHash, (peer, namer) => named.set(addressKey(peer), namer));
    expect(named.get("127.0.0.5:7001")).toBe(honest.address.host);
    const bySybils = [...named.values()].filter((namer) => namer === SYBIL_HOST);
    expect(bySybils).toHaveLength(MAX_WALK_PEERS_NAMED_BY_HOST);
  });

  test("D11: a node that is named with the id of another, at an address where none answers, does not remove that one", async () => {
    const honest = await network.raw("127.0.0.12");
    const id = Buffer.from(hash);
    honest.answer = (message, from) => honest.send(reply({ id, token: "t" }, dictBytes(message, "t")), from);
    const forger = await network.raw(SYBIL_HOST);
    forger.answer = (message, from) => {
      const nodes = Buffer.concat([id, compactPeer("127.0.0.77", 9)]);
      forger.send(reply({ id: id20("L"), nodes, token: "t" }, dictBytes(message, "t")), from);
    };
    const dht = await network.node("127.0.0.11", [honest.address, forger.address]);
    await found(dht);
    expect(dht.nodeCount).toBe(2);
  });
});
