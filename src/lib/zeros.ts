// Runs of zeros in what is written to a file: they become holes, so that a sparse image stays sparse. Touches no file.
import { KiB } from "./units.ts";

/** A hole is made of whole steps: shorter ones would cut a file into more extents than the space is worth. */
export const ZERO_STEP_LENGTH = 64 * KiB;
/** Shorter runs (the end of a file, a stray block's rest) are written. */
export const MIN_HOLE_LENGTH = 16 * KiB;
const ZEROS = new Uint8Array(ZERO_STEP_LENGTH);

/** A stretch of bytes that begins at some place: whether it is to be a hole, and where it ends. */
export interface Stretch {
  readonly isHole: boolean;
  /** Exclusive. */
  readonly end: number;
}

/** @returns the longest stretch of one kind from `from`, in whole steps, up to `to`. */
export function stretchAt(bytes: Uint8Array, from: number, to: number): Stretch {
  const isHole = isZeroStep(bytes, from, to);
  let end = stepEnd(from, to);
  while (end < to && isZeroStep(bytes, end, to) === isHole) end = stepEnd(end, to);
  return { isHole, end };
}

function stepEnd(from: number, to: number): number {
  return Math.min(from + ZERO_STEP_LENGTH, to);
}

/** The first byte says no for most steps; the comparison is one native call. */
function isZeroStep(bytes: Uint8Array, from: number, to: number): boolean {
  const end = stepEnd(from, to);
  if (bytes[from] !== 0 || end - from < MIN_HOLE_LENGTH) return false;
  return Buffer.compare(bytes.subarray(from, end), ZEROS.subarray(0, end - from)) === 0;
}
