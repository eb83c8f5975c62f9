import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { bitfieldOf, GOOD_DIGEST, sent, TransferFixture, messageTypes } from "./transfer-fixture.ts";

describe("the first messages to a peer that joins", () => {
  const table: [
    string,
    { have: "all" | "none" | number[]; fast: boolean; haveNoneSent: boolean },
    string[],
  ][] = [
    ["with no piece and the fast extension", { have: "none", fast: true, haveNoneSent: false }, ["haveNone"]],
    ["with no piece and without the fast extension", { have: "none", fast: false, haveNoneSent: false }, []],
    ["with some pieces", { have: [0, 2], fast: true, haveNoneSent: false }, ["bitfield"]],
    ["with all pieces and the fast extension", { have: "all", fast: true, haveNoneSent: false }, ["haveAll"]],
    [
      "with all pieces and without the fast extension",
      { have: "all", fast: false, haveNoneSent: false },
      ["bitfield"],
    ],
    ["with no piece after have none", { have: "none", fast: true, haveNoneSent: true }, []],
    ["with some pieces after have none", { have: [0, 2], fast: true, haveNoneSent: true }, ["have", "have"]],
    [
      "with all pieces after have none",
      { have: "all", fast: false, haveNoneSent: true },
      ["have", "have", "have", "have"],
    ],
  ];
  test.each(table)("%s", (_name, { have, fast, haveNoneSent }, expected) => {
    const fixture = new TransferFixture({ have });
    expect(messageTypes(fixture.log, fixture.join({ fast, haveNoneSent }))).toEqual(expected);
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
    const effects = fixture.receive(peer, { type: "bitfield", bytes: new Uint8Array(2) });
    expect(effects).toEqual([{ type: "closePeer", peer, fault: "badBitfield" }]);
  });

  test("a later bitfield counts as haves: it adds pieces and removes none", () => {
    const fixture = new TransferFixture();
    const peer = fixture.join({ has: [1] });
    fixture.receive(peer, { type: "bitfield", bytes: bitfieldOf([2, 3], fixture.geometry.pieceCount).bytes });
    fixture.receive(peer, { type: "unchoke" });
    fixture.deliverAll(peer);
    expect([0, 1, 2, 3].map((piece) => fixture.transfer.have.get(piece))).toEqual([false, true, true, true]);
  });

  test("events of peers that are gone are ignored", () => {
    const fixture = new TransferFixture({ have: "all" });
    const peer = fixture.join({ interested: true });
    fixture.leave(peer);
    const block: Block = { piece: pieceIndex(0), begin: 0, length: BLOCK_LENGTH };
    expect([
      ...fixture.receive(peer, { type: "request", block }),
      ...fixture.handle({ type: "uploaded", peer, bytes: 5 }),
      ...fixture.handle({ type: "serveFailed", peer, block }),
      ...fixture.handle({ type: "peerQueueLimit", peer, requests: 1 }),
      ...fixture.handle({ type: "peerRequestLength", peer, bytes: MAX_REQUEST_LENGTH }),
      ...fixture.leave(peer),
    ]).toEqual([]);
  });

  test("completed bytes count the short last piece with its own length", () => {
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

  test("counts the seeds among the peers", () => {
    const fixture = new TransferFixture();
    const seed = fixture.join({ has: "all" });
    const leech = fixture.join({ has: [0, 1, 2] });
    expect([seed, leech].map((peer) => fixture.transfer.peer(peer)?.bitfield.isFull)).toEqual([true, false]);
    fixture.receive(leech, { type: "have", piece: pieceIndex(3) });
    expect(fixture.transfer.status(0)).toMatchObject({ peers: 2, seeds: 2 });
    fixture.leave(seed);
    expect(fixture.transfer.status(0)).toMatchObject({ peers: 1, seeds: 1 });
    expect(fixture.transfer.peer(seed)).toBeUndefined();
  });

  test("under a download limit only ticks send requests", () => {
    const fixture = new TransferFixture({ downloadLimit: 1_000_000 });
    const peer = fixture.join({ has: "all" });
    expect(sent(fixture.receive(peer, { type: "unchoke" }), "request")).toEqual([]);
    expect(sent(fixture.pass(10, 10), "request").length).toBeGreaterThan(0);
    expect(sent(fixture.deliver(peer), "request")).toEqual([]);
  });

  test("a cancel under a download limit sends no request either", () => {
    const geometry = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
    const fixture = new TransferFixture({ geometry, downloadLimit: 100_000_000 });
    const slow = fixture.join({ has: "all" });
    const idle = fixture.join({ has: "all" });
    for (const peer of [slow, idle]) fixture.receive(peer, { type: "unchoke" });
    fixture.pass(1000, 10);
    const busy = fixture.outstanding(slow).length > 0 && fixture.outstanding(idle).length > 0;
    expect(busy).toBe(true);
    for (const peer of [slow, idle]) {
      while (fixture.outstanding(peer).length > 0) expect(sent(fixture.deliver(peer), "request")).toEqual([]);
    }
  });

  test("the digest of a piece that was not requested is an invariant error", () => {
    const fixture = new TransferFixture();
    const hashed = () => fixture.handle({ type: "pieceHashed", piece: pieceIndex(0), digest: GOOD_DIGEST });
    expect(hashed).toThrow("piece 0 is not active");
  });
});

describe("a piece that may be in the file already", () => {
  test("P1: is neither offered nor requested before it was checked", () => {
    const fixture = new TransferFixture({ unchecked: [0, 1] });
    const peer = fixture.join({ has: "all", unchokes: true });
    expect(messageTypes(fixture.log, peer)[0]).toBe("haveNone");
    fixture.deliverAll(peer);
    expect([0, 1, 2, 3].map((piece) => fixture.transfer.have.get(piece))).toEqual([false, false, true, true]);
    const right = fixture.handle({ type: "pieceChecked", piece: pieceIndex(0), isRight: true });
    expect(right).toContainEqual({ type: "pieceVerified", piece: pieceIndex(0) });
    fixture.handle({ type: "pieceChecked", piece: pieceIndex(1), isRight: false });
    expect(sent(fixture.log, "request").at(-1)?.block.piece).toBe(pieceIndex(1));
    fixture.deliverAll(peer);
    expect(fixture.transfer.isComplete).toBe(true);
    expect(fixture.log).toContainEqual({ type: "completed" });
  });

  test("completes a download that lacks nothing else, without a peer", () => {
    const fixture = new TransferFixture({ have: [0, 1, 2], unchecked: [3] });
    const effects = fixture.handle({ type: "pieceChecked", piece: pieceIndex(3), isRight: true });
    expect(effects).toEqual([{ type: "pieceVerified", piece: pieceIndex(3) }, { type: "completed" }]);
  });
});
