// Choosing pieces: every bound with its reason. docs/LIMITS.md is made from these files.
import { MiB } from "../../lib/units.ts";

/** Peers asked for the same block at the end of a transfer: the first, and one to overtake it. */
export const MAX_ENDGAME_COPIES = 2;
/** Blocks of wrong pieces whose digests are kept until the right piece tells who lied: 1 GiB of them in 1.5 MiB. */
export const MAX_AUDITED_BLOCKS = 65_536;
/** Received but unverified pieces, in bytes, that the picker may have open at once. */
export const MAX_OPEN_PIECE_BYTES = 256 * MiB;
