import { describe, expect, test } from "bun:test";
import { ANNOUNCE_MS, LOOKUP_HUNGRY_MS } from "../../../src/core/swarm/limits.ts";
import { addressKey } from "../../../src/core/format/peer-address.ts";
import type { Dht } from "../../../src/discovery/dht.ts";
import { DhtSource } from "../../../src/session/network/dht-source.ts";
import { PeerDiscovery } from "../../../src/session/network/peer-discovery.ts";
import { FakeSource, TORRENT, torrentHash } from "./network-fixture.ts";

const HUNGRY = { isSeeding: false, peers: 0, addresses: 0 };

function discovery(sources: readonly FakeSource[]) {
  const learned: string[] = [];
  const subject = new PeerDiscovery({
    infoHash: torrentHash(TORRENT),
    port: 42_070,
    sources,
    random: () => 0.5,
    learn: (address, source) => void learned.push(`${addressKey(address)} ${source}`),
  });
  return { subject, learned };
}

describe("PeerDiscovery", () => {
  test("asks every source and knows where each address was learned", () => {
    const sources = [new FakeSource("dht"), new FakeSource("pex")];
    sources[0]?.known.push({ host: "10.0.0.2", port: 2000 });
    sources[1]?.known.push({ host: "10.0.0.3", port: 3000 });
    const { subject, learned } = discovery(sources);
    subject.tick(0, HUNGRY);
    expect(learned).toEqual(["10.0.0.2:2000 dht", "10.0.0.3:3000 pex"]);
    expect(sources.map(({ announces }) => announces)).toEqual([1, 1]);
  });

  test("repeats an announce that no node took, at the source where it was lost", async () => {
    const [heard, lost] = [new FakeSource(), new FakeSource()];
    lost.isHeard = false;
    const { subject } = discovery([heard, lost]);
    subject.tick(0, HUNGRY);
    await Promise.resolve();
    subject.tick(LOOKUP_HUNGRY_MS, HUNGRY);
    expect([heard.announces, lost.announces]).toEqual([1, 2]);
    subject.tick(ANNOUNCE_MS, HUNGRY);
    expect(heard.announces).toBe(2);
  });

  test("waits with a lost announce while a source knows no node", async () => {
    const source = new FakeSource();
    source.isHeard = false;
    source.nodeCount = 0;
    const { subject } = discovery([source]);
    subject.tick(0, HUNGRY);
    await Promise.resolve();
    subject.tick(LOOKUP_HUNGRY_MS, HUNGRY);
    expect(source.announces).toBe(1);
    source.nodeCount = 1;
    subject.tick(LOOKUP_HUNGRY_MS + 1, HUNGRY);
    expect(source.announces).toBe(2);
  });
});

test("DhtSource passes everything to the DHT node", async () => {
  const calls: unknown[][] = [];
  const record =
    (name: string, result?: unknown) =>
    (...values: unknown[]) => {
      calls.push([name, ...values]);
      return result;
    };
  const dht = {
    nodeCount: 7,
    onAnnounced: record("onAnnounced"),
    lookup: record("lookup", Promise.resolve()),
    announce: record("announce", Promise.resolve(true)),
    addNode: record("addNode"),
    close: record("close", Promise.resolve()),
  };
  const source = new DhtSource(dht as unknown as Dht);
  const [infoHash, onPeer, address] = [torrentHash(1), () => {}, { host: "10.0.0.2", port: 2000 }];
  source.start(onPeer);
  await source.lookup(infoHash, onPeer);
  expect(await source.announce(infoHash, 42_070)).toBe(true);
  source.addNode(address);
  await source.close();
  expect([source.name, source.nodeCount]).toEqual(["dht", 7]);
  expect(calls).toEqual([
    ["onAnnounced", onPeer],
    ["lookup", infoHash, onPeer],
    ["announce", infoHash, 42_070],
    ["addNode", address],
    ["close"],
  ]);
});
