// The bytes of one torrent's file as the session uses them: read for peers, written from peers, verified in between.
import type { PieceIndex } from "../../core/torrent/ids.ts";
import type { SpanReader } from "../../storage/span-reader.ts";
import type { SpanWriter } from "../../storage/span-writer.ts";

export interface FileContent {
  /** The served file, or the part file. */
  readonly path: string;
  readonly fd: number;
  readonly reader: SpanReader;
  /** Absent for a file that is complete. */
  readonly writer: SpanWriter | undefined;
  /** A piece was verified: record it. */
  readonly onVerified: (piece: PieceIndex) => void;
}
