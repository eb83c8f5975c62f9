// Pauses: the disk is behind and no socket is read. That time must not count towards any timeout of a peer.
import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { ENDGAME_DUPLICATE_MS, SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import { ReceiveClock } from "../../../src/core/transfer/receive-clock.ts";
import { sent, TransferFixture } from "./transfer-fixture.ts";

const onePiece = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);
const large = new Geometry(400 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

function pause(fixture: TransferFixture, milliseconds: number): void {
  fixture.handle({ type: "paused", paused: true });
  fixture.pass(milliseconds);
  fixture.handle({ type: "paused", paused: false });
}

/** Number of requests so far, to any peer. */
const requests = (fixture: TransferFixture) => sent(fixture.log, "request").length;

describe("a pause", () => {
  test("of any length snubs no peer", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peers = [1, 2, 3].map(() => fixture.join({ has: "all", unchokes: true }));
    const before = requests(fixture);
    pause(fixture, 10 * SNUB_MS);
    fixture.pass(SNUB_MS - TICK_MS);
    // The blocks of a snubbed peer would be requested from others.
    expect(requests(fixture)).toBe(before);
    for (const peer of peers) fixture.deliver(peer);
    expect(fixture.transfer.status(fixture.now).wasted).toBe(0);
  });

  test("neither adds to a peer's silence nor ends it", () => {
    const fixture = new TransferFixture({ geometry: large });
    const silent = fixture.join({ has: "all", unchokes: true });
    const before = sent(fixture.log, "request", silent).length;
    fixture.pass(SNUB_MS - 1000);
    pause(fixture, 60_000);
    fixture.pass(1000 - TICK_MS);
    expect(sent(fixture.log, "request", silent)).toHaveLength(before);
    fixture.pass(TICK_MS);
    // Snubbed: its requests expire, and one new request is sent.
    expect(sent(fixture.log, "request", silent)).toHaveLength(before + 1);
  });

  test("again and again does not save a peer that is silent between the pauses", () => {
    const fixture = new TransferFixture({ geometry: large });
    const silent = fixture.join({ has: "all", unchokes: true });
    const before = sent(fixture.log, "request", silent).length;
    for (let receiveMs = 0; receiveMs < SNUB_MS; receiveMs += TICK_MS) {
      expect(sent(fixture.log, "request", silent)).toHaveLength(before);
      pause(fixture, 900);
      fixture.pass(TICK_MS);
    }
    expect(sent(fixture.log, "request", silent)).toHaveLength(before + 1);
  });

  test("in the end-game makes no request old, so that no block is requested twice for it", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    fixture.join({ has: "all", unchokes: true });
    const idle = fixture.join({ has: "all", unchokes: true });
    pause(fixture, 10_000);
    expect(fixture.outstanding(idle)).toEqual([]);
    fixture.pass(ENDGAME_DUPLICATE_MS - 1, 1);
    expect(fixture.outstanding(idle)).toEqual([]);
    fixture.pass(300);
    expect(fixture.outstanding(idle)).toHaveLength(1);
  });

  test("before a suggested piece is requested does not delay the end-game", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    pause(fixture, 10_000);
    const seed = fixture.join({ has: "all" });
    fixture.receive(seed, { type: "suggest", piece: pieceIndex(0) });
    fixture.receive(seed, { type: "unchoke" });
    expect(fixture.outstanding(seed)).toHaveLength(4);
    const idle = fixture.join({ has: "all", unchokes: true });
    fixture.pass(ENDGAME_DUPLICATE_MS + 300);
    expect(fixture.outstanding(idle)).toHaveLength(1);
  });

  test("a peer that joins or unchokes us within a pause has its full time afterwards", () => {
    const fixture = new TransferFixture({ geometry: large });
    fixture.handle({ type: "paused", paused: true });
    fixture.pass(5_000);
    const peer = fixture.join({ has: "all", unchokes: true });
    const before = sent(fixture.log, "request", peer).length;
    expect(before).toBeGreaterThan(1);
    fixture.pass(2 * SNUB_MS);
    fixture.handle({ type: "paused", paused: false });
    fixture.pass(SNUB_MS - TICK_MS);
    expect(sent(fixture.log, "request", peer)).toHaveLength(before);
    fixture.pass(TICK_MS);
    expect(sent(fixture.log, "request", peer)).toHaveLength(before + 1);
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

  test("ignores a repeated pause or end of a pause", () => {
    const clock = new ReceiveClock();
    clock.setPaused(false, 50);
    clock.setPaused(true, 100);
    clock.setPaused(true, 200);
    clock.setPaused(false, 300);
    clock.setPaused(false, 400);
    expect(clock.at(400)).toBe(200);
  });
});
