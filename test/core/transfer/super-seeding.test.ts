import { describe, expect, test } from "bun:test";
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import { peerHandle, pieceIndex } from "../../../src/core/torrent/ids.ts";
import {
  FIRST_UNREQUESTED_SUGGESTIONS,
  MAX_UNREQUESTED_SUGGESTIONS,
  SUGGESTION_GROWTH_MS,
  REASSIGN_PIECE_TIMES,
} from "../../../src/core/transfer/limits.ts";
import { SuperSeeding } from "../../../src/core/transfer/super-seeding.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";

const PIECES = 40;
const nothing = new Bitfield(PIECES);
const [a, b, c] = [peerHandle(1), peerHandle(2), peerHandle(3)];

function aSeeding(atLeechers = new Set<number>(), pieces = PIECES): SuperSeeding {
  return new SuperSeeding(pieces, (piece) => atLeechers.has(piece), seededRandom(1));
}

describe("SuperSeeding", () => {
  test("assigns every piece to one peer alone", () => {
    const seeding = aSeeding();
    const suggested: number[] = [];
    for (let turn = 0; turn < PIECES; turn++) {
      const peer = turn % 2 === 0 ? a : b;
      for (const piece of seeding.next(peer, nothing, turn)) {
        suggested.push(piece);
        seeding.requested(peer, piece, turn);
      }
    }
    expect(suggested.toSorted((x, y) => x - y)).toEqual(Array.from({ length: PIECES }, (_, i) => i));
  });

  test("leaves atLeechers pieces that the peer or another leecher has", () => {
    const has = new Bitfield(PIECES);
    for (let i = 0; i < PIECES; i += 2) has.set(i);
    const seeding = aSeeding(new Set([1, 3, 5]));
    const suggested: number[] = [];
    for (let turn = 0; turn < PIECES; turn++) {
      for (const piece of seeding.next(a, has, 0)) {
        suggested.push(piece);
        seeding.requested(a, piece, 0);
      }
    }
    expect(suggested.length).toBe(PIECES / 2 - 3);
    expect(suggested.every((piece) => piece % 2 === 1 && piece > 5)).toBe(true);
  });

  test("suggests as many pieces ahead as the peer requests in a round trip, within a limit", () => {
    const seeding = aSeeding();
    for (let round = FIRST_UNREQUESTED_SUGGESTIONS; round <= 7; round++) {
      const fresh = seeding.next(a, nothing, 0);
      expect(fresh.length).toBe(round);
      expect(seeding.next(a, nothing, 0)).toEqual([]);
      for (const piece of fresh) expect(seeding.requested(a, piece, 0)).toBe(true);
    }
    expect(MAX_UNREQUESTED_SUGGESTIONS).toBeLessThan(PIECES);
  });

  test("suggests no more pieces ahead to a slow peer", () => {
    const seeding = aSeeding();
    for (let round = 0; round < 4; round++) {
      const fresh = seeding.next(a, nothing, round * SUGGESTION_GROWTH_MS);
      expect(fresh.length).toBe(FIRST_UNREQUESTED_SUGGESTIONS);
      for (const piece of fresh) seeding.requested(a, piece, round * SUGGESTION_GROWTH_MS);
    }
  });

  test("reassigns the pieces of a peer that leaves, but not those that a leecher has by then", () => {
    const atLeechers = new Set<number>();
    const seeding = aSeeding(atLeechers);
    const [first] = seeding.next(a, nothing, 0);
    seeding.requested(a, first!, 0);
    const rest = seeding.next(a, nothing, 0);
    atLeechers.add(first!);
    seeding.release(a);
    const others = seeding.next(b, nothing, 0);
    expect(others[0]).toBe(rest.at(-1));
    expect(others).not.toContain(first!);
  });

  test("does not suggest a piece again that its peer has announced", () => {
    const seeding = aSeeding();
    const [piece] = seeding.next(a, nothing, 0);
    seeding.announced(a, pieceIndex(piece!), 0);
    expect(seeding.needsSuggestions(a)).toBe(true);
    seeding.release(a);
    expect(seeding.next(b, nothing, 0)).not.toContain(piece!);
  });
});

describe("SuperSeeding when every piece is assigned", () => {
  /** Four pieces, two assigned to `a` and two to `b`. */
  function allAssigned(atLeechers = new Set<number>()) {
    const seeding = aSeeding(atLeechers, 4);
    const ofA = seeding.next(a, nothing, 0);
    const ofB = seeding.next(b, nothing, 0);
    expect([ofA.length, ofB.length]).toEqual([2, 2]);
    return { seeding, ofA, ofB };
  }

  test("reassigns an unrequested piece to a waiting peer, one at a time, the last one first", () => {
    const { seeding, ofA, ofB } = allAssigned();
    for (const piece of ofA) seeding.requested(a, piece, 0);
    expect(seeding.next(a, nothing, 0)).toEqual([ofB[1]!]);
    expect(seeding.next(a, nothing, 0)).toEqual([]);
    seeding.requested(a, ofB[1]!, 0);
    expect(seeding.next(a, nothing, 0)).toEqual([ofB[0]!]);
    // The piece is not assigned to `b` any more.
    expect(seeding.requested(b, ofB[0]!, 0)).toBe(false);
  });

  test("assigns no piece that the peer has", () => {
    const { seeding, ofA, ofB } = allAssigned();
    for (const piece of ofA) seeding.requested(a, piece, 0);
    const has = new Bitfield(4);
    has.set(ofB[1]!);
    expect(seeding.next(a, has, 0)).toEqual([ofB[0]!]);
  });

  test("reassigns a requested piece when the waiting peer would have fetched it several times over", () => {
    const { seeding, ofA, ofB } = allAssigned();
    for (const piece of ofA) seeding.requested(a, piece, 0);
    seeding.requested(b, ofB[1]!, 50);
    seeding.requested(b, ofB[0]!, 20);
    // Peer `a` takes 100 ms for a piece.
    for (const piece of ofA) seeding.announced(a, piece, 100);
    const reassignAt = 20 + REASSIGN_PIECE_TIMES * 100;
    expect(seeding.next(a, nothing, reassignAt)).toEqual([]);
    expect(seeding.next(a, nothing, reassignAt + 1)).toEqual([ofB[0]!]);
    seeding.requested(a, ofB[0]!, reassignAt + 1);
    expect(seeding.next(a, nothing, reassignAt + 1)).toEqual([]);
    expect(seeding.next(a, nothing, reassignAt + 31)).toEqual([ofB[1]!]);
  });

  test("reassigns no requested piece to a peer that has fetched none yet", () => {
    const { seeding, ofA, ofB } = allAssigned();
    for (const piece of ofA) seeding.requested(a, piece, 0);
    for (const piece of ofB) seeding.requested(b, piece, 0);
    expect(seeding.next(c, nothing, 1_000_000)).toEqual([]);
  });

  test("reassigns no piece that a leecher has", () => {
    const atLeechers = new Set<number>();
    const { seeding, ofA, ofB } = allAssigned(atLeechers);
    for (const piece of ofA) seeding.requested(a, piece, 0);
    for (const piece of ofB) atLeechers.add(piece);
    expect(seeding.next(a, nothing, 1_000_000)).toEqual([]);
  });

  test("is exhausted when the last piece is announced, not before", () => {
    const atLeechers = new Set<number>();
    const { seeding, ofA, ofB } = allAssigned(atLeechers);
    for (const piece of ofA) seeding.announced(a, piece, 1);
    expect(seeding.isExhausted).toBe(false);
    for (const piece of ofB) seeding.announced(b, piece, 1);
    expect(seeding.isExhausted).toBe(true);
    expect(aSeeding().isExhausted).toBe(false);
  });
});
