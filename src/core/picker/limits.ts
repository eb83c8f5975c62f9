// Choosing pieces: every bound with its reason. docs/LIMITS.md is made from these files.
import { MiB } from "../../lib/units.ts";

/** Peers that one block is requested from in the end-game: the first, and one more that may be faster. */
export const MAX_ENDGAME_COPIES = 2;
/** Blocks of wrong pieces whose digests are kept until the right piece shows the culprit: 1 GiB of blocks in 1.5 MiB. */
export const MAX_AUDITED_BLOCKS = 65_536;
/** Bytes of pieces that are requested in full and not yet verified: beyond it the picker starts no other piece. */
export const MAX_OPEN_PIECE_BYTES = 256 * MiB;
