// Runs that are rejected, overtaken by another peer's blocks, or late.
import { describe, expect, test } from "bun:test";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { ENDGAME_DUPLICATE_MS, SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { otherClient, lengths, longPiece, onePiece, requests, p2pfilePeer } from "./runs-fixture.ts";
import { aBlock, aRun, BAD_DIGEST, sent, TransferFixture } from "./transfer-fixture.ts";

const RUNS_OF_LONG_PIECE = [0, 4, 8, 12].map((from) => aRun(0, from, 4));

describe("a run that is not answered", () => {
  test("goes to others as a whole when its peer chokes us without the fast extension", () => {
    const fixture = new TransferFixture({ geometry: longPiece });
    const choker = fixture.join({ ...p2pfilePeer, fast: false });
    const other = fixture.join(p2pfilePeer);
    const effects = fixture.receive(choker, { type: "choke" });
    expect(sent(effects, "request", other).map(({ block }) => block)).toEqual(RUNS_OF_LONG_PIECE);
  });

  test("goes to others when it is rejected after a choke, as single blocks to peers that answer no runs", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const choker = fixture.join(p2pfilePeer);
    const other = fixture.join(otherClient);
    fixture.receive(choker, { type: "choke" });
    fixture.receive(choker, { type: "reject", block: aRun(0, 0, 4) });
    fixture.pass(TICK_MS);
    expect(fixture.outstanding(other)).toEqual([0, 1, 2, 3].map((at) => aBlock(0, at)));
    expect(fixture.deliver(choker, aRun(0, 4, 4))).toContainEqual({
      type: "writeBlock",
      block: aRun(0, 4, 4),
    });
    fixture.deliverAll(other);
    expect(fixture.transfer.status(0)).toMatchObject({ isComplete: true, wasted: 0 });
  });

  test("stays requested when a request of another length is rejected", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const peer = fixture.join(p2pfilePeer);
    fixture.receive(peer, { type: "reject", block: aBlock(0, 0) });
    expect(fixture.deliver(peer, aRun(0, 0, 4))).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
  });

  test("goes to others when its peer leaves", () => {
    const fixture = new TransferFixture({ geometry: longPiece });
    const quitter = fixture.join(p2pfilePeer);
    const other = fixture.join(p2pfilePeer);
    expect(sent(fixture.leave(quitter), "request", other)).toHaveLength(4);
    fixture.deliverAll(other);
    expect(fixture.transfer.isComplete).toBe(true);
  });
});

describe("a run in the end-game", () => {
  test("is requested from a second peer as it is, and cancelled with its own length", () => {
    const fixture = new TransferFixture({ geometry: longPiece });
    const slow = fixture.join(p2pfilePeer);
    const idle = fixture.join(p2pfilePeer);
    for (const run of RUNS_OF_LONG_PIECE) {
      fixture.pass(2 * ENDGAME_DUPLICATE_MS);
      expect(fixture.outstanding(idle)).toEqual([run]);
      const effects = fixture.deliver(idle);
      expect(sent(effects, "cancel", slow).map(({ block }) => block)).toEqual([run]);
      fixture.hashAll(effects);
    }
    expect(fixture.outstanding(slow)).toEqual([]);
    expect(fixture.transfer.status(0)).toMatchObject({
      isComplete: true,
      downloaded: longPiece.length,
      wasted: 0,
    });
  });

  test("is overtaken block by block by another client, and cancelled with the last of its blocks", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const slow = fixture.join(p2pfilePeer);
    const idle = fixture.join(otherClient);
    const cancels: Block[][] = [];
    for (let i = 0; i < 8; i++) {
      fixture.pass(2 * ENDGAME_DUPLICATE_MS);
      cancels.push(sent(fixture.deliver(idle), "cancel", slow).map(({ block }) => block));
    }
    expect(cancels).toEqual([[], [], [], [aRun(0, 0, 4)], [], [], [], [aRun(0, 4, 4)]]);
    expect(lengths(requests(fixture, idle))).toEqual([1]);
  });

  test("that arrives half overtaken is kept, and the other client's request for the rest is cancelled", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const slow = fixture.join(p2pfilePeer);
    const idle = fixture.join(otherClient);
    for (let i = 0; i < 2; i++) {
      fixture.pass(2 * ENDGAME_DUPLICATE_MS);
      fixture.deliver(idle);
    }
    fixture.pass(2 * ENDGAME_DUPLICATE_MS);
    expect(fixture.outstanding(idle)).toEqual([aBlock(0, 2)]);
    const effects = fixture.deliver(slow, aRun(0, 0, 4));
    expect(effects).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
    expect(sent(effects, "cancel").map(({ block }) => block)).toEqual([aBlock(0, 2)]);
    expect(fixture.transfer.status(0)).toMatchObject({
      downloaded: 4 * BLOCK_LENGTH,
      wasted: 2 * BLOCK_LENGTH,
    });
    fixture.hashAll(fixture.deliver(slow));
    expect(fixture.transfer.isComplete).toBe(true);
  });
});

describe("a late run", () => {
  /** A peer that is snubbed with two runs outstanding, and another that may take them over. */
  function snubbed(options: typeof p2pfilePeer | typeof otherClient = p2pfilePeer, geometry = onePiece) {
    const fixture = new TransferFixture({ geometry });
    const late = fixture.join(p2pfilePeer);
    const other = fixture.join({ ...options, unchokes: false });
    fixture.pass(SNUB_MS);
    return { fixture, late, other };
  }

  test("is accepted, and the new request for its first block is cancelled", () => {
    const { fixture, late } = snubbed();
    expect(fixture.outstanding(late)).toEqual([aRun(0, 0, 4), aRun(0, 4, 4), aBlock(0, 0)]);
    const effects = fixture.deliver(late, aRun(0, 0, 4));
    expect(effects).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
    expect(sent(effects, "cancel").map(({ block }) => block)).toEqual([aBlock(0, 0)]);
  });

  test("is not taken for the answer to a later request for its first block", () => {
    const { fixture, late } = snubbed();
    expect(fixture.deliver(late, aBlock(0, 0))).toContainEqual({ type: "writeBlock", block: aBlock(0, 0) });
    const effects = fixture.deliver(late, aRun(0, 0, 4));
    expect(effects).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
    expect(fixture.transfer.status(0)).toMatchObject({ downloaded: 4 * BLOCK_LENGTH, wasted: BLOCK_LENGTH });
  });

  test("that is rejected late leaves the request for its first block alone", () => {
    const { fixture, late } = snubbed();
    fixture.receive(late, { type: "reject", block: aRun(0, 0, 4) });
    expect(fixture.deliver(late, aBlock(0, 0))).toContainEqual({ type: "writeBlock", block: aBlock(0, 0) });
    expect(fixture.receive(late, { type: "block", block: aRun(0, 0, 4) })).not.toContainEqual(
      expect.objectContaining({ type: "writeBlock" }),
    );
  });

  test("is still accepted when the request for its first block is rejected", () => {
    const { fixture, late } = snubbed();
    fixture.receive(late, { type: "reject", block: aBlock(0, 0) });
    expect(fixture.deliver(late, aRun(0, 0, 4))).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
  });

  test.each([
    ["in runs", p2pfilePeer],
    ["block by block", otherClient],
  ] as const)(
    "that is fetched from another peer %s replaces the received blocks, and its peer is their contributor",
    (_, options) => {
      const { fixture, late, other } = snubbed(options, longPiece);
      fixture.receive(other, { type: "unchoke" });
      const [first] = fixture.outstanding(other);
      // From the second block on, across the boundary of the two late runs.
      const [count, overlap] = options === p2pfilePeer ? [4, 3] : [1, 1];
      expect(first).toEqual(aRun(0, 1, count));
      fixture.deliver(other, first);
      fixture.deliver(late, aRun(0, 0, 4));
      expect(fixture.transfer.status(0)).toMatchObject({
        downloaded: (4 + count - overlap) * BLOCK_LENGTH,
        wasted: overlap * BLOCK_LENGTH,
      });
      const effects = RUNS_OF_LONG_PIECE.slice(1).flatMap((run) => fixture.deliver(late, run));
      expect(fixture.outstanding(other)).toEqual([]);
      const hashed = fixture.hashAll(effects, BAD_DIGEST);
      expect(hashed).toContainEqual({ type: "pieceFailed", piece: aBlock(0, 0).piece });
      expect(hashed).toContainEqual({ type: "closePeer", peer: late, fault: "hashMismatch" });
    },
  );

  test("whose blocks are all received meanwhile is waste", () => {
    const { fixture, late, other } = snubbed();
    fixture.receive(other, { type: "unchoke" });
    for (const block of fixture.outstanding(other).slice()) fixture.deliver(other, block);
    fixture.deliver(late, aBlock(0, 0));
    const before = fixture.transfer.status(0);
    const effects = fixture.deliver(late, aRun(0, 0, 4));
    expect(effects.filter(({ type }) => type === "writeBlock")).toEqual([]);
    expect(fixture.transfer.status(0)).toMatchObject({
      downloaded: before.downloaded,
      wasted: before.wasted + 4 * BLOCK_LENGTH,
    });
  });
});
