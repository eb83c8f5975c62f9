import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { addressKey, type PeerAddress } from "../../../src/core/format/peer-address.ts";
import { type DialCandidates, selectDials } from "../../../src/core/swarm/dial-selection.ts";

const SLOTS = 32;
const addresses = (host: string, count: number): PeerAddress[] =>
  Array.from({ length: count }, (_, i) => ({ host, port: 2000 + i }));

/** Candidates by their number; `pinnedDials` and `otherDials` are under way. */
function candidates(
  pinned: number,
  others: number,
  pinnedDials = 0,
  otherDials = 0,
): DialCandidates<PeerAddress> {
  return {
    pinned: addresses("10.0.0.1", pinned),
    others: addresses("10.0.0.2", others),
    pinnedDials,
    otherDials,
  };
}

/** How many of each kind are dialled. */
function selected(
  from: DialCandidates<PeerAddress>,
  slots: number,
  room = slots,
): [pinned: number, others: number] {
  const dials = selectDials(from, slots, room, () => true);
  expect(new Set(dials.map(addressKey)).size).toBe(dials.length);
  const pinned = dials.filter(({ host }) => host === "10.0.0.1").length;
  return [pinned, dials.length - pinned];
}

describe("selectDials", () => {
  test("gives a few pinned addresses every slot that they need, and the rest to others", () => {
    expect(selected(candidates(3, 100), SLOTS)).toEqual([3, 29]);
    expect(selected(candidates(16, 100), SLOTS)).toEqual([16, 16]);
  });

  test("lets pinned addresses have three quarters of the slots while no other address is known", () => {
    expect(selected(candidates(64, 0), SLOTS)).toEqual([24, 0]);
    expect(selected(candidates(64, 4), SLOTS)).toEqual([24, 4]);
  });

  test("leaves others up to half of the slots when there are enough of them", () => {
    expect(selected(candidates(64, 10), SLOTS)).toEqual([22, 10]);
    expect(selected(candidates(64, 100), SLOTS)).toEqual([16, 16]);
  });

  test("counts dials under way: silent pinned addresses get no slot beyond their share", () => {
    expect(selected(candidates(40, 100, 24), SLOTS - 24)).toEqual([0, 8]);
    expect(selected(candidates(40, 100, 16, 8), SLOTS - 24)).toEqual([0, 8]);
    expect(selected(candidates(40, 100, 8, 16), SLOTS - 24)).toEqual([8, 0]);
  });

  test("dials no more unpinned addresses than there is room for, and pinned ones without it", () => {
    expect(selected(candidates(3, 100), SLOTS, 2)).toEqual([3, 2]);
    expect(selected(candidates(3, 100), SLOTS, -5)).toEqual([3, 0]);
  });

  test("gives a single slot to a pinned address", () => {
    expect(selected(candidates(2, 2), 1)).toEqual([1, 0]);
  });

  test("passes over addresses that may not be taken now, each kind in its order", () => {
    const from = candidates(4, 4);
    const dials = selectDials(from, 5, 2, ({ port }) => port % 2 === 1);
    expect(dials.map(addressKey)).toEqual([
      "10.0.0.1:2001",
      "10.0.0.1:2003",
      "10.0.0.2:2001",
      "10.0.0.2:2003",
    ]);
  });

  test("never exceeds the slots, whatever is known and under way", () => {
    const count = fc.nat(100);
    fc.assert(
      fc.property(
        count,
        count,
        fc.nat(40),
        fc.nat(40),
        fc.nat(SLOTS),
        fc.integer(),
        (p, o, pd, od, slots, room) => {
          const [pinned, others] = selected(candidates(p, o, pd, od), slots, room);
          expect(pinned + others).toBeLessThanOrEqual(slots);
          expect(others).toBeLessThanOrEqual(Math.max(0, room));
        },
      ),
    );
  });
});
