// What a download needs of its file on our own disk, whether it stood there complete or grows in this run.
import type { Metainfo } from "../../core/format/metainfo.ts";
import type { Bitfield } from "../../core/torrent/bitfield.ts";
import type { PieceIndex } from "../../core/torrent/ids.ts";
import type { StampedFile } from "../../storage/stamped-file.ts";
import type { SpanContent } from "../file/span-content.ts";
import type { Resources } from "../resources.ts";

export interface LocalFileOptions {
  readonly metainfo: Metainfo;
  readonly directory: string;
  /** The complete file may be executed, as the user's magnet says. */
  readonly isExecutable?: boolean;
  readonly resources: Resources;
  /** Bytes hashed of what stands on the disk already. */
  readonly onProgress: (doneBytes: number) => void;
  /** `true`: the disk is behind, no socket is to be read; `false`: it has caught up. */
  readonly onPressure: (paused: boolean) => void;
  /** The disk failed while the download was running. */
  readonly onFailure: (error: unknown) => void;
}

/** What a piece that was hashed turned out to be. */
export type SettlePiece = (piece: PieceIndex, isRight: boolean) => void;

export interface LocalFile {
  readonly content: SpanContent;
  /** Verified pieces. */
  readonly have: Bitfield;
  /** Pieces that it may hold besides: nothing of them is offered or fetched before `check` has settled them. */
  readonly unchecked: Bitfield;
  /** It stood complete under its final name before this run. */
  readonly existed: boolean;
  /**
   * Hashes the unchecked pieces, once. Resolves when each was settled, or when the file is closed.
   * @throws HashFailure when it cannot be read.
   */
  check(settle: SettlePiece): Promise<void>;
  /** The piece was verified, and is recorded for the next run. */
  verified(piece: PieceIndex): void;
  /**
   * Puts the complete file under its final name, and remembers its digests for a later `serve`.
   * @returns it with the stamp that it has unless another process has written to it.
   * @throws DestinationError when another file stands there by now. @throws DiskError
   */
  finish(): Promise<StampedFile>;
  /** Records what is verified and closes the file. */
  close(): Promise<void>;
}
