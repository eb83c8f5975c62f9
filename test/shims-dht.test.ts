// src/types/bittorrent-dht.d.ts promises members, private ones among them: here the installed package is held to it.
/* oxlint-disable no-underscore-dangle -- the private members are what is checked */
import { afterAll, describe, expect, test } from "bun:test";
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

  test.each(["_onfindnode", "_ongetpeers", "_onannouncepeer", "_bootstrap"] as const)(
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

  test("a walk leaves a table behind, which gives the nearest nodes and takes one out", async () => {
    expect(dht._tables.get(nodeId.toString("hex"))).toBeFalsy();
    await new Promise((resolve) => dht.lookup(nodeId, resolve));
    const table = dht._tables.get(nodeId.toString("hex"));
    expect(table?.closest(nodeId, 8)).toEqual([]);
    expect(table?.remove).toBeFunction();
  });

  test("stored peers are put in and given out by info hash and count", () => {
    dht._peers.add("00".repeat(20), Buffer.alloc(6, 1));
    expect(dht._peers.get("00".repeat(20), 50)).toEqual([Buffer.alloc(6, 1)]);
    expect(dht._peers.destroy).toBeFunction();
  });
});
