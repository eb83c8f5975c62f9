// Runs that are refused, overtaken or late.
import { describe, expect, test } from "bun:test";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { ENDGAME_PATIENCE_MS, SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { otherClient, lengths, longPiece, onePiece, requests, speaks } from "./runs-bed.ts";
import { aBlock, aRun, BAD_DIGEST, sent, TransferBed } from "./transfer-bed.ts";

const RUNS_OF_LONG_PIECE = [0, 4, 8, 12].map((from) => aRun(0, from, 4));

describe("a run that is not answered", () => {
  test("goes to others as a whole when its peer chokes us without the fast extension", () => {
    const bed = new TransferBed({ geometry: longPiece });
    const choker = bed.join({ ...speaks, fast: false });
    const other = bed.join(speaks);
    const effects = bed.hear(choker, { type: "choke" });
    expect(sent(effects, "request", other).map(({ block }) => block)).toEqual(RUNS_OF_LONG_PIECE);
  });

  test("goes to others, block by block where they take no runs, when it is rejected after a choke", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const choker = bed.join(speaks);
    const other = bed.join(otherClient);
    bed.hear(choker, { type: "choke" });
    bed.hear(choker, { type: "reject", block: aRun(0, 0, 4) });
    bed.pass(TICK_MS);
    expect(bed.asked(other)).toEqual([0, 1, 2, 3].map((at) => aBlock(0, at)));
    expect(bed.deliver(choker, aRun(0, 4, 4))).toContainEqual({ type: "writeBlock", block: aRun(0, 4, 4) });
    bed.deliverAll(other);
    expect(bed.transfer.status(0)).toMatchObject({ isComplete: true, wasted: 0 });
  });

  test("stays asked for when another length is rejected", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const peer = bed.join(speaks);
    bed.hear(peer, { type: "reject", block: aBlock(0, 0) });
    expect(bed.deliver(peer, aRun(0, 0, 4))).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
  });

  test("goes to others when its peer leaves", () => {
    const bed = new TransferBed({ geometry: longPiece });
    const quitter = bed.join(speaks);
    const other = bed.join(speaks);
    expect(sent(bed.leave(quitter), "request", other)).toHaveLength(4);
    bed.deliverAll(other);
    expect(bed.transfer.isComplete).toBe(true);
  });
});

describe("a run in the endgame", () => {
  test("is asked of a second peer as it is, and cancelled as it was asked for", () => {
    const bed = new TransferBed({ geometry: longPiece });
    const slow = bed.join(speaks);
    const idle = bed.join(speaks);
    for (const run of RUNS_OF_LONG_PIECE) {
      bed.pass(2 * ENDGAME_PATIENCE_MS);
      expect(bed.asked(idle)).toEqual([run]);
      const effects = bed.deliver(idle);
      expect(sent(effects, "cancel", slow).map(({ block }) => block)).toEqual([run]);
      bed.hashAll(effects);
    }
    expect(bed.asked(slow)).toEqual([]);
    expect(bed.transfer.status(0)).toMatchObject({
      isComplete: true,
      downloaded: longPiece.length,
      wasted: 0,
    });
  });

  test("is overtaken block by block by a foreign peer, and cancelled with the last of its blocks", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const slow = bed.join(speaks);
    const idle = bed.join(otherClient);
    const cancels: Block[][] = [];
    for (let i = 0; i < 8; i++) {
      bed.pass(2 * ENDGAME_PATIENCE_MS);
      cancels.push(sent(bed.deliver(idle), "cancel", slow).map(({ block }) => block));
    }
    expect(cancels).toEqual([[], [], [], [aRun(0, 0, 4)], [], [], [], [aRun(0, 4, 4)]]);
    expect(lengths(requests(bed, idle))).toEqual([1]);
  });

  test("that arrives half overtaken is kept, and the foreign peer need not send the rest of it", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const slow = bed.join(speaks);
    const idle = bed.join(otherClient);
    for (let i = 0; i < 2; i++) {
      bed.pass(2 * ENDGAME_PATIENCE_MS);
      bed.deliver(idle);
    }
    bed.pass(2 * ENDGAME_PATIENCE_MS);
    expect(bed.asked(idle)).toEqual([aBlock(0, 2)]);
    const effects = bed.deliver(slow, aRun(0, 0, 4));
    expect(effects).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
    expect(sent(effects, "cancel").map(({ block }) => block)).toEqual([aBlock(0, 2)]);
    expect(bed.transfer.status(0)).toMatchObject({ downloaded: 4 * BLOCK_LENGTH, wasted: 2 * BLOCK_LENGTH });
    bed.hashAll(bed.deliver(slow));
    expect(bed.transfer.isComplete).toBe(true);
  });
});

describe("a late run", () => {
  /** A peer that owed two runs for ten seconds, and one that gets them in its place. */
  function overdue(options: typeof speaks | typeof otherClient = speaks, geometry = onePiece) {
    const bed = new TransferBed({ geometry });
    const late = bed.join(speaks);
    const other = bed.join({ ...options, unchokes: false });
    bed.pass(SNUB_MS);
    return { bed, late, other };
  }

  test("is welcome, and the peer itself need not send what it was asked for once more", () => {
    const { bed, late } = overdue();
    expect(bed.asked(late)).toEqual([aRun(0, 0, 4), aRun(0, 4, 4), aBlock(0, 0)]);
    const effects = bed.deliver(late, aRun(0, 0, 4));
    expect(effects).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
    expect(sent(effects, "cancel").map(({ block }) => block)).toEqual([aBlock(0, 0)]);
  });

  test("is not mistaken for the answer to a later request for its first block", () => {
    const { bed, late } = overdue();
    expect(bed.deliver(late, aBlock(0, 0))).toContainEqual({ type: "writeBlock", block: aBlock(0, 0) });
    const effects = bed.deliver(late, aRun(0, 0, 4));
    expect(effects).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
    expect(bed.transfer.status(0)).toMatchObject({ downloaded: 4 * BLOCK_LENGTH, wasted: BLOCK_LENGTH });
  });

  test("that is rejected late leaves the request for its first block alone", () => {
    const { bed, late } = overdue();
    bed.hear(late, { type: "reject", block: aRun(0, 0, 4) });
    expect(bed.deliver(late, aBlock(0, 0))).toContainEqual({ type: "writeBlock", block: aBlock(0, 0) });
    expect(bed.hear(late, { type: "block", block: aRun(0, 0, 4) })).not.toContainEqual(
      expect.objectContaining({ type: "writeBlock" }),
    );
  });

  test("is still welcome when the request for its first block is rejected", () => {
    const { bed, late } = overdue();
    bed.hear(late, { type: "reject", block: aBlock(0, 0) });
    expect(bed.deliver(late, aRun(0, 0, 4))).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
  });

  test.each([
    ["in runs", speaks],
    ["block by block", otherClient],
  ] as const)(
    "that is fetched from elsewhere %s replaces what is here, and its contributor stands for it",
    (_, options) => {
      const { bed, late, other } = overdue(options, longPiece);
      bed.hear(other, { type: "unchoke" });
      const [first] = bed.asked(other);
      // From the second block on, across the edge between the two late runs.
      const [count, overlap] = options === speaks ? [4, 3] : [1, 1];
      expect(first).toEqual(aRun(0, 1, count));
      bed.deliver(other, first);
      bed.deliver(late, aRun(0, 0, 4));
      expect(bed.transfer.status(0)).toMatchObject({
        downloaded: (4 + count - overlap) * BLOCK_LENGTH,
        wasted: overlap * BLOCK_LENGTH,
      });
      const effects = RUNS_OF_LONG_PIECE.slice(1).flatMap((run) => bed.deliver(late, run));
      expect(bed.asked(other)).toEqual([]);
      const hashed = bed.hashAll(effects, BAD_DIGEST);
      expect(hashed).toContainEqual({ type: "pieceFailed", piece: aBlock(0, 0).piece });
      expect(hashed).toContainEqual({ type: "closePeer", peer: late, fault: "hashMismatch" });
    },
  );

  test("all of which is here meanwhile is waste", () => {
    const { bed, late, other } = overdue();
    bed.hear(other, { type: "unchoke" });
    for (const block of bed.asked(other).slice()) bed.deliver(other, block);
    bed.deliver(late, aBlock(0, 0));
    const before = bed.transfer.status(0);
    const effects = bed.deliver(late, aRun(0, 0, 4));
    expect(effects.filter(({ type }) => type === "writeBlock")).toEqual([]);
    expect(bed.transfer.status(0)).toMatchObject({
      downloaded: before.downloaded,
      wasted: before.wasted + 4 * BLOCK_LENGTH,
    });
  });
});
