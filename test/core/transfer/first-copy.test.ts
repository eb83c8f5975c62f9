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
import { aBlock, sent, TransferBed } from "./transfer-bed.ts";

const small = new Geometry(64 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

function suggest(bed: TransferBed, peer: PeerHandle, ...pieces: number[]): void {
  for (const piece of pieces) bed.hear(peer, { type: "suggest", piece: pieceIndex(piece) });
}

function askedPieces(bed: TransferBed, peer: PeerHandle): number[] {
  return [...new Set(bed.asked(peer).map((block) => Number(block.piece)))];
}

describe("a leecher", () => {
  test("asks one that suggests pieces for those, whole, and for nothing else", () => {
    const bed = new TransferBed({ geometry: small });
    const seed = bed.join({ has: "all" });
    suggest(bed, seed, 7, 3);
    bed.hear(seed, { type: "unchoke" });
    expect(askedPieces(bed, seed)).toEqual([7, 3]);
    expect(bed.asked(seed)).toHaveLength(8);
    bed.deliverAll(seed);
    bed.pass(SUGGESTED_ONLY_MS - TICK_MS);
    expect(bed.asked(seed)).toEqual([]);
  });

  test("asks it for anything once it has been silent for long", () => {
    const bed = new TransferBed({ geometry: small });
    const seed = bed.join({ has: "all" });
    suggest(bed, seed, 7);
    bed.hear(seed, { type: "unchoke" });
    bed.deliverAll(seed);
    bed.pass(SUGGESTED_ONLY_MS + TICK_MS);
    expect(bed.asked(seed).length).toBeGreaterThan(0);
  });

  test("leaves a suggested piece to somebody else who has it by now", () => {
    const bed = new TransferBed({ geometry: small });
    const seed = bed.join({ has: "all" });
    suggest(bed, seed, 7, 3);
    const other = bed.join({ has: [7] });
    bed.hear(seed, { type: "unchoke" });
    expect(askedPieces(bed, seed)).toEqual([3]);
    bed.hear(other, { type: "unchoke" });
    expect(askedPieces(bed, other)).toEqual([7]);
  });

  test("tells one that suggests which pieces it got, from whomever, and no other seed", () => {
    const bed = new TransferBed({ geometry: small });
    const seed = bed.join({ has: "all" });
    const silent = bed.join({ has: "all" });
    suggest(bed, seed, 7);
    bed.hear(seed, { type: "unchoke" });
    const effects = bed.deliverAll(seed);
    const other = bed.join({ has: [5], unchokes: true });
    effects.push(...bed.deliverAll(other));
    expect(sent(effects, "have", seed).map(({ piece }) => Number(piece))).toEqual([7, 5]);
    expect(sent(effects, "have", silent)).toEqual([]);
  });
});

describe("a seed", () => {
  const pieces = (bed: TransferBed, peer: PeerHandle, from = 0) =>
    sent(bed.log.slice(from), "suggest", peer).map(({ piece }) => Number(piece));

  test("suggests nothing to a sole leecher, and different pieces to two", () => {
    const bed = new TransferBed({ geometry: small, have: "all" });
    const first = bed.join({ interested: true });
    expect(pieces(bed, first)).toEqual([]);
    const second = bed.join({ interested: true });
    const all = [...pieces(bed, first), ...pieces(bed, second)];
    expect(all).toHaveLength(2 * FIRST_SUGGESTIONS_AHEAD);
    expect(new Set(all).size).toBe(all.length);
  });

  test("gives a piece that nobody has begun to one that waits, when all are handed out", () => {
    const bed = new TransferBed({ geometry: new Geometry(8 * BLOCK_LENGTH, 2 * BLOCK_LENGTH), have: "all" });
    const quick = bed.join({ interested: true });
    const slow = bed.join({ interested: true });
    const ofSlow = pieces(bed, slow);
    expect(ofSlow).toHaveLength(2);
    const before = bed.log.length;
    for (const piece of pieces(bed, quick)) {
      bed.hear(quick, { type: "request", block: aBlock(piece, 0) });
      bed.hear(quick, { type: "have", piece: pieceIndex(piece) });
    }
    expect(pieces(bed, quick, before)).toEqual([ofSlow[1]!]);
  });

  test("gives a piece that is far too long on its way to one that waits, as time passes", () => {
    const bed = new TransferBed({ geometry: new Geometry(8 * BLOCK_LENGTH, 2 * BLOCK_LENGTH), have: "all" });
    const quick = bed.join({ interested: true });
    const slow = bed.join({ interested: true });
    const [ofQuick, ofSlow] = [pieces(bed, quick), pieces(bed, slow)];
    for (const piece of ofQuick) bed.hear(quick, { type: "request", block: aBlock(piece, 0) });
    for (const piece of ofSlow) bed.hear(slow, { type: "request", block: aBlock(piece, 0) });
    const before = bed.log.length;
    bed.pass(TICK_MS);
    for (const piece of ofQuick) bed.hear(quick, { type: "have", piece: pieceIndex(piece) });
    bed.pass((SUGGESTION_PATIENCE - 1) * TICK_MS);
    expect(pieces(bed, quick, before)).toEqual([]);
    bed.pass(TICK_MS);
    expect(pieces(bed, quick, before)).toEqual([ofSlow[0]!]);
  });
});
