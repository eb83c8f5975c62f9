import { expect, test } from "bun:test";
import { KiB } from "../../src/lib/units.ts";
import { MIN_HOLE_LENGTH, stretchAt, ZERO_STEP_LENGTH } from "../../src/lib/zeros.ts";

const STEP = ZERO_STEP_LENGTH;

/** Zeros, with a one at each of these places. */
function bytesWith(length: number, ...ones: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const at of ones) bytes[at] = 1;
  return bytes;
}

function stretches(bytes: Uint8Array, from = 0, to = bytes.length): (readonly [boolean, number])[] {
  const found: (readonly [boolean, number])[] = [];
  for (let at = from; at < to;) {
    const { isHole, end } = stretchAt(bytes, at, to);
    found.push([isHole, end]);
    at = end;
  }
  return found;
}

test("stretches are as long as steps of one kind follow one another", () => {
  expect(stretches(bytesWith(6 * STEP, 2 * STEP, 4 * STEP - 1))).toEqual([
    [true, 2 * STEP],
    [false, 4 * STEP],
    [true, 6 * STEP],
  ]);
});

test("a single byte at either end of a step makes it data", () => {
  expect(stretches(bytesWith(STEP, 0))).toEqual([[false, STEP]]);
  expect(stretches(bytesWith(STEP, STEP - 1))).toEqual([[false, STEP]]);
  expect(stretches(bytesWith(STEP))).toEqual([[true, STEP]]);
});

test("the last step may be shorter, and is no hole when it is too short for one", () => {
  expect(stretches(bytesWith(STEP + MIN_HOLE_LENGTH))).toEqual([[true, STEP + MIN_HOLE_LENGTH]]);
  expect(stretches(bytesWith(STEP + MIN_HOLE_LENGTH - 1))).toEqual([
    [true, STEP],
    [false, STEP + MIN_HOLE_LENGTH - 1],
  ]);
});

test("only what lies between the two ends is looked at", () => {
  expect(stretches(bytesWith(4 * STEP, 0, 3 * STEP), 16 * KiB, 3 * STEP)).toEqual([[true, 3 * STEP]]);
});
