import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { bitfieldOf, GOOD_DIGEST, sent, TransferBed, words } from "./transfer-bed.ts";

describe("what a peer is told when it joins", () => {
  const table: [string, { have: "all" | "none" | number[]; fast: boolean; greeted: boolean }, string[]][] = [
    ["of nothing, with the fast extension", { have: "none", fast: true, greeted: false }, ["haveNone"]],
    ["of nothing, without it", { have: "none", fast: false, greeted: false }, []],
    ["of some pieces", { have: [0, 2], fast: true, greeted: false }, ["bitfield"]],
    ["of all pieces, with the fast extension", { have: "all", fast: true, greeted: false }, ["haveAll"]],
    ["of all pieces, without it", { have: "all", fast: false, greeted: false }, ["bitfield"]],
    ["of nothing, after a greeting", { have: "none", fast: true, greeted: true }, []],
    ["of some pieces, after a greeting", { have: [0, 2], fast: true, greeted: true }, ["have", "have"]],
    [
      "of all pieces, after a greeting",
      { have: "all", fast: false, greeted: true },
      ["have", "have", "have", "have"],
    ],
  ];
  test.each(table)("%s", (_name, { have, fast, greeted }, expected) => {
    const bed = new TransferBed({ have });
    expect(words(bed.log, bed.join({ fast, greeted }))).toEqual(expected);
  });

  test("a bitfield that was sent does not change when we get more pieces", () => {
    const bed = new TransferBed({ have: [0] });
    const peer = bed.join({ has: "all", unchokes: true });
    const [bitfield] = sent(bed.log, "bitfield");
    const before = bitfield!.bytes.slice();
    bed.deliverAll(peer);
    expect(bitfield!.bytes).toEqual(before);
  });
});

describe("Transfer", () => {
  test("a bitfield of another size ends the connection", () => {
    const bed = new TransferBed();
    const peer = bed.join();
    const effects = bed.hear(peer, { type: "bitfield", bytes: new Uint8Array(2) });
    expect(effects).toEqual([{ type: "closePeer", peer, fault: "badBitfield" }]);
  });

  test("a later bitfield stands for haves: it adds pieces and takes none back", () => {
    const bed = new TransferBed();
    const peer = bed.join({ has: [1] });
    bed.hear(peer, { type: "bitfield", bytes: bitfieldOf([2, 3], bed.geometry.pieceCount).bytes });
    bed.hear(peer, { type: "unchoke" });
    bed.deliverAll(peer);
    expect([0, 1, 2, 3].map((piece) => bed.transfer.have.get(piece))).toEqual([false, true, true, true]);
  });

  test("events of peers that are gone are ignored", () => {
    const bed = new TransferBed({ have: "all" });
    const peer = bed.join({ interested: true });
    bed.leave(peer);
    const block: Block = { piece: pieceIndex(0), begin: 0, length: BLOCK_LENGTH };
    expect([
      ...bed.hear(peer, { type: "request", block }),
      ...bed.handle({ type: "uploaded", peer, bytes: 5 }),
      ...bed.handle({ type: "serveFailed", peer, block }),
      ...bed.handle({ type: "peerQueueLimit", peer, requests: 1 }),
      ...bed.handle({ type: "peerRequestLength", peer, bytes: MAX_REQUEST_LENGTH }),
      ...bed.leave(peer),
    ]).toEqual([]);
  });

  test("completed bytes count the short last piece as short", () => {
    const geometry = new Geometry(9.25 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
    const completed = (have: number[]) =>
      new TransferBed({ geometry, have }).transfer.status(0).completedBytes;
    expect([completed([]), completed([0]), completed([2]), completed([0, 1, 2])]).toEqual([
      0,
      4 * BLOCK_LENGTH,
      1.25 * BLOCK_LENGTH,
      geometry.length,
    ]);
  });

  test("tells who is a seed and how many there are", () => {
    const bed = new TransferBed();
    const seed = bed.join({ has: "all" });
    const leech = bed.join({ has: [0, 1, 2] });
    expect([seed, leech].map((peer) => bed.transfer.peer(peer)?.bitfield.isFull)).toEqual([true, false]);
    bed.hear(leech, { type: "have", piece: pieceIndex(3) });
    expect(bed.transfer.status(0)).toMatchObject({ peers: 2, seeds: 2 });
    bed.leave(seed);
    expect(bed.transfer.status(0)).toMatchObject({ peers: 1, seeds: 1 });
    expect(bed.transfer.peer(seed)).toBeUndefined();
  });

  test("under a download limit requests leave with the clock alone", () => {
    const bed = new TransferBed({ downloadLimit: 1_000_000 });
    const peer = bed.join({ has: "all" });
    expect(sent(bed.hear(peer, { type: "unchoke" }), "request")).toEqual([]);
    expect(sent(bed.pass(10, 10), "request").length).toBeGreaterThan(0);
    expect(sent(bed.deliver(peer), "request")).toEqual([]);
  });

  test("a cancel under a download limit sends no request either", () => {
    const geometry = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
    const bed = new TransferBed({ geometry, downloadLimit: 100_000_000 });
    const slow = bed.join({ has: "all" });
    const idle = bed.join({ has: "all" });
    for (const peer of [slow, idle]) bed.hear(peer, { type: "unchoke" });
    bed.pass(1000, 10);
    const busy = bed.asked(slow).length > 0 && bed.asked(idle).length > 0;
    expect(busy).toBe(true);
    for (const peer of [slow, idle]) {
      while (bed.asked(peer).length > 0) expect(sent(bed.deliver(peer), "request")).toEqual([]);
    }
  });

  test("a wrong digest of a piece that was never asked for is our own bug", () => {
    const bed = new TransferBed();
    const hashed = () => bed.handle({ type: "pieceHashed", piece: pieceIndex(0), digest: GOOD_DIGEST });
    expect(hashed).toThrow("piece 0 was not being fetched");
  });
});
