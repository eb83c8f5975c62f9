import { expect, test } from "bun:test";
import { Geometry } from "../../src/core/torrent/geometry.ts";
import { MAX_REQUEST_LENGTH } from "../../src/core/torrent/limits.ts";
import type { Block, PeerMessage } from "../../src/core/torrent/peer-message.ts";
import { connectedPair, exchange, frame, GEOMETRY, INFO_HASH, peerId, uint32, WireEnd } from "./wire-end.ts";

const piece = (index: number) => GEOMETRY.piece(index)!;
const block: Block = { piece: piece(2), begin: 16384, length: 16384 };

function readyPair(): [WireEnd, WireEnd] {
  const [a, b] = connectedPair();
  a.wire.setGeometry(GEOMETRY);
  b.wire.setGeometry(GEOMETRY);
  return [a, b];
}

test("PeerWire exchanges handshakes and agrees on the fast extension", () => {
  const [a, b] = connectedPair({ byte: 5 }, { byte: 6 });
  const bits = { fast: true, dht: true, extended: true };
  expect(a.handshakes).toEqual([{ infoHash: INFO_HASH, peerId: peerId(6), ...bits }]);
  expect(b.handshakes).toEqual([{ infoHash: INFO_HASH, peerId: peerId(5), ...bits }]);
  expect([a.wire.hasFast, b.wire.hasFast]).toEqual([true, true]);
  expect([a.faults, b.faults]).toEqual([[], []]);
});

test("PeerWire carries every message unchanged to the other side", () => {
  const [a, b] = readyPair();
  const messages: PeerMessage[] = [
    { type: "bitfield", bytes: Uint8Array.of(0b10100000, 0b01000000) },
    { type: "unchoke" },
    { type: "choke" },
    { type: "interested" },
    { type: "notInterested" },
    { type: "have", piece: piece(8) },
    { type: "suggest", piece: piece(1) },
    { type: "allowedFast", piece: piece(3) },
    { type: "request", block },
    { type: "cancel", block },
    { type: "reject", block },
  ];
  for (const message of messages) a.wire.send(message);
  exchange(a, b);
  expect(b.messages).toEqual(messages);
});

test("PeerWire carries haveAll and haveNone in the fast extension", () => {
  const [a, b] = readyPair();
  a.wire.send({ type: "haveAll" });
  b.wire.send({ type: "haveNone" });
  exchange(a, b);
  expect(b.messages).toEqual([{ type: "haveAll" }]);
  expect(a.messages).toEqual([{ type: "haveNone" }]);
});

test("PeerWire carries blocks, copied or filled in place", () => {
  const [a, b] = readyPair();
  const payload = crypto.getRandomValues(new Uint8Array(block.length));
  a.wire.sendBlock(block, payload);
  a.wire.reserveBlock(block).set(payload);
  exchange(a, b);
  expect(b.blocks).toEqual([
    { block, payload },
    { block, payload },
  ]);
});

test("PeerWire refuses to send a block without its bytes", () => {
  const [a] = readyPair();
  expect(() => a.wire.send({ type: "block", block })).toThrow("a block is sent with its bytes");
});

test("PeerWire carries ports, keep-alives and extension messages", () => {
  const [a, b] = connectedPair({ extensions: ["ut_pex"] }, { extensions: ["p2p_other", "ut_pex"] });
  expect(a.wire.sendExtended("ut_pex", Uint8Array.of(1, 2, 3))).toBe(true);
  expect(a.wire.sendExtended("p2p_other", Uint8Array.of(1))).toBe(false);
  expect(b.wire.sendExtended("p2p_other", Uint8Array.of(1))).toBe(false);
  a.wire.sendPort(42083);
  a.wire.sendKeepAlive();
  exchange(a, b);
  expect(b.extended).toEqual([{ name: "ut_pex", payload: Uint8Array.of(1, 2, 3) }]);
  expect(b.ports).toEqual([42083]);
  expect([b.messages, b.faults]).toEqual([[], []]);
});

test("PeerWire takes a keep-alive for a whole message that says nothing", () => {
  const [a, b] = connectedPair();
  a.wire.sendKeepAlive();
  const bytes = a.take();
  expect(bytes).toEqual(new Uint8Array(4));
  const heard = b.log.length;
  expect([b.wire.receive(bytes.subarray(0, 3)), b.wire.receive(bytes.subarray(3))]).toEqual([false, true]);
  expect(b.log).toHaveLength(heard);
});

test("PeerWire sends its extension handshake after both handshakes, and again after a change", () => {
  const a = new WireEnd({ direction: "outgoing" });
  const b = new WireEnd({ direction: "incoming" });
  const fields = {
    v: "p2pfile test",
    p: 42083,
    reqq: 100,
    pf_request_length: 131_072,
    upload_only: 0,
  } as const;
  a.wire.setExtendedHandshake(fields);
  a.wire.sendExtendedHandshake();
  exchange(a, b);
  expect(b.extendedHandshakes.length).toBe(1);
  expect(b.extendedHandshakes[0]).toMatchObject({
    client: "p2pfile test",
    listenPort: 42083,
    requestQueue: 100,
    requestLength: 131_072,
  });
  a.wire.setExtendedHandshake({ ...fields, upload_only: 1 });
  a.wire.sendExtendedHandshake();
  exchange(a, b);
  expect(b.extendedHandshakes.map((handshake) => handshake.uploadOnly)).toEqual([false, true]);
});

test("PeerWire passes on messages from before the metadata, checked and in a legal order", () => {
  const [a, b] = connectedPair();
  a.wire.setGeometry(GEOMETRY);
  for (const type of ["unchoke", "choke", "unchoke", "interested"] as const) a.wire.send({ type });
  a.wire.send({ type: "have", piece: piece(8) });
  a.wire.send({ type: "bitfield", bytes: Uint8Array.of(0b11000000, 0) });
  a.wire.send({ type: "have", piece: piece(4) });
  a.wire.send({ type: "allowedFast", piece: piece(7) });
  exchange(a, b);
  expect(b.messages).toEqual([]);
  b.wire.setGeometry(GEOMETRY);
  expect(b.messages).toEqual([
    { type: "bitfield", bytes: Uint8Array.of(0b11000000, 0) },
    { type: "have", piece: piece(4) },
    { type: "have", piece: piece(8) },
    { type: "allowedFast", piece: piece(7) },
    { type: "interested" },
    { type: "unchoke" },
  ]);
  a.wire.send({ type: "choke" });
  exchange(a, b);
  expect(b.messages.at(-1)).toEqual({ type: "choke" });
});

test("PeerWire sends nothing and calls no listener after close", () => {
  const [a, b] = readyPair();
  b.wire.send({ type: "unchoke" });
  b.wire.send({ type: "request", block });
  b.wire.sendBlock(block, new Uint8Array(block.length));
  b.wire.sendKeepAlive();
  const late = b.take();
  a.wire.close();
  a.wire.receive(late);
  a.wire.send({ type: "interested" });
  a.wire.sendBlock(block, new Uint8Array(block.length));
  a.wire.sendPort(1);
  a.wire.sendExtendedHandshake();
  expect(a.messages).toEqual([]);
  expect(a.blocks).toEqual([]);
  expect(a.faults).toEqual([]);
  expect(a.take().length).toBe(0);
});

test("PeerWire stops within a chunk when a listener closes it", () => {
  const [a, b] = readyPair();
  a.wire.send({ type: "unchoke" });
  a.wire.send({ type: "interested" });
  const both = a.take();
  b.messages.push = (...messages) => {
    b.wire.close();
    return Array.prototype.push.apply(b.messages, messages);
  };
  b.wire.receive(both);
  expect(b.messages.length).toBe(1);
});

test("PeerWire passes an exception of a listener to its caller", () => {
  const [a, b] = readyPair();
  a.wire.send({ type: "unchoke" });
  b.messages.push = () => {
    throw new Error("a bug of ours");
  };
  expect(() => b.wire.receive(a.take())).toThrow("a bug of ours");
  expect(b.faults).toEqual([]);
});

test("PeerWire reports the same events for any cuts of the stream", () => {
  const [a, b] = readyPair();
  a.take();
  for (let i = 0; i < 10; i++) {
    a.wire.send({ type: "request", block });
    a.wire.sendBlock(block, new Uint8Array(block.length).fill(i));
    a.wire.send({ type: "have", piece: piece(i) });
  }
  const stream = a.take();
  const [, c] = readyPair();
  b.log.length = 0;
  c.log.length = 0;
  b.wire.receive(stream);
  for (let at = 0; at < stream.length; at += 777) c.wire.receive(stream.slice(at, at + 777));
  expect(c.log).toEqual(b.log);
  expect(b.log.length).toBe(30);
});

test("PeerWire keeps no view of the receive buffer, before the metadata and after", () => {
  const bits = Uint8Array.of(0b10000000, 0);
  for (const early of [true, false]) {
    const [a, b] = connectedPair();
    if (!early) b.wire.setGeometry(GEOMETRY);
    a.wire.send({ type: "bitfield", bytes: bits });
    const chunk = a.take();
    b.wire.receive(chunk);
    chunk.fill(0xff);
    if (early) b.wire.setGeometry(GEOMETRY);
    expect(b.messages).toEqual([{ type: "bitfield", bytes: bits }]);
    a.wire.send({ type: "have", piece: piece(3) });
    exchange(a, b);
    expect(b.messages.at(-1)).toEqual({ type: "have", piece: piece(3) });
  }
});

test("PeerWire carries the longest runs and requests for them, for any cuts of the stream, and nothing longer", () => {
  const geometry = new Geometry(1_000_000, 262_144);
  const run = (begin: number, length: number): Block => ({ piece: geometry.piece(0)!, begin, length });
  const longest = run(131_072, MAX_REQUEST_LENGTH);
  for (const step of [100_000, 65_536, 1_000, 131_072 + 13]) {
    const [a, b] = connectedPair();
    for (const end of [a, b]) end.wire.setGeometry(geometry);
    const payload = crypto.getRandomValues(new Uint8Array(longest.length));
    a.take();
    for (const type of ["request", "cancel", "reject"] as const) a.wire.send({ type, block: longest });
    for (let i = 0; i < 3; i++) a.wire.sendBlock(longest, payload);
    const stream = a.take();
    for (let at = 0; at < stream.length; at += step) b.wire.receive(stream.slice(at, at + step));
    expect(b.messages.map((message) => "block" in message && message.block)).toEqual([
      longest,
      longest,
      longest,
    ]);
    expect(b.blocks.map(({ block }) => block)).toEqual([longest, longest, longest]);
    for (const block of b.blocks) expect(Buffer.compare(block.payload, payload)).toBe(0);
    expect(b.faults).toEqual([]);
    a.wire.send({ type: "request", block: run(0, MAX_REQUEST_LENGTH + 1) });
    b.wire.receive(a.take());
    expect(b.messages).toHaveLength(3);
    expect(b.take()).toEqual(frame(16, uint32(0, 0, MAX_REQUEST_LENGTH + 1)));
  }
});
