// Finds the culprit when a piece with several contributors fails its hash: keeps the digest and the contributor of each
// block of the wrong piece, and compares them with the blocks of the right piece. Knows digests and handles, no bytes.
import { bytesEqual } from "../../lib/bytes.ts";
import { SHA1_LENGTH } from "../../lib/sha1.ts";
import type { PieceIndex } from "../torrent/ids.ts";
import { MAX_AUDITED_BLOCKS } from "./limits.ts";

interface WrongPiece {
  /** Handle of the peer that sent each block. */
  readonly contributors: Uint32Array;
  /** 20 bytes per block. */
  readonly digests: Uint8Array;
}

export class BlockAudit {
  readonly #wrong = new Map<PieceIndex, WrongPiece>();
  #blocks = 0;

  /** True when a failed attempt at the piece is kept, to compare with the right piece. */
  awaits(piece: PieceIndex): boolean {
    return this.#wrong.has(piece);
  }

  /** Keeps the blocks of a piece that failed its hash. Beyond MAX_AUDITED_BLOCKS the oldest pieces are dropped. */
  remember(piece: PieceIndex, contributors: Uint32Array, digests: Uint8Array): void {
    this.#forget(piece);
    this.#wrong.set(piece, { contributors, digests });
    this.#blocks += contributors.length;
    for (const oldest of this.#wrong.keys()) {
      if (this.#blocks <= MAX_AUDITED_BLOCKS) return;
      this.#forget(oldest);
    }
  }

  /**
   * Ends the audit of the piece.
   * @param digests of the blocks of the right piece, 20 bytes each.
   * @returns handles of the peers that sent a block that differs.
   */
  culprits(piece: PieceIndex, digests: Uint8Array): Set<number> {
    const culprits = new Set<number>();
    const wrong = this.#wrong.get(piece);
    this.#forget(piece);
    wrong?.contributors.forEach((contributor, block) => {
      const range = [block * SHA1_LENGTH, (block + 1) * SHA1_LENGTH] as const;
      if (!bytesEqual(wrong.digests.subarray(...range), digests.subarray(...range)))
        culprits.add(contributor);
    });
    return culprits;
  }

  #forget(piece: PieceIndex): void {
    this.#blocks -= this.#wrong.get(piece)?.contributors.length ?? 0;
    this.#wrong.delete(piece);
  }
}
