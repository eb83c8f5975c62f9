import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";
import { deliverAll, geometry } from "./picker-fixture.ts";
import { CheckedPicker } from "./picker-peer.ts";

const LAST = geometry.pieceCount - 1;

function aPicker(seed = 1, had: readonly number[] = []): CheckedPicker {
  return new CheckedPicker(geometry, seededRandom(seed), had);
}

function piecesOf(blocks: readonly Block[]): number[] {
  return [...new Set(blocks.map((block) => Number(block.piece)))];
}

describe("PiecePicker", () => {
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

  test("starts the rarest piece that the peer has", () => {
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

  test("starts with a random piece, then with the rarest", () => {
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

  test("requests nothing from a peer that has only pieces that we have", () => {
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

  test("when a peer that became complete by haves leaves, its pieces are uncounted", () => {
    const picker = aPicker();
    const grower = picker.join();
    for (let piece = 0; piece <= LAST; piece++) picker.has(grower, piece);
    picker.leave(grower);
    const rare = picker.join([2]);
    picker.join([0, 1, 3, 4, 5]);
    expect(piecesOf(picker.pick(rare, 1))).toEqual([2]);
  });

  test("is in the end-game only when every missing block is requested", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const [slow, fast] = [picker.join("all"), picker.join("all")];
    picker.pick(slow, 2);
    expect(picker.picker.isEndgame).toBe(false);
    picker.pick(fast, 9);
    expect(picker.picker.isEndgame).toBe(true);
    picker.release(slow, [...slow.requested.values()][0]!);
    expect(picker.picker.isEndgame).toBe(false);
  });

  test("duplicates the oldest request, from two peers at most and never twice from the same", () => {
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

  test("a piece that failed with several contributors is fetched from a sole source next", () => {
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

  test("another peer becomes the sole source when the first one leaves", () => {
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

  test("the blocks of a sole source that is dropped are fetched again, so that the next failure has one culprit", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const [culprit, honest] = [picker.join("all"), picker.join("all")];
    picker.pick(culprit, 1);
    picker.pick(honest, 2);
    for (const peer of [culprit, honest]) deliverAll(picker, peer);
    picker.hashed(pieceIndex(0), false);
    const [bad, refused] = picker.pick(culprit, 2);
    picker.picker.received(culprit, bad!);
    picker.picker.released(culprit, refused!);
    const delivered = picker.picker.pick(honest, 3, 0);
    for (const block of delivered) picker.picker.received(honest, block);
    expect([...picker.picker.failed(pieceIndex(0))]).toEqual([Number(honest.handle)]);
  });

  test("a block of a sole source that was dropped is unwanted and is requested again", () => {
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
    // The next sole source is asked for every missing block.
    picker.picker.removePeer(one);
    const asked = picker.picker.pick(two, 3, 0).map((block) => block.begin);
    expect(asked).toContain(delayed!.begin);
  });

  test("pieces that were started with peers that left do not keep others from being started", () => {
    const large = new Geometry(8 * 64 * 1024 * 1024, 64 * 1024 * 1024);
    const picker = new CheckedPicker(large, seededRandom(1));
    for (let piece = 0; piece < 7; piece++) {
      const peer = picker.join([piece]);
      picker.pick(peer, 1);
      picker.leave(peer);
    }
    expect(picker.pick(picker.join([7]), 1)).toHaveLength(1);
  });

  test("no more than 256 MiB of pieces are requested in full at once", () => {
    const large = new Geometry(100 * 16 * 1024 * 1024, 16 * 1024 * 1024);
    const picker = new CheckedPicker(large, seededRandom(1));
    const seed = picker.join("all");
    expect(new Set(picker.pick(seed, 1e6).map(({ piece }) => piece)).size).toBe(16);
  });

  test("blocks of a complete or verified piece are unwanted", () => {
    const picker = aPicker(1, [1, 2, 3, 4, 5]);
    const peer = picker.join("all");
    const blocks = picker.pick(peer, 3);
    deliverAll(picker, peer);
    expect(picker.picker.received(peer, blocks[0]!)).toEqual({ kind: "unwanted" });
    picker.hashed(pieceIndex(0), true);
    expect(picker.picker.received(peer, blocks[0]!)).toEqual({ kind: "unwanted" });
  });
});
