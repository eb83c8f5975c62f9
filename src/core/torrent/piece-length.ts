// How long the pieces of a file are: a pure function of its size, so that two hosts which serve the same file print
// the same info hash. Changing a number here changes the info hash of files that people have already shared.
import {
  COMMON_PIECE_LENGTH,
  FINE_PIECE_COUNT,
  MAX_PIECE_COUNT,
  MAX_PIECE_LENGTH,
  MIN_PIECE_LENGTH,
  TARGET_PIECE_COUNT,
} from "./limits.ts";

/** Bytes of the largest file that can be served: 4 TiB, whose metadata is 5 MiB. */
export const MAX_SERVABLE_LENGTH = MAX_PIECE_LENGTH * MAX_PIECE_COUNT;

/**
 * A power of two from 128 KiB to 16 MiB. Small pieces let a machine pass on what it has just received, and a fleet
 * needs hundreds of them to keep all links busy at once; each costs every peer a message and a bit. Hence 128 KiB to
 * 128 MiB, 256 KiB to 256 MiB, 512 KiB to 512 MiB, 1 MiB to 8 GiB, then as long as keeps the count at 8192.
 * `fileLength` is in bytes, 1..MAX_SERVABLE_LENGTH.
 */
export function pieceLengthFor(fileLength: number): number {
  let pieceLength = MIN_PIECE_LENGTH;
  while (pieceLength < COMMON_PIECE_LENGTH && fileLength > pieceLength * FINE_PIECE_COUNT) pieceLength *= 2;
  while (pieceLength < MAX_PIECE_LENGTH && fileLength > pieceLength * TARGET_PIECE_COUNT) pieceLength *= 2;
  return pieceLength;
}
