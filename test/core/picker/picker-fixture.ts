// Torrents and shared steps for the tests of PiecePicker.
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { CheckedPicker, FakePeer } from "./picker-peer.ts";

/** Six pieces of three blocks; the last has one whole block and a short one. */
export const geometry = new Geometry(16.5 * BLOCK_LENGTH, 3 * BLOCK_LENGTH);
/** Three pieces of twenty blocks and one of seven and a half: their lengths are no multiples of the longest run. */
export const wide = new Geometry(67.5 * BLOCK_LENGTH, 20 * BLOCK_LENGTH);

/** The longest run, in blocks. */
export const MAX_RUN = MAX_REQUEST_LENGTH / BLOCK_LENGTH;

/** The peer sends every requested block. @returns the pieces that this completes. */
export function deliverAll(picker: CheckedPicker, peer: FakePeer): number[] {
  return [...peer.requested.values()].flatMap((block) =>
    picker.deliver(peer, block) ? Number(block.piece) : [],
  );
}
