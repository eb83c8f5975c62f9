import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { bitfieldOf, GOOD_DIGEST, sent, TransferFixture, words } from "./transfer-fixture.ts";

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
    const fixture = new TransferFixture({ have });
    expect(words(fixture.log, fixture.join({ fast, greeted }))).toEqual(expected);
  });

  test("a bitfield that was sent does not change when we get more pieces", () => {
    const fixture = new TransferFixture({ have: [0] });
    const peer = fixture.join({ has: "all", unchokes: true });
    const [bitfield] = sent(fixture.log, "bitfield");
    const before = bitfield!.bytes.slice();
    fixture.deliverAll(peer);
    expect(bitfield!.bytes).toEqual(before);
  });
});

describe("Transfer", () => {
  test("a bitfield of another size ends the connection", () => {
    const fixture = new TransferFixture();
    const peer = fixture.join();
    const effects = fixture.hear(peer, { type: "bitfield", bytes: new Uint8Array(2) });
    expect(effects).toEqual([{ type: "closePeer", peer, fault: "badBitfield" }]);
  });

  test("a later bitfield stands for haves: it adds pieces and takes none back", () => {
    const fixture = new TransferFixture();
    const peer = fixture.join({ has: [1] });
    fixture.hear(peer, { type: "bitfield", bytes: bitfieldOf([2, 3], fixture.geometry.pieceCount).bytes });
    fixture.hear(peer, { type: "unchoke" });
    fixture.deliverAll(peer);
    expect([0, 1, 2, 3].map((piece) => fixture.transfer.have.get(piece))).toEqual([false, true, true, true]);
  });

  test("events of peers that are gone are ignored", () => {
    const fixture = new TransferFixture({ have: "all" });
    const peer = fixture.join({ interested: true });
    fixture.leave(peer);
    const block: Block = { piece: pieceIndex(0), begin: 0, length: BLOCK_LENGTH };
    expect([
      ...fixture.hear(peer, { type: "request", block }),
      ...fixture.handle({ type: "uploaded", peer, bytes: 5 }),
      ...fixture.handle({ type: "serveFailed", peer, block }),
      ...fixture.handle({ type: "peerQueueLimit", peer, requests: 1 }),
      ...fixture.handle({ type: "peerRequestLength", peer, bytes: MAX_REQUEST_LENGTH }),
      ...fixture.leave(peer),
    ]).toEqual([]);
  });

  test("completed bytes count the short last piece as short", () => {
    const geometry = new Geometry(9.25 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
    const completed = (have: number[]) =>
      new TransferFixture({ geometry, have }).transfer.status(0).completedBytes;
    expect([completed([]), completed([0]), completed([2]), completed([0, 1, 2])]).toEqual([
      0,
      4 * BLOCK_LENGTH,
      1.25 * BLOCK_LENGTH,
      geometry.length,
    ]);
  });

  test("tells who is a seed and how many there are", () => {
    const fixture = new TransferFixture();
    const seed = fixture.join({ has: "all" });
    const leech = fixture.join({ has: [0, 1, 2] });
    expect([seed, leech].map((peer) => fixture.transfer.peer(peer)?.bitfield.isFull)).toEqual([true, false]);
    fixture.hear(leech, { type: "have", piece: pieceIndex(3) });
    expect(fixture.transfer.status(0)).toMatchObject({ peers: 2, seeds: 2 });
    fixture.leave(seed);
    expect(fixture.transfer.status(0)).toMatchObject({ peers: 1, seeds: 1 });
    expect(fixture.transfer.peer(seed)).toBeUndefined();
  });

  test("under a download limit requests leave with the clock alone", () => {
    const fixture = new TransferFixture({ downloadLimit: 1_000_000 });
    const peer = fixture.join({ has: "all" });
    expect(sent(fixture.hear(peer, { type: "unchoke" }), "request")).toEqual([]);
    expect(sent(fixture.pass(10, 10), "request").length).toBeGreaterThan(0);
    expect(sent(fixture.deliver(peer), "request")).toEqual([]);
  });

  test("a cancel under a download limit sends no request either", () => {
    const geometry = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
    const fixture = new TransferFixture({ geometry, downloadLimit: 100_000_000 });
    const slow = fixture.join({ has: "all" });
    const idle = fixture.join({ has: "all" });
    for (const peer of [slow, idle]) fixture.hear(peer, { type: "unchoke" });
    fixture.pass(1000, 10);
    const busy = fixture.asked(slow).length > 0 && fixture.asked(idle).length > 0;
    expect(busy).toBe(true);
    for (const peer of [slow, idle]) {
      while (fixture.asked(peer).length > 0) expect(sent(fixture.deliver(peer), "request")).toEqual([]);
    }
  });

  test("a wrong digest of a piece that was never asked for is our own bug", () => {
    const fixture = new TransferFixture();
    const hashed = () => fixture.handle({ type: "pieceHashed", piece: pieceIndex(0), digest: GOOD_DIGEST });
    expect(hashed).toThrow("piece 0 was not being fetched");
  });
});
