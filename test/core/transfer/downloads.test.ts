import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { ENDGAME_PATIENCE_MS, MAX_UNASKED_LENGTH, SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { MAX_ENDGAME_COPIES } from "../../../src/core/picker/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import { aBlock, sent, TransferBed } from "./transfer-bed.ts";

const onePiece = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
const large = new Geometry(400 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

describe("asking", () => {
  test("nothing is asked while the peer chokes us, and a window full at its unchoke", () => {
    const bed = new TransferBed({ geometry: large });
    const peer = bed.join({ has: "all" });
    bed.pass(1000);
    expect(sent(bed.log, "request")).toEqual([]);
    expect(sent(bed.hear(peer, { type: "unchoke" }), "request")).toHaveLength(32);
  });

  test("a peer that unchokes us while another is asked gets the least window", () => {
    for (const [blocksPerPiece, least] of [
      [4, 8],
      [16, 16],
    ] as const) {
      const geometry = new Geometry(400 * BLOCK_LENGTH, blocksPerPiece * BLOCK_LENGTH);
      const bed = new TransferBed({ geometry });
      bed.join({ has: "all", unchokes: true });
      const second = bed.join({ has: "all", unchokes: true });
      expect(bed.asked(second)).toHaveLength(least);
    }
  });

  test("each delivered block is followed by the next request at once", () => {
    const bed = new TransferBed({ geometry: large });
    const peer = bed.join({ has: "all", unchokes: true });
    expect(sent(bed.deliver(peer), "request").length).toBeGreaterThanOrEqual(1);
  });

  test("a peer's own bound of waiting requests is kept", () => {
    const bed = new TransferBed({ geometry: large });
    const peer = bed.join({ has: "all" });
    bed.handle({ type: "peerQueueLimit", peer, requests: 3 });
    bed.hear(peer, { type: "unchoke" });
    expect(bed.asked(peer)).toHaveLength(3);
  });

  test("we are interested exactly while the peer has a piece that we lack", () => {
    const bed = new TransferBed({ have: [0] });
    const peer = bed.join({ has: [0] });
    expect(sent(bed.log, "interested")).toEqual([]);
    expect(
      sent(bed.hear(peer, { type: "have", piece: aBlock(2, 0).piece }), "interested", peer),
    ).toHaveLength(1);
    bed.hear(peer, { type: "unchoke" });
    expect(sent(bed.deliverAll(peer), "notInterested", peer)).toHaveLength(1);
  });

  test("a have of a piece we lack is asked for at once", () => {
    const bed = new TransferBed();
    const peer = bed.join({ unchokes: true });
    const effects = bed.hear(peer, { type: "have", piece: aBlock(1, 0).piece });
    expect(sent(effects, "request").map(({ block }) => Number(block.piece))).toEqual([1, 1, 1, 1]);
  });

  test("a choke without the fast extension drops what was asked, and others are asked at once", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const choker = bed.join({ has: "all", fast: false, unchokes: true });
    const other = bed.join({ has: "all", unchokes: true });
    expect(sent(bed.hear(choker, { type: "choke" }), "request", other)).toHaveLength(4);
  });

  test("a choke with the fast extension drops nothing before the rejects come (BEP 6)", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const choker = bed.join({ has: "all", unchokes: true });
    const other = bed.join({ has: "all", unchokes: true });
    const [first, second] = bed.asked(choker);
    expect(sent(bed.hear(choker, { type: "choke" }), "request", other)).toEqual([]);
    bed.hear(choker, { type: "reject", block: first! });
    bed.pass(TICK_MS);
    expect(bed.asked(other)).toEqual([first!]);
    expect(bed.deliver(choker, second)).toContainEqual({ type: "writeBlock", block: second! });
  });

  test("W15: what a peer was asked for goes to others when it leaves", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const quitter = bed.join({ has: "all", unchokes: true });
    const other = bed.join({ has: "all", unchokes: true });
    expect(sent(bed.leave(quitter), "request", other)).toHaveLength(4);
  });

  test("W22: a peer that rejects everything is not asked again at every beat of the clock", () => {
    const bed = new TransferBed({ geometry: large });
    const refuser = bed.join({ has: "all", unchokes: true });
    for (let i = 0; i < 100; i++) {
      for (const block of bed.asked(refuser).slice()) bed.hear(refuser, { type: "reject", block });
      bed.pass(TICK_MS);
    }
    // Ten seconds: a window at first, then a few tries a second at most.
    expect(sent(bed.log, "request", refuser).length).toBeLessThan(300);
  });
});

describe("receiving", () => {
  test("W10: a block that nobody was asked for is thrown away and counted as waste", () => {
    const bed = new TransferBed();
    const peer = bed.join({ has: "all" });
    expect(bed.hear(peer, { type: "block", block: aBlock(0, 0) })).toEqual([]);
    expect(bed.transfer.status(0)).toMatchObject({ wasted: BLOCK_LENGTH, downloaded: 0 });
  });

  test("W10: a peer that goes on sending what nobody asked for is hung up on, and not for an endgame's worth of it", () => {
    const bed = new TransferBed();
    const peer = bed.join({ has: "all" });
    const blocks = MAX_UNASKED_LENGTH / BLOCK_LENGTH;
    for (let i = 0; i < blocks; i++)
      expect(bed.hear(peer, { type: "block", block: aBlock(0, 0) })).toEqual([]);
    expect(bed.hear(peer, { type: "block", block: aBlock(0, 0) })).toEqual([
      { type: "closePeer", peer, fault: "unexpectedMessage" },
    ]);
  });

  test("W10: a block from another peer than the one asked is thrown away", () => {
    const bed = new TransferBed({ geometry: onePiece });
    bed.join({ has: "all", unchokes: true });
    const other = bed.join({ has: "all", unchokes: true });
    expect(bed.hear(other, { type: "block", block: aBlock(0, 0) })).toEqual([]);
  });

  test.each(["the same peer", "another peer"])(
    "a block of another length than asked is asked for again, of %s",
    (whom) => {
      const bed = new TransferBed({ geometry: onePiece });
      let peer = bed.join({ has: "all", unchokes: true });
      const [block] = bed.asked(peer);
      bed.deliver(peer, block);
      const wrong = bed.asked(peer)[0]!;
      bed.hear(peer, { type: "block", block: { ...wrong, length: 100 } });
      bed.deliverAll(peer);
      if (whom === "another peer") {
        bed.leave(peer);
        peer = bed.join({ has: "all", unchokes: true });
      }
      for (let i = 0; i < 10; i++) {
        bed.pass(TICK_MS);
        bed.deliverAll(peer);
      }
      expect(bed.transfer.isComplete).toBe(true);
    },
  );

  test("a right piece is told to everybody who lacks it, and to nobody else", () => {
    const bed = new TransferBed();
    const source = bed.join({ has: "all" });
    const without = bed.join({ has: [1, 2, 3] });
    const owner = bed.join({ has: [0] });
    const newcomer = bed.join({ fast: false });
    bed.hear(owner, { type: "unchoke" });
    const effects = bed.deliverAll(owner);
    expect(effects).toContainEqual({ type: "pieceVerified", piece: aBlock(0, 0).piece });
    expect([source, without, owner, newcomer].map((peer) => sent(effects, "have", peer).length)).toEqual([
      0, 1, 0, 1,
    ]);
  });

  test("the last right piece completes the transfer, once", () => {
    const bed = new TransferBed();
    const peer = bed.join({ has: "all", unchokes: true });
    const effects = bed.deliverAll(peer);
    expect(effects.filter(({ type }) => type === "completed")).toHaveLength(1);
    expect(bed.transfer.status(0)).toMatchObject({
      completedBytes: bed.geometry.length,
      downloaded: bed.geometry.length,
      wasted: 0,
      isComplete: true,
      seeds: 1,
    });
  });
});

describe("snubbing", () => {
  test("W22: a peer that owes blocks and sends none for 10 s loses them to others, not before", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const silent = bed.join({ has: "all", unchokes: true });
    bed.join({ has: [] });
    const other = bed.join({ has: "all" });
    bed.pass(SNUB_MS - 1, SNUB_MS);
    bed.hear(other, { type: "unchoke" });
    bed.pass(1);
    expect(bed.asked(silent).length).toBeGreaterThanOrEqual(4);
    const asked = [...bed.asked(other)].map(({ begin }) => begin);
    expect(new Set(asked).size).toBeGreaterThanOrEqual(3);
  });

  test("a peer that sends a block every nine seconds is not snubbed", () => {
    const bed = new TransferBed({ geometry: large });
    const slow = bed.join({ has: "all", unchokes: true });
    const before = bed.asked(slow).length;
    for (let i = 0; i < 10; i++) {
      bed.pass(9_000);
      bed.deliver(slow);
    }
    const requests = sent(bed.log, "request", slow).map(({ block }) => `${block.piece}:${block.begin}`);
    expect(new Set(requests).size).toBe(requests.length);
    expect(before).toBe(32);
  });

  test("a snubbed peer gets one request at a time until it delivers one", () => {
    const bed = new TransferBed({ geometry: large });
    const peer = bed.join({ has: "all", unchokes: true });
    bed.pass(SNUB_MS);
    const atSnub = sent(bed.log, "request", peer).length;
    bed.pass(SNUB_MS - 2 * TICK_MS);
    expect(sent(bed.log, "request", peer).length - atSnub).toBeLessThanOrEqual(1);
    const newest = bed.asked(peer).at(-1)!;
    const effects = bed.deliver(peer, newest);
    expect(sent(effects, "request", peer).length).toBeGreaterThan(1);
  });

  test("N3: a late block of a snubbed peer is still welcome, and whoever was asked instead is told to cancel", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const late = bed.join({ has: "all", unchokes: true });
    const [first] = bed.asked(late);
    const other = bed.join({ has: "all" });
    bed.pass(SNUB_MS);
    bed.hear(other, { type: "unchoke" });
    const taken = bed.asked(other).find((block) => block.begin !== first!.begin)!;
    const effects = bed.hear(late, { type: "block", block: taken });
    expect(effects).toContainEqual({ type: "writeBlock", block: taken });
    expect(sent(effects, "cancel", other).map(({ block }) => block)).toEqual([taken]);
    expect(bed.transfer.status(bed.now).wasted).toBe(0);
  });

  test("a late block that somebody else has delivered meanwhile is waste", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const late = bed.join({ has: "all", unchokes: true });
    const other = bed.join({ has: "all" });
    bed.pass(SNUB_MS);
    bed.hear(other, { type: "unchoke" });
    const block = bed.asked(other)[0]!;
    bed.deliver(other, block);
    expect(bed.hear(late, { type: "block", block }).map(({ type }) => type)).not.toContain("writeBlock");
    expect(bed.transfer.status(bed.now).wasted).toBe(BLOCK_LENGTH);
  });

  test("the wait before an unchoke does not count as silence", () => {
    const bed = new TransferBed({ geometry: large });
    const peer = bed.join({ has: "all" });
    bed.pass(60_000);
    bed.hear(peer, { type: "unchoke" });
    bed.pass(SNUB_MS - TICK_MS);
    expect(sent(bed.log, "request", peer)).toHaveLength(32);
  });
});

describe("the endgame", () => {
  test("asks a second peer for late blocks one by one, and cancels the first on arrival", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const slow = bed.join({ has: "all", unchokes: true });
    const idle = bed.join({ has: "all", unchokes: true });
    const third = bed.join({ has: "all" });
    bed.pass(ENDGAME_PATIENCE_MS - 1, 1);
    expect(bed.asked(idle)).toEqual([]);
    bed.pass(300);
    expect(bed.asked(idle)).toHaveLength(1);
    const [block] = bed.asked(idle);
    expect(sent(bed.deliver(idle), "cancel", slow).map((cancel) => cancel.block)).toEqual([block!]);
    bed.hear(third, { type: "unchoke" });
    const copies = new Map<number, number>();
    for (const peer of [slow, idle, third]) {
      for (const { begin } of bed.asked(peer)) copies.set(begin, (copies.get(begin) ?? 0) + 1);
    }
    expect(Math.max(...copies.values())).toBe(MAX_ENDGAME_COPIES);
  });

  test("a block that was cancelled and comes all the same is waste, not a fault", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const slow = bed.join({ has: "all", unchokes: true });
    const idle = bed.join({ has: "all", unchokes: true });
    bed.pass(400);
    const [block] = bed.asked(idle);
    bed.deliver(idle);
    const effects = bed.hear(slow, { type: "block", block: block! });
    expect(effects.filter(({ type }) => type === "writeBlock" || type === "closePeer")).toEqual([]);
    expect(bed.transfer.status(bed.now).wasted).toBe(BLOCK_LENGTH);
  });

  test("nothing is asked twice while a block is left that nobody was asked for", () => {
    const bed = new TransferBed({ geometry: large });
    bed.join({ has: "all", unchokes: true });
    const partial = bed.join({ has: [0], unchokes: true });
    bed.deliverAll(partial);
    bed.pass(5_000);
    const requests = sent(bed.log, "request").map(({ block }) => `${block.piece}:${block.begin}`);
    expect(new Set(requests).size).toBe(requests.length);
  });
});
