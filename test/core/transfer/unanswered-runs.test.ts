// Runs that are refused, overtaken or late.
import { describe, expect, test } from "bun:test";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { ENDGAME_PATIENCE_MS, SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { otherClient, lengths, longPiece, onePiece, requests, speaks } from "./runs-fixture.ts";
import { aBlock, aRun, BAD_DIGEST, sent, TransferFixture } from "./transfer-fixture.ts";

const RUNS_OF_LONG_PIECE = [0, 4, 8, 12].map((from) => aRun(0, from, 4));

describe("a run that is not answered", () => {
  test("goes to others as a whole when its peer chokes us without the fast extension", () => {
    const fixture = new TransferFixture({ geometry: longPiece });
    const choker = fixture.join({ ...speaks, fast: false });
    const other = fixture.join(speaks);
    const effects = fixture.hear(choker, { type: "choke" });
    expect(sent(effects, "request", other).map(({ block }) => block)).toEqual(RUNS_OF_LONG_PIECE);
  });

  test("goes to others, block by block where they take no runs, when it is rejected after a choke", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const choker = fixture.join(speaks);
    const other = fixture.join(otherClient);
    fixture.hear(choker, { type: "choke" });
    fixture.hear(choker, { type: "reject", block: aRun(0, 0, 4) });
    fixture.pass(TICK_MS);
    expect(fixture.asked(other)).toEqual([0, 1, 2, 3].map((at) => aBlock(0, at)));
    expect(fixture.deliver(choker, aRun(0, 4, 4))).toContainEqual({
      type: "writeBlock",
      block: aRun(0, 4, 4),
    });
    fixture.deliverAll(other);
    expect(fixture.transfer.status(0)).toMatchObject({ isComplete: true, wasted: 0 });
  });

  test("stays asked for when another length is rejected", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const peer = fixture.join(speaks);
    fixture.hear(peer, { type: "reject", block: aBlock(0, 0) });
    expect(fixture.deliver(peer, aRun(0, 0, 4))).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
  });

  test("goes to others when its peer leaves", () => {
    const fixture = new TransferFixture({ geometry: longPiece });
    const quitter = fixture.join(speaks);
    const other = fixture.join(speaks);
    expect(sent(fixture.leave(quitter), "request", other)).toHaveLength(4);
    fixture.deliverAll(other);
    expect(fixture.transfer.isComplete).toBe(true);
  });
});

describe("a run in the endgame", () => {
  test("is asked of a second peer as it is, and cancelled as it was asked for", () => {
    const fixture = new TransferFixture({ geometry: longPiece });
    const slow = fixture.join(speaks);
    const idle = fixture.join(speaks);
    for (const run of RUNS_OF_LONG_PIECE) {
      fixture.pass(2 * ENDGAME_PATIENCE_MS);
      expect(fixture.asked(idle)).toEqual([run]);
      const effects = fixture.deliver(idle);
      expect(sent(effects, "cancel", slow).map(({ block }) => block)).toEqual([run]);
      fixture.hashAll(effects);
    }
    expect(fixture.asked(slow)).toEqual([]);
    expect(fixture.transfer.status(0)).toMatchObject({
      isComplete: true,
      downloaded: longPiece.length,
      wasted: 0,
    });
  });

  test("is overtaken block by block by a foreign peer, and cancelled with the last of its blocks", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const slow = fixture.join(speaks);
    const idle = fixture.join(otherClient);
    const cancels: Block[][] = [];
    for (let i = 0; i < 8; i++) {
      fixture.pass(2 * ENDGAME_PATIENCE_MS);
      cancels.push(sent(fixture.deliver(idle), "cancel", slow).map(({ block }) => block));
    }
    expect(cancels).toEqual([[], [], [], [aRun(0, 0, 4)], [], [], [], [aRun(0, 4, 4)]]);
    expect(lengths(requests(fixture, idle))).toEqual([1]);
  });

  test("that arrives half overtaken is kept, and the foreign peer need not send the rest of it", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const slow = fixture.join(speaks);
    const idle = fixture.join(otherClient);
    for (let i = 0; i < 2; i++) {
      fixture.pass(2 * ENDGAME_PATIENCE_MS);
      fixture.deliver(idle);
    }
    fixture.pass(2 * ENDGAME_PATIENCE_MS);
    expect(fixture.asked(idle)).toEqual([aBlock(0, 2)]);
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
  /** A peer that owed two runs for ten seconds, and one that gets them in its place. */
  function overdue(options: typeof speaks | typeof otherClient = speaks, geometry = onePiece) {
    const fixture = new TransferFixture({ geometry });
    const late = fixture.join(speaks);
    const other = fixture.join({ ...options, unchokes: false });
    fixture.pass(SNUB_MS);
    return { fixture, late, other };
  }

  test("is welcome, and the peer itself need not send what it was asked for once more", () => {
    const { fixture, late } = overdue();
    expect(fixture.asked(late)).toEqual([aRun(0, 0, 4), aRun(0, 4, 4), aBlock(0, 0)]);
    const effects = fixture.deliver(late, aRun(0, 0, 4));
    expect(effects).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
    expect(sent(effects, "cancel").map(({ block }) => block)).toEqual([aBlock(0, 0)]);
  });

  test("is not mistaken for the answer to a later request for its first block", () => {
    const { fixture, late } = overdue();
    expect(fixture.deliver(late, aBlock(0, 0))).toContainEqual({ type: "writeBlock", block: aBlock(0, 0) });
    const effects = fixture.deliver(late, aRun(0, 0, 4));
    expect(effects).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
    expect(fixture.transfer.status(0)).toMatchObject({ downloaded: 4 * BLOCK_LENGTH, wasted: BLOCK_LENGTH });
  });

  test("that is rejected late leaves the request for its first block alone", () => {
    const { fixture, late } = overdue();
    fixture.hear(late, { type: "reject", block: aRun(0, 0, 4) });
    expect(fixture.deliver(late, aBlock(0, 0))).toContainEqual({ type: "writeBlock", block: aBlock(0, 0) });
    expect(fixture.hear(late, { type: "block", block: aRun(0, 0, 4) })).not.toContainEqual(
      expect.objectContaining({ type: "writeBlock" }),
    );
  });

  test("is still welcome when the request for its first block is rejected", () => {
    const { fixture, late } = overdue();
    fixture.hear(late, { type: "reject", block: aBlock(0, 0) });
    expect(fixture.deliver(late, aRun(0, 0, 4))).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
  });

  test.each([
    ["in runs", speaks],
    ["block by block", otherClient],
  ] as const)(
    "that is fetched from elsewhere %s replaces what is here, and its contributor stands for it",
    (_, options) => {
      const { fixture, late, other } = overdue(options, longPiece);
      fixture.hear(other, { type: "unchoke" });
      const [first] = fixture.asked(other);
      // From the second block on, across the edge between the two late runs.
      const [count, overlap] = options === speaks ? [4, 3] : [1, 1];
      expect(first).toEqual(aRun(0, 1, count));
      fixture.deliver(other, first);
      fixture.deliver(late, aRun(0, 0, 4));
      expect(fixture.transfer.status(0)).toMatchObject({
        downloaded: (4 + count - overlap) * BLOCK_LENGTH,
        wasted: overlap * BLOCK_LENGTH,
      });
      const effects = RUNS_OF_LONG_PIECE.slice(1).flatMap((run) => fixture.deliver(late, run));
      expect(fixture.asked(other)).toEqual([]);
      const hashed = fixture.hashAll(effects, BAD_DIGEST);
      expect(hashed).toContainEqual({ type: "pieceFailed", piece: aBlock(0, 0).piece });
      expect(hashed).toContainEqual({ type: "closePeer", peer: late, fault: "hashMismatch" });
    },
  );

  test("all of which is here meanwhile is waste", () => {
    const { fixture, late, other } = overdue();
    fixture.hear(other, { type: "unchoke" });
    for (const block of fixture.asked(other).slice()) fixture.deliver(other, block);
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
