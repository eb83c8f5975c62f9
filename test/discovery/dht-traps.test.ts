// One test for each trap of the DHT packages, named after it.
import { afterEach, describe, expect, spyOn, test } from "bun:test";
import dns from "node:dns";
import { dictBytes, dictDict, dictList } from "../../src/core/format/bencode.ts";
import { idBytes, infoHashOf } from "../../src/core/torrent/ids.ts";
import { DHT_K, DHT_QUERY_TIMEOUT_MS, MAX_DHT_REPLY_PEERS } from "../../src/discovery/limits.ts";
import { addressKey, type PeerAddress } from "../../src/core/format/peer-address.ts";
import type { Dht } from "../../src/discovery/dht.ts";
import { acquaint, DEAD_PORT, DhtNetwork, elapsed, found, infoHash } from "./dht-network.ts";
import { compactNode, compactPeer, eventually, id20, query, reply } from "./krpc.ts";

const network = new DhtNetwork();
afterEach(() => network.close());

const at = (host: string, dht: Dht): PeerAddress => ({ host, port: dht.port });
const getPeers = query("get_peers", { id: id20("p"), info_hash: idBytes(infoHash) });

describe("trap of the DHT packages", () => {
  test("public routers: with an empty bootstrap list no node is queried and no name is resolved", async () => {
    const asked: string[] = [];
    const dht = await network.node("127.0.0.11", [], {
      accepts: (address) => {
        asked.push(addressKey(address));
        return true;
      },
    });
    // After the binding, which needs the real one.
    const resolving = spyOn(dns, "lookup").mockImplementation((() => {}) as never);
    void dht.announce(infoHash, dht.port);
    await Bun.sleep(20);
    const resolved = resolving.mock.calls.length;
    resolving.mockRestore();
    expect(resolved).toBe(0);
    // The socket asks for every target before it sends.
    expect(asked).toEqual([]);
    expect(dht.nodeCount).toBe(0);
  });

  test("public nodes named by others: nothing is sent to them, and the walk does not wait for them", async () => {
    const culprit = await network.raw("127.0.0.66");
    culprit.answer = (message, from) => {
      const nodes = Buffer.concat(
        Array.from({ length: 20 }, (_, i) => compactNode(String.fromCharCode(65 + i), "192.0.2.1", 6881)),
      );
      const values = [compactPeer("192.0.2.1", 6881), compactPeer("127.0.0.5", 7)];
      const fields = { id: id20("L"), nodes, token: "tok", values };
      culprit.send(reply(fields, dictBytes(message, "t")), from);
    };
    const asked: string[] = [];
    const accepts = (address: PeerAddress) => {
      asked.push(addressKey(address));
      return address.host.startsWith("127.");
    };
    const dht = await network.node("127.0.0.11", [culprit.address], { accepts });
    const peers: string[] = [];
    expect(await elapsed(dht.lookup(infoHash, (peer) => peers.push(addressKey(peer))))).toBeLessThan(200);
    expect(peers).toEqual(["127.0.0.5:7"]);
    expect(asked).toContain("192.0.2.1:6881");
    expect(dht.nodeCount).toBe(1);
  });

  test("no nodes to query: a lone seed announces without error and keeps its own record", async () => {
    const seed = await network.node("127.0.0.11");
    await seed.announce(infoHash, 7001);
    const raw = await network.raw("127.0.0.12");
    const answer = await raw.ask(getPeers, at("127.0.0.11", seed));
    expect(dictList(dictDict(answer.message, "r")!, "values")).toEqual([
      new Uint8Array(compactPeer("127.0.0.11", 7001)),
    ]);
  });

  test("cached empty table: an announce repeated after others joined reaches them", async () => {
    const seed = await network.node("127.0.0.11");
    await seed.announce(infoHash, 7001);
    const joiner = await network.node("127.0.0.12", [at("127.0.0.11", seed)]);
    const heard: string[] = [];
    joiner.onAnnounced((_, address) => heard.push(addressKey(address)));
    await found(joiner);
    await eventually(() => seed.nodeCount === 1);
    await seed.announce(infoHash, 7001);
    expect(heard).toEqual(["127.0.0.11:7001"]);
  });

  test("new id on the same address: a node that restarts on its port is found by every lookup", async () => {
    const first = await network.node("127.0.0.11");
    const bootstrap = [at("127.0.0.11", first)];
    const others = await Promise.all(
      ["127.0.0.13", "127.0.0.14", "127.0.0.15"].map((host) => network.node(host, bootstrap)),
    );
    const seed = await network.node("127.0.0.12", bootstrap);
    const { port } = seed;
    await acquaint([first, seed, ...others]);
    await seed.close();
    // It knows no node and announces to none: only a query to its earlier id reaches its record.
    const again = await network.node("127.0.0.12", [], { port });
    await again.announce(infoHash, 7001);
    for (let round = 0; round < 5; round++) {
      for (const other of others) expect(await found(other)).toContain("127.0.0.12:7001");
    }
  });

  test("new id on the same address: another client's stale entry is replaced, not kept beside the new one", async () => {
    const dht = await network.node("127.0.0.11");
    const client = await network.raw("127.0.0.12");
    for (const letter of ["a", "b", "c"]) {
      client.beNode(id20(letter));
      await client.ask(query("ping", { id: id20(letter) }), at("127.0.0.11", dht));
      const isNamed = async () => {
        const { message } = await client.ask(getPeers, at("127.0.0.11", dht));
        return Buffer.from(dictBytes(dictDict(message, "r")!, "nodes")!).includes(id20(letter));
      };
      while (!(await isNamed())) await Bun.sleep(2);
      expect(dht.nodeCount).toBe(1);
    }
  });

  test("repeated peers: an address is given once per lookup for each host that names it", async () => {
    const first = await network.node("127.0.0.11");
    const bootstrap = [at("127.0.0.11", first)];
    const nodes = await Promise.all(
      ["127.0.0.12", "127.0.0.13", "127.0.0.14"].map((host) => network.node(host, bootstrap)),
    );
    for (const [index, node] of nodes.entries()) await node.announce(infoHash, 7001 + index);
    const joiner = await network.node("127.0.0.15", bootstrap);
    const given: string[] = [];
    await joiner.lookup(infoHash, (address, namer) => given.push(`${namer} names ${addressKey(address)}`));
    expect(new Set(given).size).toBe(given.length);
    expect(given).toContain("127.0.0.11 names 127.0.0.14:7003");
    expect(await found(joiner)).toEqual(["127.0.0.12:7001", "127.0.0.13:7002", "127.0.0.14:7003"]);
  });

  test("own address as a peer: a lookup never gives it", async () => {
    const a = await network.node("127.0.0.11");
    const b = await network.node("127.0.0.12", [at("127.0.0.11", a)]);
    for (const node of [a, b]) await node.announce(infoHash, node.port);
    expect(await found(a)).toEqual([`127.0.0.12:${b.port}`]);
    expect(await found(b)).toEqual([`127.0.0.11:${a.port}`]);
  });

  test("own address as bootstrap: a node named in its own magnet does not query itself", async () => {
    const placeholder = await network.raw("127.0.0.11");
    const { address } = placeholder;
    placeholder.close();
    const dht = await network.node(address.host, [address], { port: address.port });
    expect(await elapsed(found(dht))).toBeLessThan(100);
    expect(dht.nodeCount).toBe(0);
  });

  test("dead bootstrap: costs at most 600 ms, and the answer of a live one does not wait for it", async () => {
    const seed = await network.node("127.0.0.11");
    await seed.announce(infoHash, 7001);
    const silent = await Promise.all(["127.0.0.21", "127.0.0.22"].map((host) => network.raw(host)));
    const dead = [...silent.map((raw) => raw.address), { host: "127.0.0.23", port: DEAD_PORT }];
    let [first, whole] = [Infinity, Infinity];
    // The best of three, since other work on the machine only adds to the times.
    for (let round = 0; round < 3 && whole > 600; round++) {
      const joiner = await network.node("127.0.0.12", [...dead, at("127.0.0.11", seed)]);
      const start = performance.now();
      whole = await elapsed(
        joiner.lookup(infoHash, () => (first = Math.min(first, performance.now() - start))),
      );
    }
    expect(first).toBeLessThan(200);
    expect(whole).toBeLessThanOrEqual(600);
  });

  test("silent bootstrap: a seed that restarts is pinged again by nodes with a filled table", async () => {
    const placeholder = await network.raw("127.0.0.11");
    const { address } = placeholder;
    placeholder.close();
    const a = await network.node("127.0.0.12", [address]);
    const b = await network.node("127.0.0.13", [at("127.0.0.12", a)]);
    await found(b);
    await eventually(() => a.nodeCount === 1);
    const seed = await network.node(address.host, [], { port: address.port });
    await seed.announce(infoHash, 7001);
    await found(a);
    await eventually(() => a.nodeCount === 2);
    expect(await found(a)).toEqual(["127.0.0.11:7001"]);
  });

  test("invented nodes: a node that names nearer and nearer ones, all dead, does not hold a lookup", async () => {
    const culprit = await network.raw("127.0.0.66");
    let serial = 0;
    culprit.answer = (message, from) => {
      const nodes = Array.from({ length: 20 }, () => {
        const id = Buffer.from(idBytes(infoHash));
        id.writeUInt32BE(++serial, 16);
        return Buffer.concat([id, compactPeer(`127.1.${(serial >> 8) & 255}.${serial & 255}`, DEAD_PORT)]);
      });
      culprit.send(
        reply({ id: id20("L"), nodes: Buffer.concat(nodes), token: "t" }, dictBytes(message, "t")),
        from,
      );
    };
    const dht = await network.node("127.0.0.11", [culprit.address]);
    expect(await elapsed(found(dht))).toBeLessThan(2 * DHT_QUERY_TIMEOUT_MS + 200);
  });

  test("ICMP: one dead node in the table does not hide the others from a lookup", async () => {
    const first = await network.node("127.0.0.11");
    const bootstrap = [at("127.0.0.11", first)];
    const hosts = ["127.0.0.12", "127.0.0.13", "127.0.0.14"];
    const nodes = await Promise.all(hosts.map((host) => network.node(host, bootstrap)));
    const joiner = await network.node("127.0.0.15", bootstrap);
    await acquaint([first, joiner, ...nodes]);
    for (const node of [nodes[0]!, nodes[1]!]) await node.close();
    const lone = await network.node("127.0.0.16", [at("127.0.0.14", nodes[2]!)], {
      accepts: ({ host }) => host === "127.0.0.14",
    });
    await lone.announce(infoHash, 7001);
    expect(await found(joiner)).toContain("127.0.0.16:7001");
  });

  test("reply size: of 300 stored peers a reply names at most 50, random ones, with nodes, below 700 bytes", async () => {
    const dht = await network.node("127.0.0.11");
    const target = at("127.0.0.11", dht);
    const fill = await Promise.all(Array.from({ length: 12 }, (_, i) => network.raw(`127.0.2.${i + 1}`)));
    let stored = 0;
    dht.onAnnounced(() => stored++);
    for (const [index, raw] of fill.entries()) {
      const id = id20(String.fromCharCode(65 + index));
      raw.beNode(id);
      const { message } = await raw.ask(query("get_peers", { id, info_hash: idBytes(infoHash) }), target);
      const token = dictBytes(dictDict(message, "r")!, "token")!;
      for (let port = 1; port <= 25; port++) {
        await raw.ask(
          query("announce_peer", { id, info_hash: idBytes(infoHash), port: 7000 + port, token }),
          target,
        );
      }
    }
    expect(stored).toBe(300);
    const raw = await network.raw("127.0.0.12");
    const named = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const { message, bytes } = await raw.ask(getPeers, target);
      const fields = dictDict(message, "r")!;
      const values = dictList(fields, "values")!;
      expect(values).toHaveLength(MAX_DHT_REPLY_PEERS);
      expect(dictBytes(fields, "nodes")!.length).toBeGreaterThan(0);
      expect(bytes.length).toBeLessThanOrEqual(700);
      for (const value of values) named.add(Buffer.from(value as Uint8Array).toString("hex"));
    }
    expect(named.size).toBeGreaterThan(250);
    const joiner = await network.node("127.0.0.13", [target]);
    expect(await found(joiner)).toHaveLength(MAX_DHT_REPLY_PEERS);
  });

  test("reply size: a node that knows 200 others names the nearest eight of them", async () => {
    const dht = await network.node("127.0.0.11");
    const target = at("127.0.0.11", dht);
    for (let i = 0; i < 200; i++) {
      const raw = await network.raw(`127.0.3.${i + 1}`);
      const id = Buffer.alloc(20, i);
      id.writeUInt32BE((i * 21_474_836) >>> 0, 0);
      raw.beNode(id);
      raw.send(query("ping", { id }), target);
    }
    await eventually(() => dht.nodeCount > DHT_K);
    const raw = await network.raw("127.0.0.12");
    const { message, bytes } = await raw.ask(
      query("find_node", { id: id20("p"), target: id20("t") }),
      target,
    );
    expect(dictBytes(dictDict(message, "r")!, "nodes")).toHaveLength(DHT_K * 26);
    expect(bytes.length).toBeLessThanOrEqual(700);
  });

  test("counted transaction ids: those of our queries are random, and none is in use twice", async () => {
    const silent = await network.raw("127.0.0.12");
    const dht = await network.node("127.0.0.11", [silent.address]);
    for (let i = 0; i < 40; i++) void dht.lookup(infoHashOf(id20(String.fromCharCode(64 + i))), () => {});
    await eventually(() => silent.received.length >= 40);
    const ids = silent.received.map(({ message }) => Buffer.from(dictBytes(message, "t")!).readUInt16BE());
    expect(new Set(ids).size).toBe(ids.length);
    const steps = ids.slice(1).map((id, i) => Math.abs(id - ids[i]!));
    expect(steps.filter((step) => step < 100).length).toBeLessThan(5);
  });

  test("unasked replies: their sender does not enter the routing table", async () => {
    const dht = await network.node("127.0.0.11");
    const sender = await network.raw("127.0.0.66");
    for (let t = 0; t < 50; t++)
      sender.send(reply({ id: id20("s") }, Uint8Array.of(0, t)), at("127.0.0.11", dht));
    const asked = await network.raw("127.0.0.12");
    asked.beNode(id20("p"));
    await asked.ask(query("ping", { id: id20("p") }), at("127.0.0.11", dht));
    await eventually(() => dht.nodeCount > 0);
    expect(dht.nodeCount).toBe(1);
  });
});
