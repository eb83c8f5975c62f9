// Finds the culprit when a piece fails that several peers gave: remembers what each block of the wrong piece looked like and
// whose it was, and compares once the right piece is here. Knows digests and handles, no bytes; blames on proof alone.
import { bytesEqual } from "../../lib/bytes.ts";
import { SHA1_LENGTH } from "../../lib/sha1.ts";
import type { PieceIndex } from "../torrent/ids.ts";
import { MAX_AUDITED_BLOCKS } from "./limits.ts";

interface WrongPiece {
  /** Who gave each block, by handle. */
  readonly contributors: Uint32Array;
  /** 20 bytes per block. */
  readonly digests: Uint8Array;
}

export class BlockAudit {
  readonly #wrong = new Map<PieceIndex, WrongPiece>();
  #blocks = 0;

  /** True when the right piece will tell who lied. */
  awaits(piece: PieceIndex): boolean {
    return this.#wrong.has(piece);
  }

  /** The blocks of a piece that failed. Above its limit it forgets the oldest pieces, and with them who lied. */
  remember(piece: PieceIndex, contributors: Uint32Array, digests: Uint8Array): void {
    this.#forget(piece);
    this.#wrong.set(piece, { contributors, digests });
    this.#blocks += contributors.length;
    for (const oldest of this.#wrong.keys()) {
      if (this.#blocks <= MAX_AUDITED_BLOCKS) return;
      this.#forget(oldest);
    }
  }

  /** @param digests of the blocks of the right piece. @returns the handles of those who gave a block that differs. */
  culprits(piece: PieceIndex, digests: Uint8Array): Set<number> {
    const culprits = new Set<number>();
    const wrong = this.#wrong.get(piece);
    this.#forget(piece);
    wrong?.contributors.forEach((contributor, block) => {
      const place = [block * SHA1_LENGTH, (block + 1) * SHA1_LENGTH] as const;
      if (!bytesEqual(wrong.digests.subarray(...place), digests.subarray(...place)))
        culprits.add(contributor);
    });
    return culprits;
  }

  #forget(piece: PieceIndex): void {
    this.#blocks -= this.#wrong.get(piece)?.contributors.length ?? 0;
    this.#wrong.delete(piece);
  }
}
