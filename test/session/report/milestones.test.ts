import { expect, test } from "bun:test";
import { Milestones } from "../../../src/session/report/milestones.ts";

test("a milestone counts once, the first time, in whole milliseconds", () => {
  let now = 12.6;
  const milestones = new Milestones(() => now);
  expect(milestones.reached("firstPeer")).toBe(13);
  now = 99;
  expect([milestones.reached("firstPeer"), milestones.reached("done")]).toEqual([13, 99]);
  expect(milestones.moments).toEqual({
    firstPeer: 13,
    metadata: undefined,
    firstPiece: undefined,
    done: 99,
  });
});

test("moments that were given away do not change", () => {
  const milestones = new Milestones(() => 5);
  const before = milestones.moments;
  milestones.reached("metadata");
  expect(before.metadata).toBeUndefined();
});
