import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { ENDGAME_PATIENCE_MS, MAX_UNASKED_LENGTH, SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { MAX_ENDGAME_COPIES } from "../../../src/core/picker/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import { aBlock, sent, TransferFixture } from "./transfer-fixture.ts";

const onePiece = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
const large = new Geometry(400 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

describe("asking", () => {
  test("nothing is asked while the peer chokes us, and a window full at its unchoke", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ has: "all" });
    fixture.pass(1000);
    expect(sent(fixture.log, "request")).toEqual([]);
    expect(sent(fixture.hear(peer, { type: "unchoke" }), "request")).toHaveLength(32);
  });

  test("a peer that unchokes us while another is asked gets the least window", () => {
    for (const [blocksPerPiece, least] of [
      [4, 8],
      [16, 16],
    ] as const) {
      const geometry = new Geometry(400 * BLOCK_LENGTH, blocksPerPiece * BLOCK_LENGTH);
      const fixture = new TransferFixture({ geometry });
      fixture.join({ has: "all", unchokes: true });
      const second = fixture.join({ has: "all", unchokes: true });
      expect(fixture.asked(second)).toHaveLength(least);
    }
  });

  test("each delivered block is followed by the next request at once", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ has: "all", unchokes: true });
    expect(sent(fixture.deliver(peer), "request").length).toBeGreaterThanOrEqual(1);
  });

  test("a peer's own bound of waiting requests is kept", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ has: "all" });
    fixture.handle({ type: "peerQueueLimit", peer, requests: 3 });
    fixture.hear(peer, { type: "unchoke" });
    expect(fixture.asked(peer)).toHaveLength(3);
  });

  test("we are interested exactly while the peer has a piece that we lack", () => {
    const fixture = new TransferFixture({ have: [0] });
    const peer = fixture.join({ has: [0] });
    expect(sent(fixture.log, "interested")).toEqual([]);
    expect(
      sent(fixture.hear(peer, { type: "have", piece: aBlock(2, 0).piece }), "interested", peer),
    ).toHaveLength(1);
    fixture.hear(peer, { type: "unchoke" });
    expect(sent(fixture.deliverAll(peer), "notInterested", peer)).toHaveLength(1);
  });

  test("a have of a piece we lack is asked for at once", () => {
    const fixture = new TransferFixture();
    const peer = fixture.join({ unchokes: true });
    const effects = fixture.hear(peer, { type: "have", piece: aBlock(1, 0).piece });
    expect(sent(effects, "request").map(({ block }) => Number(block.piece))).toEqual([1, 1, 1, 1]);
  });

  test("a choke without the fast extension drops what was asked, and others are asked at once", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const choker = fixture.join({ has: "all", fast: false, unchokes: true });
    const other = fixture.join({ has: "all", unchokes: true });
    expect(sent(fixture.hear(choker, { type: "choke" }), "request", other)).toHaveLength(4);
  });

  test("a choke with the fast extension drops nothing before the rejects come (BEP 6)", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const choker = fixture.join({ has: "all", unchokes: true });
    const other = fixture.join({ has: "all", unchokes: true });
    const [first, second] = fixture.asked(choker);
    expect(sent(fixture.hear(choker, { type: "choke" }), "request", other)).toEqual([]);
    fixture.hear(choker, { type: "reject", block: first! });
    fixture.pass(TICK_MS);
    expect(fixture.asked(other)).toEqual([first!]);
    expect(fixture.deliver(choker, second)).toContainEqual({ type: "writeBlock", block: second! });
  });

  test("W15: what a peer was asked for goes to others when it leaves", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const quitter = fixture.join({ has: "all", unchokes: true });
    const other = fixture.join({ has: "all", unchokes: true });
    expect(sent(fixture.leave(quitter), "request", other)).toHaveLength(4);
  });

  test("W22: a peer that rejects everything is not asked again at every beat of the clock", () => {
    const fixture = new TransferFixture({ geometry: large });
    const refuser = fixture.join({ has: "all", unchokes: true });
    for (let i = 0; i < 100; i++) {
      for (const block of fixture.asked(refuser).slice()) fixture.hear(refuser, { type: "reject", block });
      fixture.pass(TICK_MS);
    }
    // Ten seconds: a window at first, then a few tries a second at most.
    expect(sent(fixture.log, "request", refuser).length).toBeLessThan(300);
  });
});

describe("receiving", () => {
  test("W10: a block that nobody was asked for is thrown away and counted as waste", () => {
    const fixture = new TransferFixture();
    const peer = fixture.join({ has: "all" });
    expect(fixture.hear(peer, { type: "block", block: aBlock(0, 0) })).toEqual([]);
    expect(fixture.transfer.status(0)).toMatchObject({ wasted: BLOCK_LENGTH, downloaded: 0 });
  });

  test("W10: a peer that goes on sending what nobody asked for is hung up on, and not for an endgame's worth of it", () => {
    const fixture = new TransferFixture();
    const peer = fixture.join({ has: "all" });
    const blocks = MAX_UNASKED_LENGTH / BLOCK_LENGTH;
    for (let i = 0; i < blocks; i++)
      expect(fixture.hear(peer, { type: "block", block: aBlock(0, 0) })).toEqual([]);
    expect(fixture.hear(peer, { type: "block", block: aBlock(0, 0) })).toEqual([
      { type: "closePeer", peer, fault: "unexpectedMessage" },
    ]);
  });

  test("W10: a block from another peer than the one asked is thrown away", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    fixture.join({ has: "all", unchokes: true });
    const other = fixture.join({ has: "all", unchokes: true });
    expect(fixture.hear(other, { type: "block", block: aBlock(0, 0) })).toEqual([]);
  });

  test.each(["the same peer", "another peer"])(
    "a block of another length than asked is asked for again, of %s",
    (whom) => {
      const fixture = new TransferFixture({ geometry: onePiece });
      let peer = fixture.join({ has: "all", unchokes: true });
      const [block] = fixture.asked(peer);
      fixture.deliver(peer, block);
      const wrong = fixture.asked(peer)[0]!;
      fixture.hear(peer, { type: "block", block: { ...wrong, length: 100 } });
      fixture.deliverAll(peer);
      if (whom === "another peer") {
        fixture.leave(peer);
        peer = fixture.join({ has: "all", unchokes: true });
      }
      for (let i = 0; i < 10; i++) {
        fixture.pass(TICK_MS);
        fixture.deliverAll(peer);
      }
      expect(fixture.transfer.isComplete).toBe(true);
    },
  );

  test("a right piece is told to everybody who lacks it, and to nobody else", () => {
    const fixture = new TransferFixture();
    const source = fixture.join({ has: "all" });
    const without = fixture.join({ has: [1, 2, 3] });
    const owner = fixture.join({ has: [0] });
    const newcomer = fixture.join({ fast: false });
    fixture.hear(owner, { type: "unchoke" });
    const effects = fixture.deliverAll(owner);
    expect(effects).toContainEqual({ type: "pieceVerified", piece: aBlock(0, 0).piece });
    expect([source, without, owner, newcomer].map((peer) => sent(effects, "have", peer).length)).toEqual([
      0, 1, 0, 1,
    ]);
  });

  test("the last right piece completes the transfer, once", () => {
    const fixture = new TransferFixture();
    const peer = fixture.join({ has: "all", unchokes: true });
    const effects = fixture.deliverAll(peer);
    expect(effects.filter(({ type }) => type === "completed")).toHaveLength(1);
    expect(fixture.transfer.status(0)).toMatchObject({
      completedBytes: fixture.geometry.length,
      downloaded: fixture.geometry.length,
      wasted: 0,
      isComplete: true,
      seeds: 1,
    });
  });
});

describe("snubbing", () => {
  test("W22: a peer that owes blocks and sends none for 10 s loses them to others, not before", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const silent = fixture.join({ has: "all", unchokes: true });
    fixture.join({ has: [] });
    const other = fixture.join({ has: "all" });
    fixture.pass(SNUB_MS - 1, SNUB_MS);
    fixture.hear(other, { type: "unchoke" });
    fixture.pass(1);
    expect(fixture.asked(silent).length).toBeGreaterThanOrEqual(4);
    const asked = [...fixture.asked(other)].map(({ begin }) => begin);
    expect(new Set(asked).size).toBeGreaterThanOrEqual(3);
  });

  test("a peer that sends a block every nine seconds is not snubbed", () => {
    const fixture = new TransferFixture({ geometry: large });
    const slow = fixture.join({ has: "all", unchokes: true });
    const before = fixture.asked(slow).length;
    for (let i = 0; i < 10; i++) {
      fixture.pass(9_000);
      fixture.deliver(slow);
    }
    const requests = sent(fixture.log, "request", slow).map(({ block }) => `${block.piece}:${block.begin}`);
    expect(new Set(requests).size).toBe(requests.length);
    expect(before).toBe(32);
  });

  test("a snubbed peer gets one request at a time until it delivers one", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ has: "all", unchokes: true });
    fixture.pass(SNUB_MS);
    const atSnub = sent(fixture.log, "request", peer).length;
    fixture.pass(SNUB_MS - 2 * TICK_MS);
    expect(sent(fixture.log, "request", peer).length - atSnub).toBeLessThanOrEqual(1);
    const newest = fixture.asked(peer).at(-1)!;
    const effects = fixture.deliver(peer, newest);
    expect(sent(effects, "request", peer).length).toBeGreaterThan(1);
  });

  test("N3: a late block of a snubbed peer is still welcome, and whoever was asked instead is told to cancel", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const late = fixture.join({ has: "all", unchokes: true });
    const [first] = fixture.asked(late);
    const other = fixture.join({ has: "all" });
    fixture.pass(SNUB_MS);
    fixture.hear(other, { type: "unchoke" });
    const taken = fixture.asked(other).find((block) => block.begin !== first!.begin)!;
    const effects = fixture.hear(late, { type: "block", block: taken });
    expect(effects).toContainEqual({ type: "writeBlock", block: taken });
    expect(sent(effects, "cancel", other).map(({ block }) => block)).toEqual([taken]);
    expect(fixture.transfer.status(fixture.now).wasted).toBe(0);
  });

  test("a late block that somebody else has delivered meanwhile is waste", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const late = fixture.join({ has: "all", unchokes: true });
    const other = fixture.join({ has: "all" });
    fixture.pass(SNUB_MS);
    fixture.hear(other, { type: "unchoke" });
    const block = fixture.asked(other)[0]!;
    fixture.deliver(other, block);
    expect(fixture.hear(late, { type: "block", block }).map(({ type }) => type)).not.toContain("writeBlock");
    expect(fixture.transfer.status(fixture.now).wasted).toBe(BLOCK_LENGTH);
  });

  test("the wait before an unchoke does not count as silence", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ has: "all" });
    fixture.pass(60_000);
    fixture.hear(peer, { type: "unchoke" });
    fixture.pass(SNUB_MS - TICK_MS);
    expect(sent(fixture.log, "request", peer)).toHaveLength(32);
  });
});

describe("the endgame", () => {
  test("asks a second peer for late blocks one by one, and cancels the first on arrival", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const slow = fixture.join({ has: "all", unchokes: true });
    const idle = fixture.join({ has: "all", unchokes: true });
    const third = fixture.join({ has: "all" });
    fixture.pass(ENDGAME_PATIENCE_MS - 1, 1);
    expect(fixture.asked(idle)).toEqual([]);
    fixture.pass(300);
    expect(fixture.asked(idle)).toHaveLength(1);
    const [block] = fixture.asked(idle);
    expect(sent(fixture.deliver(idle), "cancel", slow).map((cancel) => cancel.block)).toEqual([block!]);
    fixture.hear(third, { type: "unchoke" });
    const copies = new Map<number, number>();
    for (const peer of [slow, idle, third]) {
      for (const { begin } of fixture.asked(peer)) copies.set(begin, (copies.get(begin) ?? 0) + 1);
    }
    expect(Math.max(...copies.values())).toBe(MAX_ENDGAME_COPIES);
  });

  test("a block that was cancelled and comes all the same is waste, not a fault", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const slow = fixture.join({ has: "all", unchokes: true });
    const idle = fixture.join({ has: "all", unchokes: true });
    fixture.pass(400);
    const [block] = fixture.asked(idle);
    fixture.deliver(idle);
    const effects = fixture.hear(slow, { type: "block", block: block! });
    expect(effects.filter(({ type }) => type === "writeBlock" || type === "closePeer")).toEqual([]);
    expect(fixture.transfer.status(fixture.now).wasted).toBe(BLOCK_LENGTH);
  });

  test("nothing is asked twice while a block is left that nobody was asked for", () => {
    const fixture = new TransferFixture({ geometry: large });
    fixture.join({ has: "all", unchokes: true });
    const partial = fixture.join({ has: [0], unchokes: true });
    fixture.deliverAll(partial);
    fixture.pass(5_000);
    const requests = sent(fixture.log, "request").map(({ block }) => `${block.piece}:${block.begin}`);
    expect(new Set(requests).size).toBe(requests.length);
  });
});
