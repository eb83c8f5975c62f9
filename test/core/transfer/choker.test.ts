import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  type ChokeCandidate,
  chooseOptimistic,
  chooseUnchoked,
  uploadSlots,
} from "../../../src/core/transfer/choker.ts";
import { peerHandle } from "../../../src/core/torrent/ids.ts";
import { MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import { MAX_UPLOAD_SLOTS, MIN_UPLOAD_SLOTS, SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { KiB, MiB } from "../../../src/lib/units.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";

function candidate(handle: number, rest: Partial<Omit<ChokeCandidate, "handle">> = {}): ChokeCandidate {
  return {
    handle: peerHandle(handle),
    interested: true,
    uploaded: 0,
    uploadedLastRound: 0,
    unchoked: false,
    ...rest,
  };
}

const candidates = fc
  .array(
    fc.record({
      interested: fc.boolean(),
      uploaded: fc.nat(5),
      uploadedLastRound: fc.nat(2),
      unchoked: fc.boolean(),
    }),
    { maxLength: 30, size: "max" },
  )
  .map((rest) => rest.map((one, at) => candidate(at + 1, one)));

const handles = (chosen: Iterable<number>) => [...chosen].map(Number).toSorted((a, b) => a - b);

describe("uploadSlots", () => {
  test.each([
    [0, 1 * MiB, MIN_UPLOAD_SLOTS],
    [8.9 * MiB, 1 * MiB, 8],
    [25 * MiB, 1 * MiB, 25],
    [25 * MiB, 256 * KiB, MAX_UPLOAD_SLOTS],
    [640 * MiB, 16 * MiB, 40],
    [10_240 * MiB, 1 * MiB, MAX_UPLOAD_SLOTS],
  ])(
    "where not every peer can have one, at %d B/s and pieces of %d B, are %d",
    (rate, pieceLength, slots) => {
      expect(uploadSlots(rate, pieceLength, MAX_UPLOAD_SLOTS + 1)).toBe(slots);
    },
  );

  test("are enough for every peer of a small fleet, with pieces of any length", () => {
    for (const interested of [1, 24, MAX_UPLOAD_SLOTS])
      expect(uploadSlots(1.5e6, 16 * MiB, interested)).toBe(MAX_UPLOAD_SLOTS);
  });

  test("are so few that each peer gets the longest request within half of the snub time", () => {
    const rate = 1e6;
    const most = Math.floor((rate * SNUB_MS) / 2000 / MAX_REQUEST_LENGTH);
    expect(most).toBeGreaterThan(MIN_UPLOAD_SLOTS);
    expect(most).toBeLessThan(MAX_UPLOAD_SLOTS);
    expect(uploadSlots(rate, 16 * MiB, most)).toBe(most);
    expect(uploadSlots(rate, 16 * MiB, most + 1)).toBe(MIN_UPLOAD_SLOTS);
  });
});

describe("chooseUnchoked", () => {
  test("fills every slot while an interested peer waits, and chooses no other peer", () => {
    fc.assert(
      fc.property(candidates, fc.nat(10), fc.nat(30), (candidates, slots, optimistic) => {
        const chosen = chooseUnchoked(candidates, slots, peerHandle(optimistic));
        const interested = candidates.filter((one) => one.interested);
        expect(chosen.size).toBe(Math.min(slots + 1, interested.length));
        for (const handle of chosen) expect(interested.some((one) => one.handle === handle)).toBe(true);
        const optimisticWants = interested.some((one) => one.handle === peerHandle(optimistic));
        expect(chosen.has(peerHandle(optimistic))).toBe(optimisticWants);
      }),
    );
  });

  test("a busy peer with more uploaded bytes is never chosen before one with fewer", () => {
    fc.assert(
      fc.property(candidates, fc.nat(10), (candidates, slots) => {
        const chosen = chooseUnchoked(candidates, slots, undefined);
        const busy = candidates.filter(
          (one) => one.interested && !(one.unchoked && one.uploadedLastRound === 0),
        );
        const left = busy.filter((one) => !chosen.has(one.handle)).map((one) => one.uploaded);
        const taken = busy.filter((one) => chosen.has(one.handle)).map((one) => one.uploaded);
        if (left.length > 0) expect(Math.max(...taken, 0)).toBeLessThanOrEqual(Math.min(...left));
      }),
    );
  });

  test("W23: a peer that does not use its slot comes after those that wait", () => {
    const idle = candidate(1, { unchoked: true });
    const waiting = [candidate(2, { uploaded: 500 }), candidate(3, { uploaded: 900 })];
    expect(handles(chooseUnchoked([idle, ...waiting], 1, undefined))).toEqual([2, 3]);
    expect(handles(chooseUnchoked([idle, ...waiting], 2, undefined))).toEqual([1, 2, 3]);
  });

  test("the same snapshot in any order gives the same choice", () => {
    fc.assert(
      fc.property(candidates, fc.nat(10), fc.nat(), (candidates, slots, seed) => {
        const random = seededRandom(seed);
        const shuffled = candidates.map((one) => ({ one, at: random() })).toSorted((a, b) => a.at - b.at);
        const other = chooseUnchoked(
          shuffled.map(({ one }) => one),
          slots,
          undefined,
        );
        expect(handles(other)).toEqual(handles(chooseUnchoked(candidates, slots, undefined)));
      }),
    );
  });

  test("W23: over the rounds the slots go round the whole fleet", () => {
    const uploaded = new Map(Array.from({ length: 50 }, (_, at) => [at + 1, 0]));
    let last = new Set<number>();
    for (let round = 0; round < 10; round++) {
      const snapshot = [...uploaded].map(([handle, bytes]) =>
        candidate(handle, {
          uploaded: bytes,
          uploadedLastRound: last.has(handle) ? 100 : 0,
          unchoked: last.has(handle),
        }),
      );
      last = new Set(handles(chooseUnchoked(snapshot, 9, undefined)));
      for (const handle of last) uploaded.set(handle, uploaded.get(handle)! + 100);
    }
    expect(new Set(uploaded.values())).toEqual(new Set([200]));
  });
});

describe("chooseOptimistic", () => {
  test("is a random interested peer that is choked", () => {
    const random = seededRandom(11);
    const all = [
      candidate(1, { unchoked: true }),
      candidate(2),
      candidate(3, { interested: false }),
      candidate(4, { uploaded: 1e9 }),
    ];
    const seen = new Set(Array.from({ length: 100 }, () => chooseOptimistic(all, random)));
    expect(handles([...seen].map(Number))).toEqual([2, 4]);
  });

  test("is undefined when every interested peer has a slot", () => {
    const all = [candidate(1, { unchoked: true }), candidate(2, { interested: false })];
    expect(chooseOptimistic(all, () => 0.99)).toBeUndefined();
    expect(chooseOptimistic([], () => 0)).toBeUndefined();
  });
});
