// Attacks on the routing table of our DHT node, one test for each: D1, D2 and D7 to D9 of docs/THREATS.md.
import { afterEach, describe, expect, test } from "bun:test";
import { dictBytes, encodeBencode } from "../../src/core/format/bencode.ts";
import { idBytes } from "../../src/core/torrent/ids.ts";
import { DHT_K, DHT_PING_DELAY_MS } from "../../src/discovery/limits.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";
import { at, DhtNetwork, found, infoHash } from "./dht-network.ts";
import {
  compactNode,
  compactPeer,
  eventually,
  fieldsOf,
  hostileDatagrams,
  id20,
  query,
  reply,
} from "./krpc.ts";

const network = new DhtNetwork();
afterEach(() => network.close());

const hash = idBytes(infoHash);

describe("DHT rows", () => {
  test("D1: a node goes on answering under every hostile datagram, and answers none of them", async () => {
    const dht = await network.node("127.0.0.11");
    const attacker = await network.raw("127.0.0.66");
    const honest = await network.raw("127.0.0.12");
    for (const datagram of Object.values(hostileDatagrams())) {
      attacker.send(datagram, at("127.0.0.11", dht));
      const pong = await honest.ask(query("ping", { id: id20("p") }), at("127.0.0.11", dht));
      expect(dictBytes(fieldsOf(pong.message), "id")).toHaveLength(20);
    }
    expect(attacker.received).toEqual([]);
    expect(dht.nodeCount).toBe(0);
  });

  test("D2: a node that answers under another id than it was queried by does not enter the table", async () => {
    const culprit = await network.raw("127.0.0.66");
    const guide = await network.raw("127.0.0.12");
    const { port } = culprit.address;
    guide.answer = (message, from) => {
      const nodes = compactNode("V", "127.0.0.66", port);
      guide.send(reply({ id: id20("G"), nodes, token: "t" }, dictBytes(message, "t")), from);
    };
    culprit.beNode(id20("X"));
    const dht = await network.node("127.0.0.11", [guide.address]);
    await found(dht);
    await eventually(() => culprit.received.length > 0);
    await found(dht);
    expect(dht.nodeCount).toBe(1);
  });

  test("D7: nodes that send queries and never answer do not enter the table, one that answers does", async () => {
    const dht = await network.node("127.0.0.11");
    const target = at("127.0.0.11", dht);
    for (let host = 1; host <= 60; host++) {
      const mute = await network.raw(`127.0.6.${host}`);
      await mute.ask(query("ping", { id: Buffer.alloc(20, host) }), target);
    }
    const honest = await network.raw("127.0.0.12");
    honest.beNode(id20("p"));
    // The pings of those that do not answer come first.
    await honest.ask(query("ping", { id: id20("p") }), target);
    await eventually(() => dht.nodeCount === 1, 5000);
    expect(dht.nodeCount).toBe(1);
  });

  test("D7: an answer under the id of another node does not replace its entry", async () => {
    const dht = await network.node("127.0.0.11");
    const target = at("127.0.0.11", dht);
    const [honest, thief] = [await network.raw("127.0.0.12"), await network.raw("127.0.0.66")];
    for (const raw of [honest, thief]) {
      raw.beNode(id20("p"));
      await raw.ask(query("ping", { id: id20("p") }), target);
      dht.addNode(raw.address);
      await eventually(() => raw.received.some(({ message }) => message.has("q")) && dht.nodeCount === 1);
    }
    await Bun.sleep(20);
    const { message } = await thief.ask(
      query("find_node", { id: id20("p"), target: id20("p") }, "t"),
      target,
    );
    const nodes = Buffer.from(dictBytes(fieldsOf(message), "nodes")!);
    expect(nodes).toEqual(Buffer.concat([id20("p"), compactPeer("127.0.0.12", honest.address.port)]));
  });

  test("D7: a read-only node (BEP 43) is answered and not pinged", async () => {
    const dht = await network.node("127.0.0.11");
    const raw = await network.raw("127.0.0.12");
    const ask = encodeBencode({ a: { id: id20("p") }, q: "ping", ro: 1, t: "aa", y: "q" });
    await raw.ask(ask, at("127.0.0.11", dht));
    await Bun.sleep(20);
    expect(raw.received).toHaveLength(1);
  });

  test("a node that asks one with eight others in its table is pinged later", async () => {
    const clock = new VirtualClock();
    const dht = await network.node("127.0.0.11", [], { clock });
    const target = at("127.0.0.11", dht);
    for (let host = 1; host <= DHT_K; host++) {
      const raw = await network.raw(`127.0.8.${host}`);
      const id = Buffer.alloc(20, host);
      id[0] = host * 32 - 1;
      raw.beNode(id);
      await raw.ask(query("ping", { id }), target);
      await eventually(() => dht.nodeCount === host);
    }
    const late = await network.raw("127.0.0.12");
    late.beNode(id20("p"));
    await late.ask(query("ping", { id: id20("p") }), target);
    dht.addNode(late.address);
    clock.advance(DHT_PING_DELAY_MS - 1);
    // A ping would come before this answer.
    await late.ask(query("ping", { id: id20("p") }), target);
    expect(late.received.filter(({ message }) => message.has("q"))).toEqual([]);
    expect(dht.nodeCount).toBe(DHT_K);
    clock.advance(1);
    await eventually(() => late.received.some(({ message }) => message.has("q")));
  });

  test("D7: with the whole table captured a bootstrap address is still pinged, and found again", async () => {
    const seed = await network.node("127.0.0.12");
    await seed.announce(infoHash, 7001);
    const seedAt = at("127.0.0.12", seed);
    await seed.close();
    const dht = await network.node("127.0.0.11", [seedAt]);
    const target = at("127.0.0.11", dht);
    for (let host = 1; host <= 30; host++) {
      const sybil = await network.raw(`127.0.7.${host}`);
      const id = Buffer.from(hash);
      id[19] = host;
      sybil.answer = (message, from) => {
        const nodes = Buffer.concat([id, compactPeer(sybil.address.host, sybil.address.port)]);
        sybil.send(reply({ id, nodes, token: "t" }, dictBytes(message, "t")), from);
      };
      await sybil.ask(query("ping", { id }), target);
    }
    await eventually(() => dht.nodeCount >= DHT_K);
    const again = await network.node("127.0.0.12", [], { port: seedAt.port });
    await again.announce(infoHash, 7001);
    const peers: string[] = [];
    for (let round = 0; round < 5 && again.nodeCount === 0; round++) {
      peers.push(...(await found(dht)));
      await Bun.sleep(20);
    }
    // It was pinged. Its record is in its own store, and TCP dials every x.pe address in any case.
    expect(again.nodeCount).toBe(1);
  });

  test("D8: addresses that may not be contacted are cut out of what others name and never queried", async () => {
    const culprit = await network.raw("127.0.0.66");
    culprit.answer = (message, from) => {
      const refused = ["0.0.0.1", "224.0.0.1", "255.255.255.255", "8.8.8.8"];
      const nodes = Buffer.concat(refused.map((host, i) => compactNode(String(i), host, 6881)));
      const values = [...refused, "127.0.0.5"].map((host) => compactPeer(host, 6881));
      culprit.send(reply({ id: id20("L"), nodes, token: "t", values }, dictBytes(message, "t")), from);
    };
    const dht = await network.node("127.0.0.11", [culprit.address]);
    expect(await found(dht)).toEqual(["127.0.0.5:6881"]);
    expect(dht.nodeCount).toBe(1);
  });

  test("D9: nothing is kept on disk: a node that restarts has an empty table and fills it", async () => {
    const first = await network.node("127.0.0.11");
    const before = await network.node("127.0.0.12", [at("127.0.0.11", first)]);
    const { port } = before;
    await found(before);
    expect(before.nodeCount).toBe(1);
    await before.close();
    const again = await network.node("127.0.0.12", [at("127.0.0.11", first)], { port });
    expect(again.nodeCount).toBe(0);
    await found(again);
    expect(again.nodeCount).toBe(1);
  });
});
