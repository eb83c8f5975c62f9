import { describe, expect, test } from "bun:test";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";
import { wide } from "./picker-fixture.ts";
import { CheckedPicker } from "./picker-peer.ts";

describe("PiecePicker with runs", () => {
  const lengths = (blocks: readonly Block[]) => blocks.map(({ length }) => length / BLOCK_LENGTH);

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("cuts a piece into runs of at most %d blocks", (run) => {
    const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 3]);
    const blocks = picker.pick(picker.join("all"), 20 + run, 0, run);
    expect(blocks.map(({ begin }) => begin)).toEqual(
      blocks.map(({ begin }) => begin).toSorted((a, b) => a - b),
    );
    expect(lengths(blocks).reduce((sum, length) => sum + length, 0)).toBe(20);
    // Eight blocks, eight and four, each cut into runs.
    expect(blocks).toHaveLength(2 * Math.ceil(8 / run) + Math.ceil(4 / run));
  });

  test("requests single blocks from a peer that answers no runs", () => {
    const picker = new CheckedPicker(wide, seededRandom(1));
    const blocks = picker.pick(picker.join("all"), 30);
    expect(lengths(blocks)).toEqual(Array(30).fill(1));
  });

  test("leaves room for less than a run unused, and requests the short rest of a piece", () => {
    const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 2]);
    const peer = picker.join("all");
    expect(picker.pick(peer, 3, 0, 4)).toEqual([]);
    expect(lengths(picker.pick(peer, 7, 0, 4))).toEqual([4]);
    expect(lengths(picker.pick(peer, 4, 0, 4))).toEqual([3.5]);
    expect(picker.picker.isEndgame).toBe(true);
  });

  test("fills the gaps between requested blocks with shorter runs", () => {
    const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 2]);
    const [one, two] = [picker.join("all"), picker.join("all")];
    const singles = picker.pick(one, 8);
    for (const at of [1, 4, 5]) picker.release(one, singles[at]!);
    expect(lengths(picker.pick(two, 8, 0, 4))).toEqual([1, 2]);
  });

  test("duplicates an old run as it was requested, and as single blocks for a peer that answers no runs", () => {
    for (const run of [8, 3, 1]) {
      const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 2]);
      const [slow, idle] = [picker.join("all"), picker.join("all")];
      picker.pick(slow, 4, 0, 4);
      picker.pick(slow, 4, 50, 4);
      const copies = [1, 2, 3].map(() => picker.pickDuplicate(idle, 100, 1000, run)!);
      if (run === 8) expect(copies.slice(0, 2)).toEqual([...slow.requested.values()]);
      else expect(lengths(copies)).toEqual(run === 3 ? [3, 1, 3] : [1, 1, 1]);
    }
  });

  test("a run is cancelled when the last of its blocks is received, and not before", () => {
    const picker = new CheckedPicker(wide, seededRandom(1), [0, 1, 2]);
    const [slow, idle] = [picker.join("all"), picker.join("all")];
    picker.pick(slow, 8, 0, 8);
    const [request] = slow.requested.values();
    for (let at = 0; at < 8; at++) {
      expect(picker.picker.isReceived(request!)).toBe(false);
      picker.deliver(idle, picker.pickDuplicate(idle, 100, 1000)!);
    }
    expect(slow.requested.size).toBe(0);
  });

  test("a late run that overlaps received blocks is kept whole, and its peer becomes the contributor of all of it", () => {
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
