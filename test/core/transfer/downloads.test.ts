import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { ENDGAME_DUPLICATE_MS, MAX_UNREQUESTED_LENGTH, SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { MAX_ENDGAME_COPIES } from "../../../src/core/picker/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import { aBlock, sent, TransferFixture } from "./transfer-fixture.ts";

const onePiece = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
const large = new Geometry(400 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

describe("requesting", () => {
  test("nothing is requested while the peer chokes us, and a full window at its unchoke", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ has: "all" });
    fixture.pass(1000);
    expect(sent(fixture.log, "request")).toEqual([]);
    expect(sent(fixture.receive(peer, { type: "unchoke" }), "request")).toHaveLength(32);
  });

  test("a peer that unchokes us beside outstanding requests to another starts with the least window", () => {
    for (const [blocksPerPiece, least] of [
      [4, 8],
      [16, 16],
    ] as const) {
      const geometry = new Geometry(400 * BLOCK_LENGTH, blocksPerPiece * BLOCK_LENGTH);
      const fixture = new TransferFixture({ geometry });
      fixture.join({ has: "all", unchokes: true });
      const second = fixture.join({ has: "all", unchokes: true });
      expect(fixture.outstanding(second)).toHaveLength(least);
    }
  });

  test("each received block is followed by the next request at once", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ has: "all", unchokes: true });
    expect(sent(fixture.deliver(peer), "request").length).toBeGreaterThanOrEqual(1);
  });

  test("a peer's own limit of queued requests is respected", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ has: "all" });
    fixture.handle({ type: "peerQueueLimit", peer, requests: 3 });
    fixture.receive(peer, { type: "unchoke" });
    expect(fixture.outstanding(peer)).toHaveLength(3);
  });

  test("we are interested exactly while the peer has a piece that we lack", () => {
    const fixture = new TransferFixture({ have: [0] });
    const peer = fixture.join({ has: [0] });
    expect(sent(fixture.log, "interested")).toEqual([]);
    expect(
      sent(fixture.receive(peer, { type: "have", piece: aBlock(2, 0).piece }), "interested", peer),
    ).toHaveLength(1);
    fixture.receive(peer, { type: "unchoke" });
    expect(sent(fixture.deliverAll(peer), "notInterested", peer)).toHaveLength(1);
  });

  test("a piece that we lack is requested at once after a have", () => {
    const fixture = new TransferFixture();
    const peer = fixture.join({ unchokes: true });
    const effects = fixture.receive(peer, { type: "have", piece: aBlock(1, 0).piece });
    expect(sent(effects, "request").map(({ block }) => Number(block.piece))).toEqual([1, 1, 1, 1]);
  });

  test("a choke without the fast extension drops the requests, which go to others at once", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const choker = fixture.join({ has: "all", fast: false, unchokes: true });
    const other = fixture.join({ has: "all", unchokes: true });
    expect(sent(fixture.receive(choker, { type: "choke" }), "request", other)).toHaveLength(4);
  });

  test("a choke with the fast extension keeps the requests until the rejects arrive (BEP 6)", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const choker = fixture.join({ has: "all", unchokes: true });
    const other = fixture.join({ has: "all", unchokes: true });
    const [first, second] = fixture.outstanding(choker);
    expect(sent(fixture.receive(choker, { type: "choke" }), "request", other)).toEqual([]);
    fixture.receive(choker, { type: "reject", block: first! });
    fixture.pass(TICK_MS);
    expect(fixture.outstanding(other)).toEqual([first!]);
    expect(fixture.deliver(choker, second)).toContainEqual({ type: "writeBlock", block: second! });
  });

  test("W15: the requests of a peer that leaves go to others", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const quitter = fixture.join({ has: "all", unchokes: true });
    const other = fixture.join({ has: "all", unchokes: true });
    expect(sent(fixture.leave(quitter), "request", other)).toHaveLength(4);
  });

  test("W22: a peer that rejects every request is not asked again at every tick", () => {
    const fixture = new TransferFixture({ geometry: large });
    const refuser = fixture.join({ has: "all", unchokes: true });
    for (let i = 0; i < 100; i++) {
      for (const block of fixture.outstanding(refuser).slice())
        fixture.receive(refuser, { type: "reject", block });
      fixture.pass(TICK_MS);
    }
    // Ten seconds: a window at first, then a few requests a second at most.
    expect(sent(fixture.log, "request", refuser).length).toBeLessThan(300);
  });
});

describe("receiving", () => {
  test("W10: a block without a request is dropped and counted as waste", () => {
    const fixture = new TransferFixture();
    const peer = fixture.join({ has: "all" });
    expect(fixture.receive(peer, { type: "block", block: aBlock(0, 0) })).toEqual([]);
    expect(fixture.transfer.status(0)).toMatchObject({ wasted: BLOCK_LENGTH, downloaded: 0 });
  });

  test("W10: a peer that goes on sending unrequested blocks is closed, but not for as many as an end-game cancels", () => {
    const fixture = new TransferFixture();
    const peer = fixture.join({ has: "all" });
    const blocks = MAX_UNREQUESTED_LENGTH / BLOCK_LENGTH;
    for (let i = 0; i < blocks; i++)
      expect(fixture.receive(peer, { type: "block", block: aBlock(0, 0) })).toEqual([]);
    expect(fixture.receive(peer, { type: "block", block: aBlock(0, 0) })).toEqual([
      { type: "closePeer", peer, fault: "unexpectedMessage" },
    ]);
  });

  test("W10: a block from another peer than the one with the request is dropped", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    fixture.join({ has: "all", unchokes: true });
    const other = fixture.join({ has: "all", unchokes: true });
    expect(fixture.receive(other, { type: "block", block: aBlock(0, 0) })).toEqual([]);
  });

  test.each(["the same peer", "another peer"])(
    "a block with a wrong length is requested again, from %s",
    (source) => {
      const fixture = new TransferFixture({ geometry: onePiece });
      let peer = fixture.join({ has: "all", unchokes: true });
      const [block] = fixture.outstanding(peer);
      fixture.deliver(peer, block);
      const wrong = fixture.outstanding(peer)[0]!;
      fixture.receive(peer, { type: "block", block: { ...wrong, length: 100 } });
      fixture.deliverAll(peer);
      if (source === "another peer") {
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

  test("a have for a verified piece goes to exactly the peers that lack it", () => {
    const fixture = new TransferFixture();
    const source = fixture.join({ has: "all" });
    const without = fixture.join({ has: [1, 2, 3] });
    const owner = fixture.join({ has: [0] });
    const empty = fixture.join({ fast: false });
    fixture.receive(owner, { type: "unchoke" });
    const effects = fixture.deliverAll(owner);
    expect(effects).toContainEqual({ type: "pieceVerified", piece: aBlock(0, 0).piece });
    expect([source, without, owner, empty].map((peer) => sent(effects, "have", peer).length)).toEqual([
      0, 1, 0, 1,
    ]);
  });

  test("the last verified piece completes the transfer, once", () => {
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
  test("W22: the requests of a peer that sends no block for 10 s go to others, and not before", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const silent = fixture.join({ has: "all", unchokes: true });
    fixture.join({ has: [] });
    const other = fixture.join({ has: "all" });
    fixture.pass(SNUB_MS - 1, SNUB_MS);
    fixture.receive(other, { type: "unchoke" });
    fixture.pass(1);
    expect(fixture.outstanding(silent).length).toBeGreaterThanOrEqual(4);
    const asked = [...fixture.outstanding(other)].map(({ begin }) => begin);
    expect(new Set(asked).size).toBeGreaterThanOrEqual(3);
  });

  test("a peer that sends a block every nine seconds is not snubbed", () => {
    const fixture = new TransferFixture({ geometry: large });
    const slow = fixture.join({ has: "all", unchokes: true });
    const before = fixture.outstanding(slow).length;
    for (let i = 0; i < 10; i++) {
      fixture.pass(9_000);
      fixture.deliver(slow);
    }
    const requests = sent(fixture.log, "request", slow).map(({ block }) => `${block.piece}:${block.begin}`);
    expect(new Set(requests).size).toBe(requests.length);
    expect(before).toBe(32);
  });

  test("a snubbed peer gets one request at a time until it sends a block", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ has: "all", unchokes: true });
    fixture.pass(SNUB_MS);
    const atSnub = sent(fixture.log, "request", peer).length;
    fixture.pass(SNUB_MS - 2 * TICK_MS);
    expect(sent(fixture.log, "request", peer).length - atSnub).toBeLessThanOrEqual(1);
    const newest = fixture.outstanding(peer).at(-1)!;
    const effects = fixture.deliver(peer, newest);
    expect(sent(effects, "request", peer).length).toBeGreaterThan(1);
  });

  test("N3: a late block of a snubbed peer is accepted, and the request to another peer is cancelled", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const late = fixture.join({ has: "all", unchokes: true });
    const [first] = fixture.outstanding(late);
    const other = fixture.join({ has: "all" });
    fixture.pass(SNUB_MS);
    fixture.receive(other, { type: "unchoke" });
    const taken = fixture.outstanding(other).find((block) => block.begin !== first!.begin)!;
    const effects = fixture.receive(late, { type: "block", block: taken });
    expect(effects).toContainEqual({ type: "writeBlock", block: taken });
    expect(sent(effects, "cancel", other).map(({ block }) => block)).toEqual([taken]);
    expect(fixture.transfer.status(fixture.now).wasted).toBe(0);
  });

  test("a late block that another peer has sent meanwhile is waste", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const late = fixture.join({ has: "all", unchokes: true });
    const other = fixture.join({ has: "all" });
    fixture.pass(SNUB_MS);
    fixture.receive(other, { type: "unchoke" });
    const block = fixture.outstanding(other)[0]!;
    fixture.deliver(other, block);
    expect(fixture.receive(late, { type: "block", block }).map(({ type }) => type)).not.toContain(
      "writeBlock",
    );
    expect(fixture.transfer.status(fixture.now).wasted).toBe(BLOCK_LENGTH);
  });

  test("the time before an unchoke does not count towards a snub", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ has: "all" });
    fixture.pass(60_000);
    fixture.receive(peer, { type: "unchoke" });
    fixture.pass(SNUB_MS - TICK_MS);
    expect(sent(fixture.log, "request", peer)).toHaveLength(32);
  });
});

describe("the end-game", () => {
  test("requests slow blocks from a second peer one by one, and cancels the first request on arrival", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const slow = fixture.join({ has: "all", unchokes: true });
    const idle = fixture.join({ has: "all", unchokes: true });
    const third = fixture.join({ has: "all" });
    fixture.pass(ENDGAME_DUPLICATE_MS - 1, 1);
    expect(fixture.outstanding(idle)).toEqual([]);
    fixture.pass(300);
    expect(fixture.outstanding(idle)).toHaveLength(1);
    const [block] = fixture.outstanding(idle);
    expect(sent(fixture.deliver(idle), "cancel", slow).map((cancel) => cancel.block)).toEqual([block!]);
    fixture.receive(third, { type: "unchoke" });
    const copies = new Map<number, number>();
    for (const peer of [slow, idle, third]) {
      for (const { begin } of fixture.outstanding(peer)) copies.set(begin, (copies.get(begin) ?? 0) + 1);
    }
    expect(Math.max(...copies.values())).toBe(MAX_ENDGAME_COPIES);
  });

  test("a block that arrives after its cancel is waste, not a fault", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const slow = fixture.join({ has: "all", unchokes: true });
    const idle = fixture.join({ has: "all", unchokes: true });
    fixture.pass(400);
    const [block] = fixture.outstanding(idle);
    fixture.deliver(idle);
    const effects = fixture.receive(slow, { type: "block", block: block! });
    expect(effects.filter(({ type }) => type === "writeBlock" || type === "closePeer")).toEqual([]);
    expect(fixture.transfer.status(fixture.now).wasted).toBe(BLOCK_LENGTH);
  });

  test("no block is requested twice while another has not been requested", () => {
    const fixture = new TransferFixture({ geometry: large });
    fixture.join({ has: "all", unchokes: true });
    const partial = fixture.join({ has: [0], unchokes: true });
    fixture.deliverAll(partial);
    fixture.pass(5_000);
    const requests = sent(fixture.log, "request").map(({ block }) => `${block.piece}:${block.begin}`);
    expect(new Set(requests).size).toBe(requests.length);
  });
});
