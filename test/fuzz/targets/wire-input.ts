// The shape of peer wire streams for the engine: a handshake, and frames with a length prefix.
import {
  MAX_BITFIELD_FRAME_LENGTH,
  MAX_BLOCK_FRAME_LENGTH,
  MAX_EXTENDED_FRAME_LENGTH,
  MAX_UNKNOWN_FRAME_LENGTH,
  METADATA_PIECE_LENGTH,
} from "../../../src/wire/limits.ts";
import { MAX_METADATA_LENGTH } from "../../../src/core/format/limits.ts";
import { MAX_PIECE_COUNT, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import { concatBytes, readUint32 } from "../../../src/lib/bytes.ts";
import type { Series } from "../engine/target.ts";

export const WIRE_LENGTH = 3 * MAX_REQUEST_LENGTH;
const HANDSHAKE_LENGTH = 68;

export const wireSeries: Series = {
  split(input) {
    const parts = [input.subarray(0, HANDSHAKE_LENGTH)];
    for (let at = HANDSHAKE_LENGTH; at + 4 <= input.length;) {
      const end = at + 4 + readUint32(input, at);
      parts.push(input.subarray(at + 4, end));
      at = end;
    }
    return parts;
  },
  join: ([handshake, ...frames]) =>
    concatBytes([
      handshake ?? new Uint8Array(0),
      ...frames.flatMap((frame) => [uint32(frame.length), frame]),
    ]),
};

export const wireNumbers: readonly number[] = [
  MAX_BITFIELD_FRAME_LENGTH,
  MAX_BLOCK_FRAME_LENGTH,
  MAX_EXTENDED_FRAME_LENGTH,
  MAX_UNKNOWN_FRAME_LENGTH,
  MAX_REQUEST_LENGTH,
  MAX_PIECE_COUNT,
  MAX_METADATA_LENGTH,
  METADATA_PIECE_LENGTH,
];

const ids = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 20, 21, 255];

/** Whole small frames, and headers of long ones. */
export const wireTokens: readonly (string | Uint8Array)[] = [
  "\0\0\0\0",
  ...ids.map((id) => concatBytes([uint32(1), Uint8Array.of(id)])),
  ...ids.map((id) => concatBytes([uint32(5), Uint8Array.of(id), uint32(0)])),
  ...[6, 8, 16].map((id) =>
    concatBytes([uint32(13), Uint8Array.of(id), uint32(1), uint32(0), uint32(16384)]),
  ),
  ...[5, 7, 20, 21].map((id) => concatBytes([uint32(MAX_BLOCK_FRAME_LENGTH), Uint8Array.of(id)])),
  "\0\0\0\x03\x09\x1a\xe1",
  "\0\0\0\x03\x09\xa4\x63",
  "\0\0\0\x04\x14\x00de",
  "d1:md11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei100ee",
  "d8:msg_typei0e5:piecei0ee",
  "d8:msg_typei1e5:piecei0e10:total_sizei100ee",
  "d8:msg_typei2e5:piecei0ee",
  "d5:added6:\x7f\0\0\x01\x1a\xe1e",
];

export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
