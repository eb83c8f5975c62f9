// What a broken or hostile peer may send after its handshake, and how PeerWire reacts.
import { expect, test } from "bun:test";
import { MAX_BAD_REQUESTS } from "../../src/core/transfer/limits.ts";
import { MAX_BITFIELDS, MAX_EXTENDED_HANDSHAKES } from "../../src/wire/limits.ts";
import { MAX_PIECE_COUNT } from "../../src/core/torrent/limits.ts";
import type { PeerFault } from "../../src/core/torrent/peer-message.ts";
import { concatBytes } from "../../src/lib/bytes.ts";
import {
  extendedFrame,
  frame,
  GEOMETRY,
  endAfterHandshake,
  handshakeBytes,
  uint32,
  WireEnd,
} from "./wire-end.ts";

const plain = "0000000000100001";
const request = (...numbers: number[]) => frame(6, uint32(...numbers));

function faultOf(...frames: Uint8Array[]): PeerFault | undefined {
  const end = endAfterHandshake();
  end.wire.receive(concatBytes(frames));
  return end.faults[0];
}

test("PeerWire reports one fault and then neither receives nor sends anything", () => {
  const end = endAfterHandshake();
  end.wire.receive(concatBytes([frame(4, uint32(10)), frame(1), frame(4, uint32(11))]));
  end.wire.receive(frame(1));
  end.wire.send({ type: "unchoke" });
  expect(end.faults).toEqual(["badPieceIndex"]);
  expect(end.messages).toEqual([]);
  expect(end.take().length).toBe(0);
});

test("W1: PeerWire refuses another protocol", () => {
  const end = new WireEnd();
  end.wire.receive(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
  expect(end.faults).toEqual(["badHandshake"]);
  expect(end.handshakes).toEqual([]);
  expect(end.take().length).toBe(0);
});

test("W2: PeerWire leaves an incoming handshake unanswered when the listener closes", () => {
  const end = new WireEnd();
  end.handshakes.push = () => {
    end.wire.close();
    return 0;
  };
  end.wire.receive(concatBytes([handshakeBytes(), frame(1)]));
  expect(end.messages).toEqual([]);
  end.take();
});

test("W13: PeerWire refuses indices outside of the torrent", () => {
  for (const index of [10, 0x7fffffff, 0x80000000, 0xffffffff]) {
    for (const id of [4, 13, 17]) expect(faultOf(frame(id, uint32(index)))).toBe("badPieceIndex");
  }
  expect(faultOf(frame(4, uint32(9)))).toBeUndefined();
});

test("W13: PeerWire passes on a million equal haves once", () => {
  const end = endAfterHandshake();
  const flood = concatBytes(Array.from({ length: 10_000 }, () => frame(4, uint32(3))));
  for (let i = 0; i < 100; i++) end.wire.receive(flood);
  expect(end.messages).toEqual([{ type: "have", piece: GEOMETRY.piece(3)! }]);
});

test("W11: PeerWire accepts a late bitfield, and repeated ones up to a limit, and clears their spare bits", () => {
  const end = endAfterHandshake();
  end.wire.receive(concatBytes([frame(4, uint32(1)), frame(5, [0x80, 0x7f])]));
  expect(end.messages.at(-1)).toEqual({ type: "bitfield", bytes: Uint8Array.of(0x80, 0x40) });
  for (let count = 1; count < MAX_BITFIELDS; count++) end.wire.receive(frame(5, [0x80, 0x40]));
  expect(end.faults).toEqual([]);
  end.wire.receive(frame(5, [0x80, 0x40]));
  expect(end.faults).toEqual(["unexpectedMessage"]);
});

test("W11: PeerWire refuses a bitfield of another length and a second announcement of the pieces", () => {
  expect(faultOf(frame(5, [0x80]))).toBe("badBitfield");
  expect(faultOf(frame(5, [0x80, 0, 0]))).toBe("badBitfield");
  expect(faultOf(frame(5, [0x80, 0]), frame(14))).toBe("unexpectedMessage");
  expect(faultOf(frame(14), frame(15))).toBe("unexpectedMessage");
  expect(faultOf(frame(15), frame(15))).toBe("unexpectedMessage");
});

test("PeerWire accepts a bitfield after a have none", () => {
  expect(faultOf(frame(15), frame(5, [0x80, 0]))).toBeUndefined();
  expect(faultOf(frame(15), frame(5, [0x80, 0]), frame(15))).toBe("unexpectedMessage");
});

test("W12: PeerWire keeps a bitfield that arrives before the metadata and checks it afterwards", () => {
  const good = endAfterHandshake({ geometry: false });
  good.wire.receive(frame(5, [0xff, 0xc0]));
  good.wire.setGeometry(GEOMETRY);
  expect(good.messages).toEqual([{ type: "bitfield", bytes: Uint8Array.of(0xff, 0xc0) }]);

  const bad = endAfterHandshake({ geometry: false });
  bad.wire.receive(concatBytes([frame(5, new Uint8Array(32 * 1024)), frame(1)]));
  expect(bad.faults).toEqual([]);
  bad.wire.setGeometry(GEOMETRY);
  expect(bad.faults).toEqual(["badBitfield"]);
  expect(bad.messages).toEqual([]);
});

test("W12: PeerWire bounds the messages that it keeps before the metadata", () => {
  const haves = endAfterHandshake({ geometry: false });
  const all = new Uint8Array(MAX_PIECE_COUNT * 9);
  for (let index = 0; index < MAX_PIECE_COUNT; index++)
    all.set([0, 0, 0, 5, 4, 0, index >>> 16, index >>> 8, index], index * 9);
  haves.wire.receive(all);
  expect(haves.faults).toEqual([]);
  haves.wire.setGeometry(GEOMETRY);
  expect(haves.messages.length).toBe(10);
  expect(haves.faults).toEqual(["badPieceIndex"]);

  for (const index of [MAX_PIECE_COUNT, 0xffffffff]) {
    const end = endAfterHandshake({ geometry: false });
    end.wire.receive(frame(4, uint32(index)));
    expect(end.faults).toEqual(["badPieceIndex"]);
  }
});

test("W10: PeerWire refuses blocks before the metadata and blocks outside of a piece", () => {
  const early = endAfterHandshake({ geometry: false });
  early.wire.receive(frame(7, concatBytes([uint32(0, 0), new Uint8Array(4)])));
  expect(early.faults).toEqual(["unexpectedMessage"]);
  const at = (index: number, begin: number, length: number) =>
    faultOf(frame(7, concatBytes([uint32(index, begin), new Uint8Array(length)])));
  expect(at(10, 0, 16)).toBe("badMessage");
  expect(at(0xffffffff, 0, 16)).toBe("badMessage");
  expect(at(0, 32768 - 15, 16)).toBe("badMessage");
  expect(at(9, 990, 16)).toBe("badMessage");
  expect(at(0, 0xfffffff8, 16)).toBe("badMessage");
  expect(at(9, 984, 16)).toBeUndefined();
});

test("W6: PeerWire answers bad requests with rejects and closes after too many", () => {
  const bad: number[][] = [
    [10, 0, 16384],
    [0xffffffff, 0, 16384],
    [0, 0, 0],
    [0, 0x80000000, 16384],
    [0, 0xffffffff, 2],
    [0, 0, 128 * 1024 + 1],
    [0, 0, 0x7fffffff],
    [0, 16385, 16384],
    [9, 0, 1001],
  ];
  for (const numbers of bad) {
    const end = endAfterHandshake();
    end.wire.receive(request(...numbers));
    expect(end.messages).toEqual([]);
    expect(end.take()).toEqual(frame(16, uint32(...numbers)));
    expect(end.faults).toEqual([]);
  }
  const end = endAfterHandshake();
  for (let i = 0; i < MAX_BAD_REQUESTS; i++) end.wire.receive(request(10, 0, 16384));
  expect(end.faults).toEqual([]);
  end.wire.receive(request(10, 0, 16384));
  expect(end.faults).toEqual(["badRequest"]);
});

test("W6: PeerWire drops bad requests of a peer without the fast extension", () => {
  const end = endAfterHandshake({ reserved: plain });
  end.wire.receive(concatBytes([request(10, 0, 16384), request(0, 0, 16384)]));
  expect(end.take().length).toBe(0);
  expect(end.messages.map((message) => message.type)).toEqual(["request"]);
});

test("PeerWire rejects requests before the metadata", () => {
  const end = endAfterHandshake({ geometry: false });
  end.wire.receive(request(0, 0, 16384));
  expect(end.take()).toEqual(frame(16, uint32(0, 0, 16384)));
});

test("PeerWire refuses fast messages without the fast extension on both sides", () => {
  for (const message of [
    frame(14),
    frame(15),
    frame(13, uint32(0)),
    frame(16, uint32(0, 0, 1)),
    frame(17, uint32(0)),
  ]) {
    const end = endAfterHandshake({ reserved: plain });
    end.wire.receive(message);
    expect(end.faults).toEqual(["unexpectedMessage"]);
  }
});

test("PeerWire speaks BEP 3 to a peer without the fast extension", () => {
  const end = endAfterHandshake({ reserved: plain });
  const block = GEOMETRY.block(GEOMETRY.piece(0)!, 0);
  end.wire.send({ type: "haveNone" });
  end.wire.send({ type: "reject", block });
  end.wire.send({ type: "suggest", piece: block.piece });
  end.wire.send({ type: "allowedFast", piece: block.piece });
  expect(end.take().length).toBe(0);
  end.wire.send({ type: "haveAll" });
  expect(end.take()).toEqual(frame(5, [0xff, 0xc0]));
});

test("W5: PeerWire skips unknown messages up to a limit", () => {
  const end = endAfterHandshake();
  for (let i = 0; i < 50; i++)
    end.wire.receive(concatBytes([frame(21, new Uint8Array(60)), extendedFrame(9, "x")]));
  end.wire.receive(frame(1));
  expect(end.messages).toEqual([{ type: "unchoke" }]);
  end.wire.receive(frame(22));
  expect(end.faults).toEqual(["unexpectedMessage"]);
});

test("PeerWire ignores port 0", () => {
  const end = endAfterHandshake();
  end.wire.receive(concatBytes([frame(9, [0, 0]), frame(9, [0x1a, 0xe1])]));
  expect(end.ports).toEqual([6881]);
});

test("W18: PeerWire survives extension handshakes that crash or hang the library", () => {
  const hostile = [
    "d1:md11:ut_metadatad8:toStringi1eeee",
    "l-3:",
    "d1:ml-3:ee",
    "d1:mi5ee",
    "d1:md11:ut_metadatai256eee",
    "d1:md11:ut_metadatai-1eee",
    "d9:__proto__d1:xi1eee",
    "d1:md9:__proto__i3eee",
    "l".repeat(60_000),
    "",
    "d1:mde",
    "i5e",
  ];
  for (const payload of hostile)
    expect([payload, faultOf(extendedFrame(0, payload))]).toEqual([payload, "badExtension"]);
});

test("PeerWire accepts odd but harmless extension handshakes", () => {
  const end = endAfterHandshake();
  end.wire.receive(extendedFrame(0, "d1:md8:toStringi5e11:ut_metadatai255eee"));
  end.wire.receive(extendedFrame(0, "d1:mdee"));
  end.wire.receive(extendedFrame(0, "de"));
  end.wire.receive(extendedFrame(0, "d13:metadata_sizei-1e4:reqqi-1ee"));
  end.wire.receive(extendedFrame(0, "d13:metadata_sizei4294967297e4:reqqi1000000000ee"));
  expect(end.faults).toEqual([]);
  expect(end.extendedHandshakes.length).toBe(5);
  expect(end.wire.offeredMetadataLength).toBeUndefined();
});

test("W18: PeerWire bounds the extension names that it keeps and the number of extension handshakes", () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `6:${String(i).padStart(6, "0")}i1e`).join("");
  expect(faultOf(extendedFrame(0, `d1:md${names.slice(0, 60_003)}ee`))).toBe("badExtension");
  const end = endAfterHandshake();
  for (let i = 0; i < MAX_EXTENDED_HANDSHAKES; i++) end.wire.receive(extendedFrame(0, "de"));
  expect(end.faults).toEqual([]);
  end.wire.receive(extendedFrame(0, "de"));
  expect(end.faults).toEqual(["badExtension"]);
});

test("W9: PeerWire handles floods of choke, interest and keep-alive without a fault", () => {
  const end = endAfterHandshake({ geometry: false });
  const flips = concatBytes([frame(1), frame(0), frame(2), frame(3), uint32(0), frame(8, uint32(0, 0, 1))]);
  end.wire.receive(concatBytes(Array.from({ length: 200 }, () => flips)));
  end.wire.setGeometry(GEOMETRY);
  expect(end.messages).toEqual([]);
  expect(end.faults).toEqual([]);
});
