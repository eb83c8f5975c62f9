// Chooses the piece length of a file from its size alone, so that two hosts that serve the same file print the same info
// hash. A change of a number here changes the info hash of files that are already shared.
import {
  COMMON_PIECE_LENGTH,
  FINE_PIECE_COUNT,
  MAX_PIECE_COUNT,
  MAX_PIECE_LENGTH,
  MIN_PIECE_LENGTH,
  TARGET_PIECE_COUNT,
} from "./limits.ts";

/** Bytes of the largest file that `serve` accepts: 4 TiB, whose metadata is 5 MiB. */
export const MAX_SERVABLE_LENGTH = MAX_PIECE_LENGTH * MAX_PIECE_COUNT;

/**
 * A machine can pass a piece on as soon as it has all of it, so small pieces spread sooner, and a fleet needs hundreds of
 * them to keep all links busy at once. Each piece costs every peer a have message and a bit. Hence 128 KiB for files up to
 * 128 MiB, 256 KiB up to 256 MiB, 512 KiB up to 512 MiB, 1 MiB up to 8 GiB, then the shortest that keeps to 8192 pieces.
 * @param fileLength in bytes, 1..MAX_SERVABLE_LENGTH.
 * @returns bytes, a power of two from 128 KiB to 16 MiB.
 */
export function pieceLengthFor(fileLength: number): number {
  let pieceLength = MIN_PIECE_LENGTH;
  while (pieceLength < COMMON_PIECE_LENGTH && fileLength > pieceLength * FINE_PIECE_COUNT) pieceLength *= 2;
  while (pieceLength < MAX_PIECE_LENGTH && fileLength > pieceLength * TARGET_PIECE_COUNT) pieceLength *= 2;
  return pieceLength;
}
