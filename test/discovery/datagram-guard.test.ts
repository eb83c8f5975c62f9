import { describe, expect, test } from "bun:test";
import {
  decodeBencode,
  dictBytes,
  dictDict,
  dictList,
  encodeBencode,
} from "../../src/core/format/bencode.ts";
import { addressKey, type PeerAddress } from "../../src/core/format/peer-address.ts";
import { MAX_DHT_NODES_READ, MAX_DHT_VALUES_READ } from "../../src/discovery/limits.ts";
import { guardDatagram } from "../../src/discovery/datagram-guard.ts";
import { compactNode, compactPeer, hostileDatagrams, id20, query, reply } from "./krpc.ts";

const anyAddress = () => true;
const id = id20("x");

describe("guardDatagram", () => {
  test.each(Object.entries(hostileDatagrams()))("rejects: %s", (_, datagram) => {
    expect(guardDatagram(datagram, anyAddress).verdict).toBe("rejected");
  });

  test.each([
    ["ping", query("ping", { id })],
    ["find_node", query("find_node", { id, target: id20("t") })],
    [
      "find_node of libtorrent, with n4 and ro",
      query("find_node", { bs: 1, id, target: id20("t"), want: ["n4"] }),
    ],
    ["get_peers", query("get_peers", { id, info_hash: id20("h"), noseed: 1, scrape: 0 }, "t")],
    ["announce_peer", query("announce_peer", { id, info_hash: id20("h"), port: 42_070, token: "abcd" })],
    [
      "announce_peer of aria2",
      query("announce_peer", { id, implied_port: 0, info_hash: id20("h"), port: 65_535, token: "abcd" }),
    ],
    [
      "announce_peer with implied port",
      query("announce_peer", { id, implied_port: 1, info_hash: id20("h"), port: 0, token: "abcd" }),
    ],
    [
      "announce_peer with implied port alone",
      query("announce_peer", { id, implied_port: 1, info_hash: id20("h"), token: "abcd" }),
    ],
    [
      "a query with a version",
      encodeBencode({ a: { id }, q: "ping", ro: 1, t: "aaaa", v: "LT\u0001\u0002", y: "q" }),
    ],
    ["a pong", reply({ id })],
    [
      "a reply with the asker's address (BEP 42)",
      encodeBencode({ ip: compactPeer("10.0.0.1", 7), r: { id, p: 7 }, t: "aa", y: "r" }),
    ],
    [
      "nodes",
      reply({ id, nodes: Buffer.concat([compactNode("a", "10.0.0.1", 1), compactNode("b", "10.0.0.2", 2)]) }),
    ],
    ["no nodes", reply({ id, nodes: "" })],
    ["peers", reply({ id, token: "abcd", values: [compactPeer("10.0.0.1", 1), compactPeer("10.0.0.2", 2)] })],
    ["an error", encodeBencode({ e: [203, "Protocol Error"], t: "aa", y: "e" })],
  ])("passes unchanged: %s", (_, datagram) => {
    const verdict = guardDatagram(datagram, anyAddress);
    expect(verdict).toMatchObject({ verdict: "pass", bytes: datagram });
  });

  test("distinguishes replies from queries and gives the transaction", () => {
    expect(guardDatagram(query("ping", { id }, "zz"), anyAddress)).toMatchObject({
      kind: "query",
      transaction: Uint8Array.of(0x7a, 0x7a),
    });
    expect(guardDatagram(reply({ id }, "\u0001\u0002"), anyAddress)).toMatchObject({
      kind: "reply",
      transaction: Uint8Array.of(1, 2),
    });
  });

  test("cuts out nodes and peers that may not be contacted, and those without a port", () => {
    const inside = (address: PeerAddress) => address.host.startsWith("10.");
    const nodes = [
      compactNode("a", "10.0.0.1", 1),
      compactNode("b", "67.215.246.10", 6881),
      compactNode("c", "10.0.0.2", 2),
    ];
    const values = [compactPeer("8.8.8.8", 53), compactPeer("10.0.0.3", 3), compactPeer("10.0.0.4", 0)];
    const verdict = guardDatagram(
      reply({ id, nodes: Buffer.concat(nodes), token: "tok", values }, "ab"),
      inside,
    );
    if (verdict.verdict !== "cut") throw new Error(`not cut but ${verdict.verdict}`);
    const message = decodeBencode(verdict.bytes) as ReadonlyMap<string, never>;
    const fields = dictDict(message, "r")!;
    expect(dictBytes(fields, "nodes")).toEqual(new Uint8Array(Buffer.concat([nodes[0]!, nodes[2]!])));
    expect(dictList(fields, "values")).toEqual([new Uint8Array(values[1]!)]);
    expect(dictBytes(fields, "token")).toEqual(new Uint8Array(Buffer.from("tok")));
    expect(dictBytes(fields, "id")).toEqual(new Uint8Array(id));
    expect(dictBytes(message, "t")).toEqual(new Uint8Array(Buffer.from("ab")));
    expect(guardDatagram(verdict.bytes, inside).verdict).toBe("pass");
  });

  test("D10: reads so many nodes and peers of one reply, the first ones, and asks about no further address", () => {
    const nodes = Array.from({ length: 74 }, (_, i) => compactNode("n", "10.0.1.1", 1 + i));
    const values = Array.from({ length: 235 }, (_, i) => compactPeer("10.0.2.1", 1 + i));
    for (const fields of [
      { id, nodes: Buffer.concat(nodes) },
      { id, values },
    ]) {
      let asked = 0;
      const verdict = guardDatagram(reply(fields), () => ++asked > 0);
      if (verdict.verdict !== "cut") throw new Error(`not cut but ${verdict.verdict}`);
      const kept = dictDict(decodeBencode(verdict.bytes) as ReadonlyMap<string, never>, "r")!;
      const limit = "nodes" in fields ? MAX_DHT_NODES_READ : MAX_DHT_VALUES_READ;
      expect(asked).toBe(limit);
      if ("nodes" in fields)
        expect(dictBytes(kept, "nodes")).toEqual(new Uint8Array(Buffer.concat(nodes.slice(0, limit))));
      else
        expect(dictList(kept, "values")).toEqual(
          values.slice(0, limit).map((bytes) => new Uint8Array(bytes)),
        );
    }
  });

  test("never throws and never lets a forbidden address through, whatever one byte is changed to", () => {
    const seed = 20_260_101;
    let state = seed;
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    const inside = (address: PeerAddress) => address.host.startsWith("10.");
    const originals = [
      reply({ id, nodes: compactNode("a", "10.0.0.1", 1), token: "t", values: [compactPeer("10.0.0.3", 3)] }),
      query("announce_peer", { id, info_hash: id20("h"), port: 42_070, token: "abcd" }),
      encodeBencode({ e: [203, "Protocol Error"], t: "aa", y: "e" }),
    ];
    for (let i = 0; i < 20_000; i++) {
      const original = originals[random(originals.length)]!;
      const mutant = Uint8Array.from(original);
      for (let n = random(3) + 1; n > 0; n--) mutant[random(mutant.length)] = random(256);
      const verdict = guardDatagram(
        random(4) === 0 ? mutant.subarray(0, random(mutant.length)) : mutant,
        inside,
      );
      if (verdict.verdict === "rejected") continue;
      const again: string[] = [];
      guardDatagram(verdict.bytes, (address) => {
        again.push(addressKey(address));
        return inside(address);
      });
      if (again.some((key) => !key.startsWith("10.")))
        throw new Error(`seed ${seed}, round ${i}: ${again.join()}`);
    }
  });
});
