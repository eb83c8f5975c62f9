import { describe, expect, test } from "bun:test";
import {
  DHT_K,
  MAX_NEAREST_PER_HOST,
  MAX_PINNED_PER_WALK,
  MAX_WALK_NODES_NAMED_BY_HOST,
  MAX_WALK_QUERIES,
  MAX_WALK_QUERIES_PER_HOST,
} from "../../src/discovery/limits.ts";
import { addressKey } from "../../src/core/format/peer-address.ts";
import { readWalkReply, Walk, type WalkNode, type WalkOptions } from "../../src/discovery/walk.ts";
import { compactNode, id20 } from "./krpc.ts";

const target = Buffer.alloc(20);
/** A node so far from the target. */
const node = (distance: number, host: string, port = 1) => {
  const id: Buffer = Buffer.alloc(20);
  id.writeUInt32BE(distance, 0);
  return { id, host, port };
};
const others = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => node(from + i, `10.0.${(from + i) >> 8}.${(from + i) & 255}`));
const begin = (options: Partial<WalkOptions>) =>
  new Walk({ target, ownId: id20("o"), known: [], pinned: [], silent: [], ...options });
const answer = (of: ReturnType<typeof node>, nodes: ReturnType<typeof node>[] = []) => ({
  id: of.id,
  token: Buffer.from("t"),
  nodes,
});
const hostsOf = (nodes: readonly WalkNode[]) => nodes.map(({ host }) => host);

describe("Walk", () => {
  test("asks the nearest nodes it knows, nearer ones that they name, and is over when all have answered", () => {
    const known = others(100, 20);
    const walk = begin({ known });
    expect(walk.next()).toMatchObject(known.slice(0, DHT_K));
    const nearer = others(10, 3);
    walk.answered(known[0]!, answer(known[0]!, nearer));
    expect(walk.next()).toMatchObject(nearer);
    expect(walk.isOver).toBe(false);
    for (const one of [...known.slice(1, DHT_K), ...nearer]) walk.answered(one, answer(one));
    expect(walk.next()).toEqual([]);
    expect(walk.isOver).toBe(true);
    expect(walk.answers).toBe(DHT_K + 3);
    expect(walk.tokenNodes.map(({ id }) => id)).toEqual(
      [...nearer, ...known.slice(0, DHT_K - 3)].map(({ id }) => id),
    );
  });

  test("a node that is lost makes place for the next nearest", () => {
    const known = others(100, 20);
    const walk = begin({ known });
    walk.next();
    walk.failed(known[0]!);
    expect(hostsOf(walk.next())).toEqual([known[DHT_K]!.host]);
  });

  test("D11: ten ports of one host beside the target do not keep the walk from other hosts", () => {
    const sybils = Array.from({ length: 10 }, (_, i) => node(1 + i, "10.9.9.9", 1 + i));
    const walk = begin({ known: [...sybils, ...others(100, 20)] });
    const asked = walk.next();
    expect(asked.filter(({ host }) => host === "10.9.9.9")).toHaveLength(MAX_NEAREST_PER_HOST);
    expect(asked).toHaveLength(DHT_K);
    for (const one of asked) walk.answered(one, { ...answer(node(0, "")), id: one.id! });
    const told = walk.tokenNodes.filter(({ host }) => host === "10.9.9.9");
    expect(told).toHaveLength(MAX_NEAREST_PER_HOST);
  });

  test("D11: a network of one host is walked like any other, so many queries of it", () => {
    const known = Array.from({ length: 30 }, (_, i) => node(100 + i, "10.0.0.1", 1 + i));
    const walk = begin({ known });
    expect(walk.next()).toHaveLength(DHT_K);
    let asked = DHT_K;
    for (const one of known) {
      walk.failed(one);
      asked += walk.next().length;
    }
    expect(asked).toBe(MAX_WALK_QUERIES_PER_HOST);
  });

  test("D11: nodes that one host invents are bounded, by all its ports together", () => {
    const inventors = Array.from({ length: 10 }, (_, i) => node(1000 + i, "10.9.9.9", 1 + i));
    const walk = begin({ known: inventors });
    walk.next();
    let serial = 900;
    for (const inventor of inventors) walk.answered(inventor, answer(inventor, others((serial -= 20), 20)));
    let invented = 0;
    for (let due = walk.next(); due.length > 0; due = walk.next()) {
      const dead = due.filter(({ host }) => host !== "10.9.9.9");
      invented += dead.length;
      for (const one of dead) walk.failed(one);
    }
    expect(invented).toBe(MAX_WALK_NODES_NAMED_BY_HOST);
  });

  test("D11: hosts that name one another without end are asked so many times in all", () => {
    let serial = 1_000_000;
    const first = node(serial, "10.1.0.1");
    const walk = begin({ known: [first] });
    let asked = 0;
    for (let due = walk.next(); due.length > 0; due = walk.next()) {
      asked += due.length;
      for (const one of due) walk.answered(one, answer({ ...first, ...one }, others((serial -= 8), 8)));
    }
    expect(asked).toBe(MAX_WALK_QUERIES);
    expect(walk.isOver).toBe(true);
  });

  test("D11: pinned addresses are asked and told, however many nodes are nearer", () => {
    const pinned = [
      { host: "10.5.5.5", port: 5 },
      { host: "10.5.5.6", port: 5 },
    ];
    const known = others(1, 40);
    const walk = begin({ known, pinned });
    const asked = walk.next();
    expect(hostsOf(asked)).toEqual([...hostsOf(pinned), ...hostsOf(known.slice(0, DHT_K))]);
    for (const one of asked) walk.answered(one, answer({ ...node(0xffff_ffff, ""), ...one }));
    expect(walk.next()).toEqual([]);
    expect(walk.tokenNodes.map(addressKey)).toEqual([...known.slice(0, DHT_K), ...pinned].map(addressKey));
  });

  test("an announce tells so many pinned addresses, the nearest", () => {
    const pinned = others(5000, 20).map(({ host, port }) => ({ host, port }));
    const walk = begin({ pinned });
    for (const [i, one] of walk.next().entries()) walk.answered(one, answer(node(5000 + i, one.host)));
    expect(walk.tokenNodes).toHaveLength(MAX_PINNED_PER_WALK);
    expect(hostsOf(walk.tokenNodes)).toEqual(hostsOf(pinned.slice(0, MAX_PINNED_PER_WALK)));
  });

  test("a pinned address that was silent is asked and not waited for, and told when it answers in time", () => {
    const silent = [{ host: "10.5.5.5", port: 5 }];
    const [known] = others(1, 1);
    const walk = begin({ known: [known!], silent });
    expect(walk.next()).toHaveLength(2);
    walk.answered(silent[0]!, answer(node(7, "")));
    walk.answered(known!, answer(known!));
    expect(walk.isOver).toBe(true);
    expect(hostsOf(walk.tokenNodes)).toEqual([known!.host, "10.5.5.5"]);
  });

  test("our own id is never asked, an address is asked once, and a stopped walk asks none", () => {
    const known = others(100, 1);
    const walk = begin({ known, ownId: node(3, "").id });
    walk.next();
    walk.answered(
      known[0]!,
      answer(known[0]!, [node(3, "10.0.0.9"), node(7, known[0]!.host), node(5, "10.0.0.7")]),
    );
    expect(hostsOf(walk.next())).toEqual(["10.0.0.7"]);
    const stopped = begin({ known });
    stopped.stop();
    expect(stopped.next()).toEqual([]);
    expect(stopped.isOver).toBe(true);
  });

  test("nodes of a reply are read with id and address, and those without a port are left out", () => {
    const nodes = Buffer.concat([compactNode("a", "10.0.0.1", 7), compactNode("b", "10.0.0.2", 0)]);
    expect(readWalkReply({ id: id20("x"), nodes }).nodes).toEqual([
      { id: id20("a"), host: "10.0.0.1", port: 7 },
    ]);
    expect(readWalkReply({ id: id20("x") }).nodes).toEqual([]);
  });
});
