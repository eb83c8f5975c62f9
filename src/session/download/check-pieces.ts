// Hashes pieces that a part file may hold, stretch by stretch, and compares them with the torrent's digests.
import { expectedDigest, type Metainfo } from "../../core/format/metainfo.ts";
import type { PieceIndex } from "../../core/torrent/ids.ts";
import { bytesEqual } from "../../lib/bytes.ts";
import { SHA1_LENGTH } from "../../lib/sha1.ts";
import type { FileContent } from "../file/file-content.ts";

export interface CheckOptions {
  /** Ascending. */
  readonly pieces: readonly PieceIndex[];
  readonly metainfo: Metainfo;
  readonly content: Pick<FileContent, "hash">;
  /** Bytes hashed so far, of all pieces. */
  readonly onProgress: (doneBytes: number) => void;
  readonly signal: AbortSignal;
  readonly onRight: (piece: PieceIndex) => void;
  readonly onWrong: (piece: PieceIndex) => void;
}

/** Each piece is judged once. @throws HashFailure when the file cannot be read; the signal's reason. */
export async function checkPieces(options: CheckOptions): Promise<void> {
  const { pieces, metainfo, content, onProgress, signal, onRight, onWrong } = options;
  const { geometry } = metainfo;
  let done = 0;
  for (const { first, run } of stretches(pieces)) {
    const before = done;
    const length = run.reduce((sum, piece) => sum + geometry.lengthOfPiece(piece), 0);
    const digests = await content.hash({
      offset: geometry.pieceOffset(first),
      length,
      pieceLength: geometry.pieceLength,
      onProgress: (bytes) => onProgress(before + bytes),
      signal,
    });
    done += length;
    for (const [at, piece] of run.entries()) {
      const digest = digests.subarray(at * SHA1_LENGTH, (at + 1) * SHA1_LENGTH);
      if (bytesEqual(digest, expectedDigest(metainfo, piece))) onRight(piece);
      else onWrong(piece);
    }
  }
}

interface Stretch {
  readonly first: PieceIndex;
  readonly run: PieceIndex[];
}

/** Splits ascending pieces where one is missing: each stretch is hashed in one go. */
function stretches(pieces: readonly PieceIndex[]): readonly Stretch[] {
  const found: Stretch[] = [];
  for (const piece of pieces) {
    const last = found.at(-1)?.run;
    if (last?.at(-1) === piece - 1) last.push(piece);
    else found.push({ first: piece, run: [piece] });
  }
  return found;
}
