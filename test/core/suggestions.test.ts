import { describe, expect, test } from "bun:test";
import { Bitfield } from "../../src/core/bitfield.ts";
import { peerHandle, pieceIndex } from "../../src/core/ids.ts";
import { FIRST_SUGGESTIONS_AHEAD, MAX_SUGGESTIONS_AHEAD } from "../../src/core/limits.ts";
import { Suggestions } from "../../src/core/suggestions.ts";
import { seededRandom } from "../helpers/seeded-random.ts";

const PIECES = 40;
const nothing = new Bitfield(PIECES);
const [a, b] = [peerHandle(1), peerHandle(2)];

function suggestions(out = new Set<number>()): Suggestions {
  return new Suggestions(PIECES, (piece) => out.has(piece), seededRandom(1));
}

describe("Suggestions", () => {
  test("give every piece to one peer alone", () => {
    const all = suggestions();
    const given: number[] = [];
    for (let turn = 0; turn < PIECES; turn++) {
      const peer = turn % 2 === 0 ? a : b;
      for (const piece of all.next(peer, nothing)) {
        given.push(piece);
        all.used(peer, piece);
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
      for (const piece of all.next(a, has)) {
        given.push(piece);
        all.used(a, piece);
      }
    }
    expect(given.length).toBe(PIECES / 2 - 3);
    expect(given.every((piece) => piece % 2 === 1 && piece > 5)).toBe(true);
  });

  test("are as many ahead as the peer uses up, within a bound", () => {
    const all = suggestions();
    for (let round = FIRST_SUGGESTIONS_AHEAD; round <= 7; round++) {
      const fresh = all.next(a, nothing);
      expect(fresh.length).toBe(round);
      expect(all.next(a, nothing)).toEqual([]);
      for (const piece of fresh) expect(all.used(a, piece)).toBe(true);
    }
    expect(MAX_SUGGESTIONS_AHEAD).toBeLessThan(PIECES);
  });

  test("of a peer that leaves go to others, but not those that are out by then", () => {
    const out = new Set<number>();
    const all = suggestions(out);
    const [first] = all.next(a, nothing);
    all.used(a, first!);
    const rest = all.next(a, nothing);
    out.add(first!);
    all.takeBack(a);
    const others = all.next(b, nothing);
    expect(others[0]).toBe(rest.at(-1));
    expect(others).not.toContain(first!);
  });

  test("that the peer has announced are not given again", () => {
    const all = suggestions();
    const [piece] = all.next(a, nothing);
    all.arrived(a, pieceIndex(piece!));
    expect(all.isIdle(a)).toBe(true);
    all.takeBack(a);
    expect(all.next(b, nothing)).not.toContain(piece!);
  });
});
