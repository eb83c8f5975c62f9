// PiecePicker after any sequence of events, compared with a simple model.
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Geometry } from "../../../src/core/torrent/geometry.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";
import { deliverAll, geometry, MAX_RUN, wide } from "./picker-fixture.ts";
import { CheckedPicker } from "./picker-peer.ts";

interface Step {
  readonly act:
    | "join"
    | "joinSeed"
    | "leave"
    | "has"
    | "pick"
    | "duplicate"
    | "deliver"
    | "deliverExpired"
    | "release"
    | "releaseAll"
    | "right"
    | "wrong";
  readonly who: number;
  readonly what: number;
}

const steps = fc.array(
  fc.record<Step>({
    act: fc.constantFrom(
      ...([
        "join",
        "joinSeed",
        "leave",
        "has",
        "duplicate",
        "release",
        "releaseAll",
        "right",
        "wrong",
      ] as const),
      ...(["has", "pick", "pick", "pick", "deliver", "deliver", "deliver", "deliver", "right"] as const),
      ...(["duplicate", "deliverExpired", "deliverExpired"] as const),
    ),
    who: fc.nat(100),
    what: fc.nat(1000),
  }),
  { maxLength: 120, size: "max" },
);

function apply({ act, who, what }: Step, picker: CheckedPicker, now: number): void {
  const peers = [...picker.peers];
  const peer = peers[who % Math.max(1, peers.length)];
  const asked: Block | undefined =
    peer && [...peer.requested.values()][what % Math.max(1, peer.requested.size)];
  const complete = picker.completePieces();
  const piece = complete[what % Math.max(1, complete.length)];
  const last = picker.geometry.pieceCount - 1;
  // Runs of every length, with room for several of them or for none.
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
  } else if (act === "deliverExpired") {
    const late = peer.expired[what % Math.max(1, peer.expired.length)];
    if (late !== undefined) picker.deliverExpired(peer, late);
  } else if (act === "releaseAll") picker.releaseAll(peer);
  else if (asked !== undefined && act === "deliver") picker.deliver(peer, asked);
  else if (asked !== undefined && act === "release") picker.release(peer, asked);
}

const both: [string, Geometry][] = [
  ["after any events in short pieces", geometry],
  ["after any events in long pieces", wide],
];

describe("PiecePicker", () => {
  test.each(both)("keeps every piece in one state and its counters right, %s", (_, geometry) => {
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

  test.each(both)("requests every missing block from a seed that joins at the end, %s", (_, geometry) => {
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
});
