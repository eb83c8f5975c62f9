// What a seed's suggestions do to both sides: they are followed, and their fate is told.
import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { type PeerHandle, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import {
  FIRST_SUGGESTIONS_AHEAD,
  SUGGESTED_ONLY_MS,
  SUGGESTION_PATIENCE,
} from "../../../src/core/transfer/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import { aBlock, sent, TransferFixture } from "./transfer-fixture.ts";

const small = new Geometry(64 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

function suggest(fixture: TransferFixture, peer: PeerHandle, ...pieces: number[]): void {
  for (const piece of pieces) fixture.hear(peer, { type: "suggest", piece: pieceIndex(piece) });
}

function askedPieces(fixture: TransferFixture, peer: PeerHandle): number[] {
  return [...new Set(fixture.asked(peer).map((block) => Number(block.piece)))];
}

describe("a leecher", () => {
  test("asks one that suggests pieces for those, whole, and for nothing else", () => {
    const fixture = new TransferFixture({ geometry: small });
    const seed = fixture.join({ has: "all" });
    suggest(fixture, seed, 7, 3);
    fixture.hear(seed, { type: "unchoke" });
    expect(askedPieces(fixture, seed)).toEqual([7, 3]);
    expect(fixture.asked(seed)).toHaveLength(8);
    fixture.deliverAll(seed);
    fixture.pass(SUGGESTED_ONLY_MS - TICK_MS);
    expect(fixture.asked(seed)).toEqual([]);
  });

  test("asks it for anything once it has been silent for long", () => {
    const fixture = new TransferFixture({ geometry: small });
    const seed = fixture.join({ has: "all" });
    suggest(fixture, seed, 7);
    fixture.hear(seed, { type: "unchoke" });
    fixture.deliverAll(seed);
    fixture.pass(SUGGESTED_ONLY_MS + TICK_MS);
    expect(fixture.asked(seed).length).toBeGreaterThan(0);
  });

  test("leaves a suggested piece to somebody else who has it by now", () => {
    const fixture = new TransferFixture({ geometry: small });
    const seed = fixture.join({ has: "all" });
    suggest(fixture, seed, 7, 3);
    const other = fixture.join({ has: [7] });
    fixture.hear(seed, { type: "unchoke" });
    expect(askedPieces(fixture, seed)).toEqual([3]);
    fixture.hear(other, { type: "unchoke" });
    expect(askedPieces(fixture, other)).toEqual([7]);
  });

  test("tells one that suggests which pieces it got, from whomever, and no other seed", () => {
    const fixture = new TransferFixture({ geometry: small });
    const seed = fixture.join({ has: "all" });
    const silent = fixture.join({ has: "all" });
    suggest(fixture, seed, 7);
    fixture.hear(seed, { type: "unchoke" });
    const effects = fixture.deliverAll(seed);
    const other = fixture.join({ has: [5], unchokes: true });
    effects.push(...fixture.deliverAll(other));
    expect(sent(effects, "have", seed).map(({ piece }) => Number(piece))).toEqual([7, 5]);
    expect(sent(effects, "have", silent)).toEqual([]);
  });
});

describe("a seed", () => {
  const pieces = (fixture: TransferFixture, peer: PeerHandle, from = 0) =>
    sent(fixture.log.slice(from), "suggest", peer).map(({ piece }) => Number(piece));

  test("suggests nothing to a sole leecher, and different pieces to two", () => {
    const fixture = new TransferFixture({ geometry: small, have: "all" });
    const first = fixture.join({ interested: true });
    expect(pieces(fixture, first)).toEqual([]);
    const second = fixture.join({ interested: true });
    const all = [...pieces(fixture, first), ...pieces(fixture, second)];
    expect(all).toHaveLength(2 * FIRST_SUGGESTIONS_AHEAD);
    expect(new Set(all).size).toBe(all.length);
  });

  test("gives a piece that nobody has begun to one that waits, when all are handed out", () => {
    const fixture = new TransferFixture({
      geometry: new Geometry(8 * BLOCK_LENGTH, 2 * BLOCK_LENGTH),
      have: "all",
    });
    const quick = fixture.join({ interested: true });
    const slow = fixture.join({ interested: true });
    const ofSlow = pieces(fixture, slow);
    expect(ofSlow).toHaveLength(2);
    const before = fixture.log.length;
    for (const piece of pieces(fixture, quick)) {
      fixture.hear(quick, { type: "request", block: aBlock(piece, 0) });
      fixture.hear(quick, { type: "have", piece: pieceIndex(piece) });
    }
    expect(pieces(fixture, quick, before)).toEqual([ofSlow[1]!]);
  });

  test("gives a piece that is far too long on its way to one that waits, as time passes", () => {
    const fixture = new TransferFixture({
      geometry: new Geometry(8 * BLOCK_LENGTH, 2 * BLOCK_LENGTH),
      have: "all",
    });
    const quick = fixture.join({ interested: true });
    const slow = fixture.join({ interested: true });
    const [ofQuick, ofSlow] = [pieces(fixture, quick), pieces(fixture, slow)];
    for (const piece of ofQuick) fixture.hear(quick, { type: "request", block: aBlock(piece, 0) });
    for (const piece of ofSlow) fixture.hear(slow, { type: "request", block: aBlock(piece, 0) });
    const before = fixture.log.length;
    fixture.pass(TICK_MS);
    for (const piece of ofQuick) fixture.hear(quick, { type: "have", piece: pieceIndex(piece) });
    fixture.pass((SUGGESTION_PATIENCE - 1) * TICK_MS);
    expect(pieces(fixture, quick, before)).toEqual([]);
    fixture.pass(TICK_MS);
    expect(pieces(fixture, quick, before)).toEqual([ofSlow[0]!]);
  });
});
