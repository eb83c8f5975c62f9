// Hashes pieces that a part file may hold, stretch by stretch, and compares them with the torrent's digests.
import { expectedDigest, type Metainfo } from "../../core/format/metainfo.ts";
import type { PieceIndex } from "../../core/torrent/ids.ts";
import { bytesEqual } from "../../lib/bytes.ts";
import { SHA1_LENGTH } from "../../lib/sha1.ts";
import type { FileContent } from "../file/file-content.ts";
import { CHECK_LENGTH } from "./limits.ts";
import type { SettlePiece } from "./local-file-types.ts";

export interface CheckOptions {
  /** Ascending. */
  readonly pieces: readonly PieceIndex[];
  readonly metainfo: Metainfo;
  readonly content: Pick<FileContent, "hash">;
  /** Bytes hashed so far, of all pieces. */
  readonly onProgress: (doneBytes: number) => void;
  readonly signal: AbortSignal;
  readonly settle: SettlePiece;
}

/** Each piece is judged once. @throws HashFailure when the file cannot be read; the signal's reason. */
export async function checkPieces(options: CheckOptions): Promise<void> {
  const { pieces, metainfo, content, onProgress, signal, settle } = options;
  const { geometry } = metainfo;
  let done = 0;
  const most = Math.max(1, Math.floor(CHECK_LENGTH / geometry.pieceLength));
  for (const { first, run } of stretches(pieces, most)) {
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
      settle(piece, bytesEqual(digest, expectedDigest(metainfo, piece)));
    }
  }
}

interface Stretch {
  readonly first: PieceIndex;
  readonly run: PieceIndex[];
}

/** Splits ascending pieces where one is missing, and after `most`: each stretch is hashed in one go. */
function stretches(pieces: readonly PieceIndex[], most: number): readonly Stretch[] {
  const found: Stretch[] = [];
  for (const piece of pieces) {
    const last = found.at(-1)?.run;
    if (last?.at(-1) === piece - 1 && last.length < most) last.push(piece);
    else found.push({ first: piece, run: [piece] });
  }
  return found;
}
