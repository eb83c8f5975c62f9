// src/types/bittorrent-dht.d.ts promises members, private ones among them: here the installed package is held to it.
/* oxlint-disable no-underscore-dangle -- the private members are what is checked */
import { afterAll, describe, expect, spyOn, test } from "bun:test";
import LibraryDht from "bittorrent-dht";
import { EventEmitter } from "node:events";

class SilentSocket extends EventEmitter {
  bind(): void {}
  send(): void {}
  address() {
    return { address: "127.0.0.1", port: 1 };
  }
  close(): void {
    queueMicrotask(() => this.emit("close"));
  }
}

const nodeId = Buffer.alloc(20, 7);
const dht = new LibraryDht({
  bootstrap: [],
  socket: new SilentSocket(),
  nodeId,
  host: "127.0.0.1",
  timeout: 400,
  maxAge: 1000,
  maxPeers: 10,
  concurrency: 8,
  k: 8,
});
afterAll(() => new Promise<void>((resolve) => dht.destroy(resolve)));

describe("the declaration of bittorrent-dht", () => {
  test("is written for the installed version", async () => {
    const declaration = await Bun.file(new URL("../src/types/bittorrent-dht.d.ts", import.meta.url)).text();
    const manifest: unknown = await Bun.file(
      new URL("../node_modules/bittorrent-dht/package.json", import.meta.url),
    ).json();
    const [, version] = declaration.match(/^\/\/ bittorrent-dht (\S+):/) ?? [];
    expect(version).toBeString();
    expect(manifest).toMatchObject({ name: "bittorrent-dht", version });
  });

  test.each(["on", "listen", "lookup", "announce", "emit", "removeNode", "destroy", "_onquery"] as const)(
    "%s is a method",
    (name) => expect(dht[name]).toBeFunction(),
  );

  test.each(["_closest", "_onfindnode", "_ongetpeers", "_onannouncepeer", "_bootstrap"] as const)(
    "%s exists to be overridden",
    (name) => expect(LibraryDht.prototype[name]).toBeFunction(),
  );

  test("the members of the RPC layer are there, and its socket has the one listener for queries that is replaced", () => {
    expect(dht._rpc.query).toBeFunction();
    expect(dht._rpc.error).toBeFunction();
    expect((dht._rpc.socket as unknown as EventEmitter).listenerCount("query")).toBe(1);
  });

  test("a query has the transaction id after the last one, which is a plain number, and its id is in use", () => {
    const socket = dht._rpc.socket as unknown as { _tick: number; readonly _ids: readonly number[] };
    socket._tick = 41;
    dht._rpc.query({ host: "127.0.0.1", port: 9 }, { q: "ping" }, () => {});
    expect(socket._ids).toContain(42);
    expect(socket._tick).toBe(42);
  });

  test("the node id is the given one, and the routing table counts, lists and sorts", () => {
    expect(dht.nodeId).toEqual(nodeId);
    expect(dht.destroyed).toBe(false);
    expect(dht.nodes.count()).toBe(0);
    expect(dht.nodes.toArray()).toEqual([]);
    expect(dht.nodes.get(nodeId)).toBeNull();
    expect(dht._rpc.nodes.closest(nodeId, 20)).toEqual([]);
    expect(dht._rpc.id).toEqual(nodeId);
    expect(dht._rpc.response).toBeFunction();
  });

  test("an announce goes to what the table of its info hash gives, with the token of each", async () => {
    expect(dht._tables.get(nodeId.toString("hex"))).toBeFalsy();
    const asked: unknown[] = [];
    const given = { host: "127.0.0.1", port: 9, id: Buffer.alloc(20, 8), token: Buffer.from("t") };
    const inner = dht._rpc as unknown as { queryAll: (nodes: unknown, message: unknown) => void };
    spyOn(inner, "queryAll").mockImplementation((nodes) => void asked.push(nodes));
    dht._tables.set(nodeId.toString("hex"), { closest: () => [given] });
    dht.announce(nodeId, 1, () => {});
    expect(asked).toEqual([[given]]);
  });

  test("a lookup is one call of the walk, with get_peers", () => {
    const walk = spyOn(dht, "_closest").mockImplementation(() => {});
    dht.lookup(nodeId, () => {});
    expect(walk.mock.calls[0]?.[0]).toEqual(nodeId);
    expect(walk.mock.calls[0]?.[1]).toMatchObject({ q: "get_peers", a: { info_hash: nodeId } });
    walk.mockRestore();
  });

  test("a node enters the routing table by _addNode alone", () => {
    const enter = spyOn(dht._rpc, "_addNode").mockImplementation(() => {});
    const socket = dht._rpc.socket as unknown as EventEmitter;
    socket.emit("response", { r: { id: Buffer.alloc(20, 9) } }, { address: "127.0.0.1", port: 9 });
    expect(enter.mock.calls[0]?.[0]).toMatchObject({ host: "127.0.0.1", port: 9, id: Buffer.alloc(20, 9) });
    expect(dht.nodes.count()).toBe(0);
    enter.mockRestore();
  });

  test("stored peers are put in and given out by info hash and count", () => {
    dht._peers.add("00".repeat(20), Buffer.alloc(6, 1));
    expect(dht._peers.get("00".repeat(20), 50)).toEqual([Buffer.alloc(6, 1)]);
    expect(dht._peers.destroy).toBeFunction();
  });
});
