import { describe, expect, test } from "bun:test";
import { Bitfield } from "../../../src/core/torrent/bitfield.ts";
import { peerHandle, pieceIndex } from "../../../src/core/torrent/ids.ts";
import {
  FIRST_SUGGESTIONS_AHEAD,
  MAX_SUGGESTIONS_AHEAD,
  SUGGESTION_GROWTH_MS,
  SUGGESTION_PATIENCE,
} from "../../../src/core/transfer/limits.ts";
import { SuperSeeding } from "../../../src/core/transfer/super-seeding.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";

const PIECES = 40;
const nothing = new Bitfield(PIECES);
const [a, b, c] = [peerHandle(1), peerHandle(2), peerHandle(3)];

function suggestions(out = new Set<number>(), pieces = PIECES): SuperSeeding {
  return new SuperSeeding(pieces, (piece) => out.has(piece), seededRandom(1));
}

describe("SuperSeeding", () => {
  test("give every piece to one peer alone", () => {
    const all = suggestions();
    const given: number[] = [];
    for (let turn = 0; turn < PIECES; turn++) {
      const peer = turn % 2 === 0 ? a : b;
      for (const piece of all.next(peer, nothing, turn)) {
        given.push(piece);
        all.used(peer, piece, turn);
      }
    }
    expect(given.toSorted((x, y) => x - y)).toEqual(Array.from({ length: PIECES }, (_, i) => i));
  });

  test("leave out what a leecher has, the peer itself or another", () => {
    const has = new Bitfield(PIECES);
    for (let i = 0; i < PIECES; i += 2) has.set(i);
    const all = suggestions(new Set([1, 3, 5]));
    const given: number[] = [];
    for (let turn = 0; turn < PIECES; turn++) {
      for (const piece of all.next(a, has, 0)) {
        given.push(piece);
        all.used(a, piece, 0);
      }
    }
    expect(given.length).toBe(PIECES / 2 - 3);
    expect(given.every((piece) => piece % 2 === 1 && piece > 5)).toBe(true);
  });

  test("are as many ahead as the peer uses up in a round trip, within a bound", () => {
    const all = suggestions();
    for (let round = FIRST_SUGGESTIONS_AHEAD; round <= 7; round++) {
      const fresh = all.next(a, nothing, 0);
      expect(fresh.length).toBe(round);
      expect(all.next(a, nothing, 0)).toEqual([]);
      for (const piece of fresh) expect(all.used(a, piece, 0)).toBe(true);
    }
    expect(MAX_SUGGESTIONS_AHEAD).toBeLessThan(PIECES);
  });

  test("do not become more for a peer that takes its time", () => {
    const all = suggestions();
    for (let round = 0; round < 4; round++) {
      const fresh = all.next(a, nothing, round * SUGGESTION_GROWTH_MS);
      expect(fresh.length).toBe(FIRST_SUGGESTIONS_AHEAD);
      for (const piece of fresh) all.used(a, piece, round * SUGGESTION_GROWTH_MS);
    }
  });

  test("of a peer that leaves go to others, but not those that are out by then", () => {
    const out = new Set<number>();
    const all = suggestions(out);
    const [first] = all.next(a, nothing, 0);
    all.used(a, first!, 0);
    const rest = all.next(a, nothing, 0);
    out.add(first!);
    all.release(a);
    const others = all.next(b, nothing, 0);
    expect(others[0]).toBe(rest.at(-1));
    expect(others).not.toContain(first!);
  });

  test("that the peer has announced are not given again", () => {
    const all = suggestions();
    const [piece] = all.next(a, nothing, 0);
    all.arrived(a, pieceIndex(piece!), 0);
    expect(all.isIdle(a)).toBe(true);
    all.release(a);
    expect(all.next(b, nothing, 0)).not.toContain(piece!);
  });
});

describe("when all pieces are handed out", () => {
  /** `a` and `b` have two each of four. */
  function handedOut(out = new Set<number>()) {
    const all = suggestions(out, 4);
    const ofA = all.next(a, nothing, 0);
    const ofB = all.next(b, nothing, 0);
    expect([ofA.length, ofB.length]).toEqual([2, 2]);
    return { all, ofA, ofB };
  }

  test("a peer that waits gets what another has not begun, one at a time, and the last of it first", () => {
    const { all, ofA, ofB } = handedOut();
    for (const piece of ofA) all.used(a, piece, 0);
    expect(all.next(a, nothing, 0)).toEqual([ofB[1]!]);
    expect(all.next(a, nothing, 0)).toEqual([]);
    all.used(a, ofB[1]!, 0);
    expect(all.next(a, nothing, 0)).toEqual([ofB[0]!]);
    // What was taken away is not asked for by right any more.
    expect(all.used(b, ofB[0]!, 0)).toBe(false);
  });

  test("a peer does not get what it has", () => {
    const { all, ofA, ofB } = handedOut();
    for (const piece of ofA) all.used(a, piece, 0);
    const has = new Bitfield(4);
    has.set(ofB[1]!);
    expect(all.next(a, has, 0)).toEqual([ofB[0]!]);
  });

  test("what is on its way is given once more when the peer that waits would long have had it", () => {
    const { all, ofA, ofB } = handedOut();
    for (const piece of ofA) all.used(a, piece, 0);
    all.used(b, ofB[1]!, 50);
    all.used(b, ofB[0]!, 20);
    // A piece takes `a` 100 ms.
    for (const piece of ofA) all.arrived(a, piece, 100);
    const tooLate = 20 + SUGGESTION_PATIENCE * 100;
    expect(all.next(a, nothing, tooLate)).toEqual([]);
    expect(all.next(a, nothing, tooLate + 1)).toEqual([ofB[0]!]);
    all.used(a, ofB[0]!, tooLate + 1);
    expect(all.next(a, nothing, tooLate + 1)).toEqual([]);
    expect(all.next(a, nothing, tooLate + 31)).toEqual([ofB[1]!]);
  });

  test("one that has fetched none itself waits for what is on its way", () => {
    const { all, ofA, ofB } = handedOut();
    for (const piece of ofA) all.used(a, piece, 0);
    for (const piece of ofB) all.used(b, piece, 0);
    expect(all.next(c, nothing, 1_000_000)).toEqual([]);
  });

  test("what is out by then is given to nobody", () => {
    const out = new Set<number>();
    const { all, ofA, ofB } = handedOut(out);
    for (const piece of ofA) all.used(a, piece, 0);
    for (const piece of ofB) out.add(piece);
    expect(all.next(a, nothing, 1_000_000)).toEqual([]);
  });

  test("they are over when the last one is out, not before", () => {
    const out = new Set<number>();
    const { all, ofA, ofB } = handedOut(out);
    for (const piece of ofA) all.arrived(a, piece, 1);
    expect(all.isExhausted).toBe(false);
    for (const piece of ofB) all.arrived(b, piece, 1);
    expect(all.isExhausted).toBe(true);
    expect(suggestions().isExhausted).toBe(false);
  });
});
