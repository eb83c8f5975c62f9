import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Geometry } from "../../src/core/geometry.ts";
import { pieceIndex } from "../../src/core/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../src/core/limits.ts";
import type { Block } from "../../src/core/peer-message.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { CheckedPicker, type FakePeer } from "./picker-peer.ts";

/** Six pieces of three blocks; the last has one whole block and a short one. */
const geometry = new Geometry(16.5 * BLOCK_LENGTH, 3 * BLOCK_LENGTH);
const LAST = geometry.pieceCount - 1;
/** Three pieces of twenty blocks and one of seven and a half: no longest run fills them evenly. */
const wide = new Geometry(67.5 * BLOCK_LENGTH, 20 * BLOCK_LENGTH);

const MAX_RUN = MAX_REQUEST_LENGTH / BLOCK_LENGTH;

interface Step {
  readonly act:
    | "join"
    | "joinSeed"
    | "leave"
    | "has"
    | "pick"
    | "duplicate"
    | "deliver"
    | "deliverLate"
    | "release"
    | "giveUp"
    | "right"
    | "wrong";
  readonly who: number;
  readonly what: number;
}

const steps = fc.array(
  fc.record<Step>({
    act: fc.constantFrom(
      ...(["join", "joinSeed", "leave", "has", "duplicate", "release", "giveUp", "right", "wrong"] as const),
      ...(["has", "pick", "pick", "pick", "deliver", "deliver", "deliver", "deliver", "right"] as const),
      ...(["duplicate", "deliverLate", "deliverLate"] as const),
    ),
    who: fc.nat(100),
    what: fc.nat(1000),
  }),
  { maxLength: 120, size: "max" },
);

function apply({ act, who, what }: Step, picker: CheckedPicker, now: number): void {
  const peers = [...picker.peers];
  const peer = peers[who % Math.max(1, peers.length)];
  const asked: Block | undefined = peer && [...peer.asked.values()][what % Math.max(1, peer.asked.size)];
  const complete = picker.completePieces();
  const piece = complete[what % Math.max(1, complete.length)];
  const last = picker.geometry.pieceCount - 1;
  // Runs of every length, and room for several of them or for none.
  const run = 1 + (who % MAX_RUN);
  if (act === "join")
    picker.join(Array.from({ length: last + 1 }, (_, i) => i).filter((i) => (what >> i) & 1));
  else if (act === "joinSeed") picker.join("all");
  else if (act === "right" || act === "wrong") {
    if (piece !== undefined) picker.hashed(piece, act === "right");
  } else if (peer === undefined) return;
  else if (act === "leave") picker.leave(peer);
  else if (act === "has") picker.has(peer, what % (last + 1));
  else if (act === "pick") picker.pick(peer, 1 + (what % 20), now, run);
  else if (act === "duplicate") {
    if (picker.picker.isEndgame) picker.pickDuplicate(peer, 100, now, run);
  } else if (act === "deliverLate") {
    const late = peer.late[what % Math.max(1, peer.late.length)];
    if (late !== undefined) picker.deliverLate(peer, late);
  } else if (act === "giveUp") picker.giveUp(peer);
  else if (asked !== undefined && act === "deliver") picker.deliver(peer, asked);
  else if (asked !== undefined && act === "release") picker.release(peer, asked);
}

function aPicker(seed = 1, had: readonly number[] = []): CheckedPicker {
  return new CheckedPicker(geometry, seededRandom(seed), had);
}

/** The peer delivers what it is asked for. @returns the pieces this completes. */
function deliverAll(picker: CheckedPicker, peer: FakePeer): number[] {
  return [...peer.asked.values()].flatMap((block) =>
    picker.deliver(peer, block) ? Number(block.piece) : [],
  );
}

function piecesOf(blocks: readonly Block[]): number[] {
  return [...new Set(blocks.map((block) => Number(block.piece)))];
}

const both: [string, Geometry][] = [
  ["after any events in short pieces", geometry],
  ["after any events in long pieces", wide],
];

describe("PiecePicker", () => {
  test.each(both)("keeps every piece in one state and its counters true, %s", (_, geometry) => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.uniqueArray(fc.nat(3), { maxLength: 3 }), (steps, seed, had) => {
        const picker = new CheckedPicker(geometry, seededRandom(seed), had);
        steps.forEach((step, at) => {
          apply(step, picker, at * 50);
          const { kept, counted } = picker.recount();
          expect(kept).toEqual(counted);
        });
      }),
      { numRuns: 150 },
    );
  });

  test.each(both)("a seed that joins in the end gets asked for all that is missing, %s", (_, geometry) => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.integer({ min: 1, max: MAX_RUN }), (steps, seed, run) => {
        const picker = new CheckedPicker(geometry, seededRandom(seed));
        steps.forEach((step, at) => apply(step, picker, at * 50));
        for (const peer of picker.peers) picker.leave(peer);
        const last = picker.join("all");
        for (let round = 0; round < 200 && !picker.have.isFull; round++) {
          picker.pick(last, MAX_RUN, 0, run);
          deliverAll(picker, last);
          for (const piece of picker.completePieces()) picker.hashed(piece, true);
        }
        expect(picker.have.isFull).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test("finishes a started piece before it starts a rarer one", () => {
    const picker = aPicker(1, [0]);
    const common = picker.join([1, 2]);
    const [first] = picker.pick(common, 1);
    for (const piece of [1, 2]) if (piece !== Number(first!.piece)) picker.join([piece]);
    const rarer = picker.join([3]);
    picker.has(rarer, first!.piece);
    expect(piecesOf(picker.pick(rarer, 2))).toEqual([Number(first!.piece)]);
    expect(piecesOf(picker.pick(rarer, 2))).toEqual([3]);
  });

  test("of the pieces that nobody works on it starts the rarest the peer has", () => {
    for (let seed = 0; seed < 20; seed++) {
      const picker = aPicker(seed, [0]);
      picker.join([1, 2, 3, 4]);
      picker.join([1, 2, 4]);
      picker.join([2]);
      const peer = picker.join("all");
      // Complete peers are not counted.
      const rarity = [0, 2, 3, 1, 2, 0];
      expect(piecesOf(picker.pick(peer, 14)).map((piece) => rarity[piece]!)).toEqual([0, 1, 2, 2, 3]);
    }
  });

  test("its very first piece is any piece, later ones are the rarest", () => {
    const firsts = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const picker = aPicker(seed);
      for (let i = 0; i < 3; i++) picker.join([0, 1, 2, 3, 4]);
      const peer = picker.join("all");
      const pieces = piecesOf(picker.pick(peer, 6));
      firsts.add(pieces[0]!);
      if (pieces[0] !== LAST) expect(pieces[1]).toBe(LAST);
    }
    expect(firsts.size).toBe(geometry.pieceCount);
  });

  test("asks nothing of a peer that has only what we have", () => {
    const picker = aPicker(1, [0, 1]);
    const peer = picker.join([0, 1]);
    expect([peer.wanted, peer.pickable, picker.pick(peer, 5).length]).toEqual([0, 0, 0]);
  });

  test("a complete peer does not make pieces less rare", () => {
    const picker = aPicker(1, [0]);
    const seeds = [picker.join("all"), picker.join("all")];
    picker.join([1, 2, 3, 4]);
    expect(piecesOf(picker.pick(seeds[0]!, 2))).toEqual([LAST]);
    for (const seed of seeds) picker.leave(seed);
    expect(picker.recount().kept).toEqual(picker.recount().counted);
  });

  test("a peer that becomes complete piece by piece is uncounted as it was counted", () => {
    const picker = aPicker();
    const grower = picker.join();
    for (let piece = 0; piece <= LAST; piece++) picker.has(grower, piece);
    picker.leave(grower);
    const rare = picker.join([2]);
    picker.join([0, 1, 3, 4, 5]);
    expect(piecesOf(picker.pick(rare, 1))).toEqual([2]);
  });

  test("is in endgame only when every missing block was asked for", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const [slow, fast] = [picker.join("all"), picker.join("all")];
    picker.pick(slow, 2);
    expect(picker.picker.isEndgame).toBe(false);
    picker.pick(fast, 9);
    expect(picker.picker.isEndgame).toBe(true);
    picker.release(slow, [...slow.asked.values()][0]!);
    expect(picker.picker.isEndgame).toBe(false);
  });

  test("duplicates the oldest late request, at most twice in all, and never to who is asked already", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const [slow, second, third] = [picker.join("all"), picker.join("all"), picker.join("all")];
    for (const now of [1000, 1050, 1060]) picker.pick(slow, 1, now);
    expect(picker.pickDuplicate(second, 100, 1099)).toBeUndefined();
    expect(picker.pickDuplicate(second, 100, 1100)?.begin).toBe(0);
    expect(picker.pickDuplicate(slow, 0, 9000)).toBeUndefined();
    const others = [picker.pickDuplicate(third, 100, 9000), picker.pickDuplicate(third, 100, 9000)];
    expect(others.map((block) => block?.begin)).toEqual([BLOCK_LENGTH, 2 * BLOCK_LENGTH]);
    expect(picker.pickDuplicate(third, 100, 9000)).toBeUndefined();
  });

  test("a piece that failed with several contributors is fetched from one peer alone next", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const [one, two] = [picker.join("all"), picker.join("all")];
    picker.pick(one, 1);
    picker.pick(two, 2);
    for (const peer of [one, two]) deliverAll(picker, peer);
    picker.hashed(pieceIndex(0), false);
    expect(picker.pick(two, 1)).toHaveLength(1);
    expect(picker.pick(one, 3)).toEqual([]);
    expect(picker.pick(two, 3)).toHaveLength(2);
    expect(picker.pickDuplicate(one, 0, 1e6)).toBeUndefined();
    deliverAll(picker, two);
    expect([...picker.picker.failed(pieceIndex(0))]).toEqual([Number(two.handle)]);
  });

  test("a piece that failed with one contributor may be fetched from several", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const [one, two] = [picker.join("all"), picker.join("all")];
    picker.pick(one, 3);
    deliverAll(picker, one);
    picker.hashed(pieceIndex(0), false);
    expect([picker.pick(one, 1).length, picker.pick(two, 1).length]).toEqual([1, 1]);
  });

  test("another peer may take over when the sole source leaves", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const [one, two] = [picker.join("all"), picker.join("all")];
    picker.pick(one, 1);
    picker.pick(two, 2);
    for (const peer of [one, two]) deliverAll(picker, peer);
    picker.hashed(pieceIndex(0), false);
    picker.pick(two, 1);
    picker.leave(two);
    expect(picker.pick(one, 3)).toHaveLength(3);
  });

  test("when a sole source is given up, what it delivered is fetched anew: the next failure has one culprit", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const [liar, honest] = [picker.join("all"), picker.join("all")];
    picker.pick(liar, 1);
    picker.pick(honest, 2);
    for (const peer of [liar, honest]) deliverAll(picker, peer);
    picker.hashed(pieceIndex(0), false);
    const [bad, refused] = picker.pick(liar, 2);
    picker.picker.received(liar, bad!);
    picker.picker.released(liar, refused!);
    const delivered = picker.picker.pick(honest, 3, 0);
    for (const block of delivered) picker.picker.received(honest, block);
    expect([...picker.picker.failed(pieceIndex(0))]).toEqual([Number(honest.handle)]);
  });

  test("a block of a sole source that lost its piece meanwhile can be asked for again", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const [one, two] = [picker.join("all"), picker.join("all")];
    picker.pick(one, 1);
    picker.pick(two, 2);
    for (const peer of [one, two]) deliverAll(picker, peer);
    picker.hashed(pieceIndex(0), false);
    const [delayed, refused] = picker.pick(one, 2);
    picker.picker.released(one, refused!);
    picker.picker.pick(two, 1, 0);
    picker.picker.received(one, delayed!);
    // Whoever may fetch the piece now gets to ask for every block of it that is not here.
    picker.picker.removePeer(one);
    const asked = picker.picker.pick(two, 3, 0).map((block) => block.begin);
    expect(asked).toContain(delayed!.begin);
  });

  test("pieces that were started from peers that left do not keep others from being started", () => {
    const large = new Geometry(8 * 64 * 1024 * 1024, 64 * 1024 * 1024);
    const picker = new CheckedPicker(large, seededRandom(1));
    for (let piece = 0; piece < 7; piece++) {
      const peer = picker.join([piece]);
      picker.pick(peer, 1);
      picker.leave(peer);
    }
    expect(picker.pick(picker.join([7]), 1)).toHaveLength(1);
  });

  test("no more than 256 MiB of pieces are open at once while peers deliver them", () => {
    const large = new Geometry(100 * 16 * 1024 * 1024, 16 * 1024 * 1024);
    const picker = new CheckedPicker(large, seededRandom(1));
    const seed = picker.join("all");
    picker.pick(seed, 1e6);
    expect(picker.picker.activeCount).toBe(16);
  });

  test("blocks that arrive after their piece is complete or had are unwanted", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const peer = picker.join("all");
    const blocks = picker.pick(peer, 3);
    deliverAll(picker, peer);
    expect(picker.picker.received(peer, blocks[0]!)).toEqual({ kind: "unwanted" });
    picker.hashed(pieceIndex(0), true);
    expect(picker.picker.received(peer, blocks[0]!)).toEqual({ kind: "unwanted" });
  });
});

describe("PiecePicker, asked for runs", () => {
  const lengths = (blocks: readonly Block[]) => blocks.map(({ length }) => length / BLOCK_LENGTH);

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("hands out runs of at most %d blocks that fill a piece", (run) => {
    const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 3]);
    const blocks = picker.pick(picker.join("all"), 20 + run, 0, run);
    expect(blocks.map(({ begin }) => begin)).toEqual(
      blocks.map(({ begin }) => begin).toSorted((a, b) => a - b),
    );
    expect(lengths(blocks).reduce((sum, length) => sum + length, 0)).toBe(20);
    // Eight blocks, eight and four, each cut into runs.
    expect(blocks).toHaveLength(2 * Math.ceil(8 / run) + Math.ceil(4 / run));
  });

  test("asks single blocks of whoever takes no runs", () => {
    const picker = new CheckedPicker(wide, seededRandom(1));
    const blocks = picker.pick(picker.join("all"), 30);
    expect(lengths(blocks)).toEqual(Array(30).fill(1));
  });

  test("leaves room that is less than a run alone, and takes what is left of a piece", () => {
    const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 2]);
    const peer = picker.join("all");
    expect(picker.pick(peer, 3, 0, 4)).toEqual([]);
    expect(lengths(picker.pick(peer, 7, 0, 4))).toEqual([4]);
    expect(lengths(picker.pick(peer, 4, 0, 4))).toEqual([3.5]);
    expect(picker.picker.isEndgame).toBe(true);
  });

  test("fills the holes that others left with shorter runs", () => {
    const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 2]);
    const [one, two] = [picker.join("all"), picker.join("all")];
    const singles = picker.pick(one, 8);
    for (const at of [1, 4, 5]) picker.release(one, singles[at]!);
    expect(lengths(picker.pick(two, 8, 0, 4))).toEqual([1, 2]);
  });

  test("duplicates a late run as it was asked for, and block by block for whoever takes no runs", () => {
    for (const run of [8, 3, 1]) {
      const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 2]);
      const [slow, idle] = [picker.join("all"), picker.join("all")];
      picker.pick(slow, 4, 0, 4);
      picker.pick(slow, 4, 50, 4);
      const copies = [1, 2, 3].map(() => picker.pickDuplicate(idle, 100, 1000, run)!);
      if (run === 8) expect(copies.slice(0, 2)).toEqual([...slow.asked.values()]);
      else expect(lengths(copies)).toEqual(run === 3 ? [3, 1, 3] : [1, 1, 1]);
    }
  });

  test("a run is cancelled when the last of its blocks is here, and not before", () => {
    const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 2]);
    const [slow, idle] = [picker.join("all"), picker.join("all")];
    picker.pick(slow, 8, 0, 8);
    const [request] = slow.asked.values();
    for (let at = 0; at < 8; at++) {
      expect(picker.picker.isHere(request!)).toBe(false);
      picker.deliver(idle, picker.pickDuplicate(idle, 100, 1000)!);
    }
    expect(slow.asked.size).toBe(0);
  });

  test("a late run that overlaps what others gave is kept whole, and its giver stands for all of it", () => {
    const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 2]);
    const [late, other] = [picker.join("all"), picker.join("all")];
    const [run, rest] = picker.pick(late, 8, 0, 4);
    for (const block of [run!, rest!]) picker.release(late, block);
    const [first] = picker.pick(other, 1);
    picker.deliver(other, first!);
    expect(picker.picker.received(late, run!)).toMatchObject({ kind: "kept", newBytes: 3 * BLOCK_LENGTH });
    expect(picker.picker.received(late, run!)).toEqual({ kind: "unwanted" });
    picker.picker.received(late, rest!);
    expect([...picker.picker.failed(pieceIndex(3))]).toEqual([Number(late.handle)]);
  });
});
