// Super-seeding on both sides: the seed's suggestions, and the leecher that follows them.
import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { type PeerHandle, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import {
  FIRST_UNREQUESTED_SUGGESTIONS,
  SUPER_SEED_TIMEOUT_MS,
  REASSIGN_PIECE_TIMES,
} from "../../../src/core/transfer/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import { aBlock, sent, TransferFixture } from "./transfer-fixture.ts";

const small = new Geometry(64 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

function suggest(fixture: TransferFixture, peer: PeerHandle, ...pieces: number[]): void {
  for (const piece of pieces) fixture.receive(peer, { type: "suggest", piece: pieceIndex(piece) });
}

function requestedPieces(fixture: TransferFixture, peer: PeerHandle): number[] {
  return [...new Set(fixture.outstanding(peer).map((block) => Number(block.piece)))];
}

describe("a leecher", () => {
  test("requests whole suggested pieces from a super-seeding peer, and nothing else", () => {
    const fixture = new TransferFixture({ geometry: small });
    const seed = fixture.join({ has: "all" });
    suggest(fixture, seed, 7, 3);
    fixture.receive(seed, { type: "unchoke" });
    expect(requestedPieces(fixture, seed)).toEqual([7, 3]);
    expect(fixture.outstanding(seed)).toHaveLength(8);
    fixture.deliverAll(seed);
    fixture.pass(SUPER_SEED_TIMEOUT_MS - TICK_MS);
    expect(fixture.outstanding(seed)).toEqual([]);
  });

  test("requests any piece from it once it has not suggested for long", () => {
    const fixture = new TransferFixture({ geometry: small });
    const seed = fixture.join({ has: "all" });
    suggest(fixture, seed, 7);
    fixture.receive(seed, { type: "unchoke" });
    fixture.deliverAll(seed);
    fixture.pass(SUPER_SEED_TIMEOUT_MS + TICK_MS);
    expect(fixture.outstanding(seed).length).toBeGreaterThan(0);
  });

  test("requests a suggested piece from another leecher that has it", () => {
    const fixture = new TransferFixture({ geometry: small });
    const seed = fixture.join({ has: "all" });
    suggest(fixture, seed, 7, 3);
    const other = fixture.join({ has: [7] });
    fixture.receive(seed, { type: "unchoke" });
    expect(requestedPieces(fixture, seed)).toEqual([3]);
    fixture.receive(other, { type: "unchoke" });
    expect(requestedPieces(fixture, other)).toEqual([7]);
  });

  test("sends a have for every piece to a super-seeding peer, and to no other seed", () => {
    const fixture = new TransferFixture({ geometry: small });
    const seed = fixture.join({ has: "all" });
    const silent = fixture.join({ has: "all" });
    suggest(fixture, seed, 7);
    fixture.receive(seed, { type: "unchoke" });
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
    expect(all).toHaveLength(2 * FIRST_UNREQUESTED_SUGGESTIONS);
    expect(new Set(all).size).toBe(all.length);
  });

  test("reassigns an unrequested piece to a waiting peer when every piece is assigned", () => {
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
      fixture.receive(quick, { type: "request", block: aBlock(piece, 0) });
      fixture.receive(quick, { type: "have", piece: pieceIndex(piece) });
    }
    expect(pieces(fixture, quick, before)).toEqual([ofSlow[1]!]);
  });

  test("reassigns a piece that is fetched too slowly to a waiting peer, on a tick", () => {
    const fixture = new TransferFixture({
      geometry: new Geometry(8 * BLOCK_LENGTH, 2 * BLOCK_LENGTH),
      have: "all",
    });
    const quick = fixture.join({ interested: true });
    const slow = fixture.join({ interested: true });
    const [ofQuick, ofSlow] = [pieces(fixture, quick), pieces(fixture, slow)];
    for (const piece of ofQuick) fixture.receive(quick, { type: "request", block: aBlock(piece, 0) });
    for (const piece of ofSlow) fixture.receive(slow, { type: "request", block: aBlock(piece, 0) });
    const before = fixture.log.length;
    fixture.pass(TICK_MS);
    for (const piece of ofQuick) fixture.receive(quick, { type: "have", piece: pieceIndex(piece) });
    fixture.pass((REASSIGN_PIECE_TIMES - 1) * TICK_MS);
    expect(pieces(fixture, quick, before)).toEqual([]);
    fixture.pass(TICK_MS);
    expect(pieces(fixture, quick, before)).toEqual([ofSlow[0]!]);
  });
});
