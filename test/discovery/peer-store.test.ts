import { describe, expect, test } from "bun:test";
import {
  MAX_DHT_PEERS_PER_HASH,
  MAX_DHT_PEERS_PER_HOST,
  MAX_DHT_PEERS_PER_HOST_AND_HASH,
  MAX_DHT_STORED_PEERS,
} from "../../src/discovery/limits.ts";
import { PeerStore } from "../../src/discovery/peer-store.ts";

const expiryMs = 90_000;

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

const newStore = () => new PeerStore({ maxPeers: MAX_DHT_STORED_PEERS, expiryMs, random: seeded(7) });
const host = (i: number) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
const peer = (i: number) => ({ host: host(i), port: 42_070 });
const hex = (bytes: readonly Buffer[]) => bytes.map((one) => one.toString("hex"));

describe("PeerStore", () => {
  test("D5: one info hash takes so many peers, and no more", () => {
    const store = newStore();
    for (let i = 0; i < MAX_DHT_PEERS_PER_HASH; i++) expect(store.add("a", peer(i), 0)).toBe(true);
    expect(store.hasRoom("a", host(99_999), 0)).toBe(false);
    expect(store.add("a", peer(99_999), 0)).toBe(false);
    expect(store.hasRoom("b", host(99_999), 0)).toBe(true);
  });

  test("D5: a stored peer may renew in a full store, and expires later", () => {
    const store = newStore();
    for (let i = 0; i < MAX_DHT_PEERS_PER_HASH; i++) store.add("a", peer(i), 0);
    expect(store.hasRoom("a", host(5), 10)).toBe(true);
    expect(store.add("a", peer(5), 10)).toBe(true);
    expect(store.size).toBe(MAX_DHT_PEERS_PER_HASH);
    expect(store.sample("a", 50, expiryMs)).toHaveLength(1);
    expect(store.sample("a", 50, expiryMs + 10)).toHaveLength(0);
  });

  test("D5: one host has so many peers of one info hash, and of all, and no more", () => {
    const store = newStore();
    let stored = 0;
    for (let port = 1; port <= 1000; port++) if (store.add("a", { host: host(1), port }, 0)) stored++;
    expect(stored).toBe(MAX_DHT_PEERS_PER_HOST_AND_HASH);
    for (let i = 0; i < 1000; i++) if (store.add(`hash ${i}`, peer(1), 0)) stored++;
    expect(stored).toBe(MAX_DHT_PEERS_PER_HOST);
    expect(store.hasRoom("new", host(1), 0)).toBe(false);
    expect(store.hasRoom("new", host(2), 0)).toBe(true);
  });

  test("D5: there is room for 30 processes of a host with 16 files each, and for 1000 machines with ten", () => {
    const store = newStore();
    for (let file = 0; file < 16; file++)
      for (let port = 42_070; port < 42_100; port++)
        expect(store.add(`file ${file}`, { host: host(1), port }, 0)).toBe(true);
    const fleet = newStore();
    for (let file = 0; file < 10; file++)
      for (let i = 0; i < 1000; i++) expect(fleet.add(`file ${file}`, peer(i), 0)).toBe(true);
  });

  test("D5: a million announces of a million info hashes leave a bounded store with the earliest peers", () => {
    const store = newStore();
    store.add("first", peer(1), 0);
    for (let i = 0; i < 1_000_000; i++) store.add(String(i), peer(2 + (i % 5000)), 0);
    let hashes = 0;
    for (let i = 0; i < MAX_DHT_STORED_PEERS; i++) if (store.sample(String(i), 1, 0).length > 0) hashes++;
    // One more is the first.
    expect(hashes).toBe(MAX_DHT_STORED_PEERS - 1);
    expect(store.size).toBeLessThanOrEqual(MAX_DHT_STORED_PEERS);
    expect(store.sample("first", 50, 0)).toHaveLength(1);
    expect(store.hasRoom("another", host(9), 0)).toBe(false);
    expect(store.hasRoom("another", host(9), expiryMs)).toBe(true);
    expect(store.size).toBe(0);
  });

  test("D5: two hosts that announce all they can leave room for an info hash of each other host", () => {
    const store = newStore();
    for (const flooder of [1, 2])
      for (let i = 0; i < 5_000; i++) store.add(`${flooder} ${i}`, peer(flooder), 0);
    for (let i = 10; i < 1_010; i++) {
      expect(store.hasRoom(`hash ${i}`, host(i), 0)).toBe(true);
      expect(store.add(`hash ${i}`, peer(i), 0)).toBe(true);
    }
  });

  test("D5: hosts that fill the store yield to a host with less, down to equal shares and no further", () => {
    const store = new PeerStore({ maxPeers: 100, expiryMs, random: seeded(1) });
    for (let i = 0; i < 60; i++) for (const flooder of [1, 2]) store.add(`${flooder} ${i}`, peer(flooder), i);
    let stored = 0;
    for (let i = 0; i < 60; i++) if (store.add(`mine ${i}`, peer(3), 60)) stored++;
    // 100 peers of three hosts.
    expect(stored).toBe(33);
    expect(store.size).toBe(100);
    // The oldest of theirs have left.
    expect(store.sample("1 0", 1, 60)).toHaveLength(0);
    expect(store.sample("1 49", 1, 60)).toHaveLength(1);
  });

  test("D5: hosts that fill one info hash yield in it to another host", () => {
    const store = newStore();
    for (let flooder = 1; flooder <= 20; flooder++)
      for (let port = 1; port <= 64; port++) store.add("a", { host: host(flooder), port }, port);
    expect(store.size).toBe(MAX_DHT_PEERS_PER_HASH);
    expect(store.hasRoom("a", host(99), 64)).toBe(true);
    expect(store.add("a", peer(99), 64)).toBe(true);
    expect(store.size).toBe(MAX_DHT_PEERS_PER_HASH);
    expect(hex(store.sample("a", 1_000, 64))).toContain("0a000063a456");
  });

  test("D5: our own records yield to no host", () => {
    const store = new PeerStore({ maxPeers: 10, expiryMs, random: seeded(1) });
    for (let file = 0; file < 8; file++) store.keep(`file ${file}`, peer(0), 0);
    for (let i = 0; i < 100; i++) store.add(`hash ${i}`, peer(1 + i), 0);
    for (let file = 0; file < 8; file++) expect(store.sample(`file ${file}`, 1, 0)).toHaveLength(1);
  });

  test("our own record is kept without room", () => {
    const store = new PeerStore({ maxPeers: 3, expiryMs, random: seeded(1) });
    for (let i = 0; i < 5; i++) store.add("a", peer(i), 0);
    store.keep("b", peer(9), 0);
    expect(hex(store.sample("b", 50, 0))).toEqual(["0a000009a456"]);
    expect(store.size).toBe(4);
  });

  test("a sample is without repetition and uniform", () => {
    const store = newStore();
    for (let i = 0; i < 200; i++) store.add("a", peer(i), 0);
    const seen = new Map<string, number>();
    for (let round = 0; round < 1000; round++) {
      const sample = hex(store.sample("a", 50, 0));
      expect(new Set(sample).size).toBe(50);
      for (const one of sample) seen.set(one, (seen.get(one) ?? 0) + 1);
    }
    expect(seen.size).toBe(200);
    // 250 expected, standard deviation 14.
    for (const times of seen.values()) expect(Math.abs(times - 250)).toBeLessThan(80);
  });

  test("after any announces a sample is what is stored and has not expired (against a plain list)", () => {
    const seed = 20_261_121;
    const random = seeded(seed);
    const store = new PeerStore({ maxPeers: 60, expiryMs: 50, random });
    const plain = new Map<string, number>();
    for (let now = 0; now < 5_000; now++) {
      const [hash, address] = [`h${Math.floor(random() * 4)}`, peer(Math.floor(random() * 30))];
      if (store.add(hash, address, now)) plain.set(`${hash} ${address.host}`, now + 50);
      for (const [key, until] of plain) if (until <= now) plain.delete(key);
      const given = store
        .sample(hash, 1000, now)
        .map((bytes) => `${hash} ${bytes.subarray(0, 4).join(".")}`)
        .sort();
      const expected = [...plain.keys()].filter((key) => key.startsWith(`${hash} `)).sort();
      if (given.join() !== expected.join() || store.size !== plain.size)
        throw new Error(`seed ${seed}, at ${now}: ${given.join()} instead of ${expected.join()}`);
    }
  });
});
