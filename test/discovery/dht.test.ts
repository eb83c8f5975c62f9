import { afterEach, describe, expect, test } from "bun:test";
import { dictText } from "../../src/core/format/bencode.ts";
import type { InfoHash } from "../../src/core/torrent/ids.ts";
import { DHT_JOIN_DELAY_MS, DHT_K, DHT_LOOKUP_TIMEOUT_MS } from "../../src/discovery/limits.ts";
import { addressKey, type PeerAddress } from "../../src/core/format/peer-address.ts";
import { Dht } from "../../src/discovery/dht.ts";
import { systemErrorCode } from "../../src/lib/errors.ts";
import { silentLogger } from "../helpers/silent-logger.ts";
import { sha1 } from "../../src/lib/sha1.ts";
import { systemClock } from "../../src/session/clock.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";
import { acquaint, DhtNetwork, elapsed, found, infoHash } from "./dht-network.ts";
import { eventually } from "./krpc.ts";

const network = new DhtNetwork();
afterEach(() => network.close());

const at = (host: string, dht: Dht): PeerAddress => ({ host, port: dht.port });
const otherHash = "00112233445566778899aabbccddeeff00112233" as InfoHash;

describe("Dht", () => {
  test("ten nodes that know only the first find one another's announces", async () => {
    const first = await network.node("127.0.0.11");
    const bootstrap = [at("127.0.0.11", first)];
    const hosts = Array.from({ length: 10 }, (_, index) => `127.0.0.${11 + index}`);
    const nodes = [
      first,
      ...(await Promise.all(hosts.slice(1).map((host) => network.node(host, bootstrap)))),
    ];
    const announce = () => Promise.all(nodes.map((node, index) => node.announce(infoHash, 5000 + index)));
    await announce();
    const announced = hosts.map((host, index) => `${host}:${5000 + index}`);
    await acquaint(nodes);
    // Announces are repeated: at the first some nodes know only the first node.
    await announce();
    for (const [index, node] of nodes.entries()) {
      const others = announced.filter((_, other) => other !== index);
      expect(await found(node)).toEqual(expect.arrayContaining(others));
    }
  });

  test("a joiner finds a lone seed at once, before any other round", async () => {
    const seed = await network.node("127.0.0.11");
    await seed.announce(infoHash, seed.port);
    const joiner = await network.node("127.0.0.12", [at("127.0.0.11", seed)]);
    const start = performance.now();
    let firstAt = Infinity;
    await joiner.lookup(infoHash, () => (firstAt = Math.min(firstAt, performance.now() - start)));
    expect(firstAt).toBeLessThan(200);
  });

  test("a seed started after the leecher is found by one of the leecher's next lookups", async () => {
    const placeholder = await network.raw("127.0.0.11");
    const { port } = placeholder.address;
    placeholder.close();
    const leecher = await network.node("127.0.0.12", [{ host: "127.0.0.11", port }]);
    expect(await found(leecher)).toEqual([]);
    const seed = new Dht({
      host: "127.0.0.11",
      port,
      advertisedHost: "127.0.0.11",
      bootstrap: [],
      accepts: () => true,
      logger: silentLogger,
      clock: systemClock,
    });
    await seed.start();
    await seed.announce(infoHash, port);
    expect(await found(leecher)).toEqual([`127.0.0.11:${port}`]);
    await seed.close();
  });

  test("an announce goes to the nearest nodes and no others, and says whether one stored it", async () => {
    const taken: string[] = [];
    const hosts = Array.from({ length: 20 }, (_, index) => `127.0.0.${12 + index}`);
    const nodes: Dht[] = [];
    for (const host of hosts) nodes.push(await network.node(host));
    for (const [index, node] of nodes.entries()) node.onAnnounced(() => taken.push(hosts[index]!));
    const bootstrap = nodes.map((node, index) => at(hosts[index]!, node));
    const joiner = await network.node("127.0.0.11", bootstrap);
    expect(await joiner.announce(infoHash, 7001)).toBe(true);
    // How many of the first 32 bits are the info hash's. Of more than eight equals the library keeps the earliest.
    const nearness = ({ host, port }: PeerAddress) => {
      const id = sha1(new TextEncoder().encode(`${host}:${port}`));
      return Math.clz32(
        new DataView(id.buffer, id.byteOffset).getUint32(0) ^ Number(`0x${infoHash.slice(0, 8)}`),
      );
    };
    const hostsFrom = (least: number) =>
      bootstrap.filter((address) => nearness(address) >= least).map(({ host }) => host);
    const least = bootstrap.map(nearness).toSorted((one, other) => other - one)[DHT_K - 1]!;
    expect(taken).toHaveLength(DHT_K);
    expect(taken).toEqual(expect.arrayContaining(hostsFrom(least + 1)));
    expect(hostsFrom(least)).toEqual(expect.arrayContaining(taken));
    const lone = await network.node("127.0.0.41");
    expect(await lone.announce(infoHash, 7001)).toBe(false);
  });

  test("a peer that announces itself at our node is reported at once, our own address never", async () => {
    const seed = await network.node("127.0.0.11");
    const heard: string[] = [];
    seed.onAnnounced((hash, address) => heard.push(`${hash} ${addressKey(address)}`));
    await seed.announce(infoHash, seed.port);
    const joiner = await network.node("127.0.0.12", [at("127.0.0.11", seed)]);
    await joiner.announce(infoHash, joiner.port);
    expect(heard).toEqual([`${infoHash} 127.0.0.12:${joiner.port}`]);
  });

  test("lookups of different files at the same time are not mixed up", async () => {
    const seed = await network.node("127.0.0.11");
    await seed.announce(infoHash, 6001);
    await seed.announce(otherHash, 6002);
    const joiner = await network.node("127.0.0.12", [at("127.0.0.11", seed)]);
    const results = await Promise.all([found(joiner), found(joiner, otherHash), found(joiner)]);
    expect(results).toEqual([["127.0.0.11:6001"], ["127.0.0.11:6002"], ["127.0.0.11:6001"]]);
  });

  test("peers that may not be contacted are not given to a lookup", async () => {
    const seed = await network.node("127.0.0.11");
    const bad = await network.node("127.0.0.13", [at("127.0.0.11", seed)]);
    await Promise.all([seed.announce(infoHash, seed.port), bad.announce(infoHash, bad.port)]);
    const accepts = ({ host }: PeerAddress) => host !== "127.0.0.13";
    const joiner = await network.node("127.0.0.12", [at("127.0.0.11", seed)], { accepts });
    expect(await found(joiner)).toEqual([`127.0.0.11:${seed.port}`]);
  });

  test("a taken port is an error with its code, and leaves no socket open", async () => {
    const first = await network.node("127.0.0.11");
    const options = {
      host: "127.0.0.11",
      port: first.port,
      advertisedHost: "127.0.0.11",
      bootstrap: [],
      accepts: () => true,
      logger: silentLogger,
      clock: systemClock,
    };
    const second = new Dht(options);
    expect(systemErrorCode(await second.start().catch((error: unknown) => error))).toBe("EADDRINUSE");
    await second.close();
    await first.close();
    const third = new Dht(options);
    await third.start();
    await third.close();
  });

  test("closing ends running lookups and announces at once", async () => {
    const silent = await network.raw("127.0.0.12");
    const dht = await network.node("127.0.0.11", [silent.address]);
    const pending = Promise.all([dht.lookup(infoHash, () => {}), dht.announce(infoHash, 1)]);
    await eventually(() => silent.received.length > 0);
    expect(await elapsed(Promise.all([dht.close(), pending]))).toBeLessThan(100);
    expect(
      await elapsed(Promise.all([dht.lookup(infoHash, () => {}), dht.announce(infoHash, 1), dht.close()])),
    ).toBeLessThan(50);
  });

  test("closing cancels every timer that was set", async () => {
    const clock = new VirtualClock();
    const dht = await network.node("127.0.0.11", [], { clock });
    await eventually(() => clock.timerCount === 1);
    const lookup = dht.lookup(infoHash, () => {});
    expect(clock.timerCount).toBe(2);
    await Promise.all([dht.close(), lookup]);
    expect(clock.timerCount).toBe(0);
  });

  test("a lookup ends after its longest time, whatever the library does", async () => {
    const clock = new VirtualClock();
    const silent = await network.raw("127.0.0.12");
    const dht = await network.node("127.0.0.11", [silent.address], { clock });
    let isOver = false;
    const lookup = dht.lookup(infoHash, () => {}).finally(() => (isOver = true));
    await eventually(() => silent.received.length > 0);
    clock.advance(DHT_LOOKUP_TIMEOUT_MS - 1);
    await Promise.resolve();
    expect(isOver).toBe(false);
    clock.advance(1);
    expect(await elapsed(lookup)).toBeLessThan(50);
  });

  test("it joins the nodes nearest to itself, but not in the flood of the first seconds", async () => {
    const clock = new VirtualClock();
    const raw = await network.raw("127.0.0.12");
    const dht = await network.node("127.0.0.11", [raw.address], { clock });
    const asked = () => raw.received.map(({ message }) => dictText(message, "q"));
    await eventually(() => clock.timerCount === 1);
    clock.advance(DHT_JOIN_DELAY_MS - 1);
    void dht.lookup(infoHash, () => {});
    await eventually(() => asked().includes("get_peers"));
    expect(asked()).not.toContain("find_node");
    clock.advance(1);
    await eventually(() => asked().includes("find_node"));
  });

  test("addNode brings in a node by a PORT message and refuses those outside of the address policy", async () => {
    const [a, b] = [
      await network.node("127.0.0.11"),
      await network.node("127.0.0.12", [], { accepts: () => true }),
    ];
    a.addNode({ host: "192.0.2.1", port: 6881 });
    a.addNode(at("127.0.0.11", a));
    a.addNode(at("127.0.0.12", b));
    await eventually(() => a.nodeCount === 1 && b.nodeCount === 1);
  });
});
