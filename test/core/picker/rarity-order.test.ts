import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { RarityOrder } from "../../../src/core/picker/rarity-order.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";

const PIECES = 12;
const everything = () => true;

type Step = { readonly act: "insert" | "remove" | "increase" | "decrease"; readonly piece: number };

const steps = fc.array(
  fc.record<Step>({
    act: fc.constantFrom("insert", "remove", "increase", "increase", "decrease"),
    piece: fc.nat(PIECES - 1),
  }),
  { maxLength: 200, size: "max" },
);

/** A simple model: sets and counts, sorted on demand. */
class Model {
  readonly availability = Array.from({ length: PIECES }, () => 0);
  readonly inside = new Set<number>();

  apply({ act, piece }: Step, order: RarityOrder): void {
    const index = pieceIndex(piece);
    if (act === "insert") {
      this.inside.add(piece);
      order.insert(index);
    } else if (act === "remove") {
      this.inside.delete(piece);
      order.remove(index);
    } else if (act === "increase") {
      this.availability[piece]!++;
      order.increase(index);
    } else if (this.availability[piece]! > 0) {
      this.availability[piece]!--;
      order.decrease(index);
    }
  }

  rarities(accepts: (piece: number) => boolean): number[] {
    return [...this.inside]
      .filter(accepts)
      .map((piece) => this.availability[piece]!)
      .sort((a, b) => a - b);
  }
}

describe("RarityOrder", () => {
  test("returns pieces in the order of availability, after any changes", () => {
    fc.assert(
      fc.property(steps, fc.nat(), (steps, seed) => {
        const order = new RarityOrder(PIECES);
        const model = new Model();
        for (const step of steps) {
          model.apply(step, order);
          expect(order.size).toBe(model.inside.size);
        }
        for (let piece = 0; piece < PIECES; piece++) {
          expect(order.contains(pieceIndex(piece))).toBe(model.inside.has(piece));
          expect(order.availability(pieceIndex(piece))).toBe(model.availability[piece]!);
        }
        const random = seededRandom(seed);
        const expected = model.rarities(everything);
        const taken: number[] = [];
        for (let piece = order.rarest(everything, random); piece !== undefined;) {
          taken.push(order.availability(piece));
          order.remove(piece);
          piece = order.rarest(everything, random);
        }
        expect(taken).toEqual(expected);
        expect(order.size).toBe(0);
      }),
    );
  });

  test("finds the rarest acceptable piece behind any number of unacceptable ones", () => {
    fc.assert(
      fc.property(steps, fc.nat(2 ** PIECES - 1), fc.nat(), (steps, mask, seed) => {
        const order = new RarityOrder(PIECES);
        const model = new Model();
        for (const step of steps) model.apply(step, order);
        const accepts = (piece: number) => ((mask >> piece) & 1) === 1;
        const [rarest] = model.rarities(accepts);
        const random = seededRandom(seed);
        const found = order.rarest(accepts, random);
        const any = order.any(accepts, random);
        expect(found === undefined ? undefined : order.availability(found)).toBe(rarest);
        for (const piece of [found, any]) {
          expect(piece === undefined).toBe(rarest === undefined);
          if (piece !== undefined) expect(accepts(piece) && model.inside.has(piece)).toBe(true);
        }
      }),
    );
  });

  test("chooses among equally rare pieces at random, so that leeches that start together differ", () => {
    const random = seededRandom(7);
    const chosen = new Map<number, number>();
    for (let i = 0; i < 1200; i++) {
      const order = new RarityOrder(PIECES);
      for (let piece = 0; piece < PIECES; piece++) order.insert(pieceIndex(piece));
      order.increase(pieceIndex(3));
      const piece = order.rarest(everything, random)!;
      chosen.set(piece, (chosen.get(piece) ?? 0) + 1);
    }
    expect([...chosen.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]);
    for (const times of chosen.values()) expect(times).toBeWithin(60, 170);
  });

  test("any ignores rarity", () => {
    const order = new RarityOrder(2);
    for (const piece of [0, 1]) order.insert(pieceIndex(piece));
    for (let i = 0; i < 5; i++) order.increase(pieceIndex(1));
    const random = seededRandom(3);
    const seen = new Set(Array.from({ length: 50 }, () => order.any(everything, random)));
    expect(seen).toEqual(new Set([pieceIndex(0), pieceIndex(1)]));
  });

  test("inserting or removing a piece twice changes nothing", () => {
    const order = new RarityOrder(3);
    const piece = pieceIndex(1);
    order.insert(piece);
    order.insert(piece);
    expect(order.size).toBe(1);
    order.remove(piece);
    order.remove(piece);
    expect([order.size, order.contains(piece)]).toEqual([0, false]);
  });

  test("a piece keeps its availability while it is not in the order", () => {
    const order = new RarityOrder(2);
    for (const piece of [0, 1]) order.insert(pieceIndex(piece));
    order.remove(pieceIndex(0));
    order.increase(pieceIndex(0));
    order.increase(pieceIndex(0));
    order.increase(pieceIndex(1));
    order.insert(pieceIndex(0));
    expect(order.rarest(everything, () => 0)).toBe(pieceIndex(1));
  });

  test("an availability below zero is an invariant error", () => {
    const order = new RarityOrder(1);
    expect(() => order.decrease(pieceIndex(0))).toThrow("availability of piece 0 below zero");
  });
});
