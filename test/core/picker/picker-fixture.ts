// Torrents and small deeds for the tests of PiecePicker.
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { CheckedPicker, FakePeer } from "./picker-peer.ts";

/** Six pieces of three blocks; the last has one whole block and a short one. */
export const geometry = new Geometry(16.5 * BLOCK_LENGTH, 3 * BLOCK_LENGTH);
/** Three pieces of twenty blocks and one of seven and a half: no longest run fills them evenly. */
export const wide = new Geometry(67.5 * BLOCK_LENGTH, 20 * BLOCK_LENGTH);

/** In blocks. */
export const MAX_RUN = MAX_REQUEST_LENGTH / BLOCK_LENGTH;

/** The peer delivers what it is asked for. @returns the pieces this completes. */
export function deliverAll(picker: CheckedPicker, peer: FakePeer): number[] {
  return [...peer.asked.values()].flatMap((block) =>
    picker.deliver(peer, block) ? Number(block.piece) : [],
  );
}
