// The disk is behind and no socket is read for a while: nobody may be judged by that time.
import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { ENDGAME_PATIENCE_MS, SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import { ReceiveClock } from "../../../src/core/transfer/receive-clock.ts";
import { sent, TransferBed } from "./transfer-bed.ts";

const onePiece = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
const large = new Geometry(400 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

function pause(bed: TransferBed, milliseconds: number): void {
  bed.handle({ type: "paused", paused: true });
  bed.pass(milliseconds);
  bed.handle({ type: "paused", paused: false });
}

/** Requests that left so far, to whomever. */
const requests = (bed: TransferBed) => sent(bed.log, "request").length;

describe("a pause", () => {
  test("of any length snubs nobody", () => {
    const bed = new TransferBed({ geometry: large });
    const peers = [1, 2, 3].map(() => bed.join({ has: "all", unchokes: true }));
    const before = requests(bed);
    pause(bed, 10 * SNUB_MS);
    bed.pass(SNUB_MS - TICK_MS);
    // A snubbed peer's blocks would be asked of others.
    expect(requests(bed)).toBe(before);
    for (const peer of peers) bed.deliver(peer);
    expect(bed.transfer.status(bed.now).wasted).toBe(0);
  });

  test("adds nothing to a peer's silence and takes nothing from it", () => {
    const bed = new TransferBed({ geometry: large });
    const silent = bed.join({ has: "all", unchokes: true });
    const before = sent(bed.log, "request", silent).length;
    bed.pass(SNUB_MS - 1000);
    pause(bed, 60_000);
    bed.pass(1000 - TICK_MS);
    expect(sent(bed.log, "request", silent)).toHaveLength(before);
    bed.pass(TICK_MS);
    // Snubbed: its requests are taken back, and one is tried.
    expect(sent(bed.log, "request", silent)).toHaveLength(before + 1);
  });

  test("again and again does not save a peer that stays silent while it is heard", () => {
    const bed = new TransferBed({ geometry: large });
    const silent = bed.join({ has: "all", unchokes: true });
    const before = sent(bed.log, "request", silent).length;
    for (let heardMs = 0; heardMs < SNUB_MS; heardMs += TICK_MS) {
      expect(sent(bed.log, "request", silent)).toHaveLength(before);
      pause(bed, 900);
      bed.pass(TICK_MS);
    }
    expect(sent(bed.log, "request", silent)).toHaveLength(before + 1);
  });

  test("at the end makes no block late, so that none is fetched twice for it", () => {
    const bed = new TransferBed({ geometry: onePiece });
    bed.join({ has: "all", unchokes: true });
    const idle = bed.join({ has: "all", unchokes: true });
    pause(bed, 10_000);
    expect(bed.asked(idle)).toEqual([]);
    bed.pass(ENDGAME_PATIENCE_MS - 1, 1);
    expect(bed.asked(idle)).toEqual([]);
    bed.pass(300);
    expect(bed.asked(idle)).toHaveLength(1);
  });

  test("before a suggested piece is asked for does not put off the end", () => {
    const bed = new TransferBed({ geometry: onePiece });
    pause(bed, 10_000);
    const suggester = bed.join({ has: "all" });
    bed.hear(suggester, { type: "suggest", piece: pieceIndex(0) });
    bed.hear(suggester, { type: "unchoke" });
    expect(bed.asked(suggester)).toHaveLength(4);
    const idle = bed.join({ has: "all", unchokes: true });
    bed.pass(ENDGAME_PATIENCE_MS + 300);
    expect(bed.asked(idle)).toHaveLength(1);
  });

  test("a peer that unchokes or joins within it has its whole time afterwards", () => {
    const bed = new TransferBed({ geometry: large });
    bed.handle({ type: "paused", paused: true });
    bed.pass(5_000);
    const peer = bed.join({ has: "all", unchokes: true });
    const before = sent(bed.log, "request", peer).length;
    expect(before).toBeGreaterThan(1);
    bed.pass(2 * SNUB_MS);
    bed.handle({ type: "paused", paused: false });
    bed.pass(SNUB_MS - TICK_MS);
    expect(sent(bed.log, "request", peer)).toHaveLength(before);
    bed.pass(TICK_MS);
    expect(sent(bed.log, "request", peer)).toHaveLength(before + 1);
  });
});

describe("ReceiveClock", () => {
  test("stands still in a pause, goes on from there, and never goes back", () => {
    const clock = new ReceiveClock();
    expect(clock.at(100)).toBe(100);
    clock.setPaused(true, 100);
    expect([clock.at(100), clock.at(500)]).toEqual([100, 100]);
    clock.setPaused(false, 600);
    expect([clock.at(600), clock.at(650)]).toEqual([100, 150]);
    clock.setPaused(true, 700);
    clock.setPaused(false, 1000);
    expect(clock.at(1000)).toBe(200);
  });

  test("hears a pause or its end once, however often they are told", () => {
    const clock = new ReceiveClock();
    clock.setPaused(false, 50);
    clock.setPaused(true, 100);
    clock.setPaused(true, 200);
    clock.setPaused(false, 300);
    clock.setPaused(false, 400);
    expect(clock.at(400)).toBe(200);
  });
});
