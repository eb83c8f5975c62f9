// What a download may trust after it was stopped. Owns the order that makes it true: a piece's bytes are on the disk
// (fdatasync) before its bit is in the store. Knows bits and times, not content: it is given the outcome of every check.
import { Bitfield } from "../core/torrent/bitfield.ts";
import type { Geometry } from "../core/torrent/geometry.ts";
import type { InfoHash, PieceIndex } from "../core/torrent/ids.ts";
import { RESUME_SYNC_LENGTH, RESUME_SYNC_MS } from "./limits.ts";
import { assert } from "../lib/assert.ts";
import { DiskError } from "../lib/errors.ts";
import { diskErrorOf } from "./disk-error.ts";
import type { DownloadRecord, FileTimes, StateStore } from "./state-store.ts";
import type { ByteRange } from "./written-ranges.ts";

/** The part of PartFile that a journal needs. */
export interface JournaledFile {
  readonly path: string;
  readonly inode: bigint;
  readonly size: number;
  /** It was there before this run. */
  readonly existed: boolean;
  /** The times that it had when it was opened. */
  readonly times: FileTimes;
  presentTimes(): Promise<FileTimes>;
  /** Where something was written, in order; empty when that is not known. */
  written(): readonly ByteRange[];
  sync(): Promise<void>;
}

export interface ResumeJournalOptions {
  readonly store: StateStore;
  readonly part: JournaledFile;
  readonly infoHash: InfoHash;
  readonly geometry: Geometry;
  /** Of this boot: `readBootId()`. */
  readonly bootId: string;
  /** At most once: after a failed sync it is unknown what reached the disk, so nothing more is recorded. */
  readonly onError: (error: DiskError) => void;
}

export interface Resumed {
  /** Pieces that may be served and need not be fetched. */
  readonly trusted: Bitfield;
  /** Pieces of which the part file may hold the bytes: hash them, and call `verified` or `refuted` for each. */
  readonly recheck: readonly PieceIndex[];
}

export class ResumeJournal {
  readonly #options: ResumeJournalOptions;
  /** Verified pieces. */
  readonly #bits: Bitfield;
  /** Pieces still to be rechecked. As long as there are any, no end counts as orderly, so that the next run checks them. */
  #doubtful: Bitfield;
  /** Verified bytes that no finished or running sync covers, and when the first of them came. */
  #unsavedLength = 0;
  #unsavedSince = 0;
  #committing: Promise<void> | undefined;
  #failed = false;
  #ended = false;
  /** Nothing is recorded or reported any more. */
  #isClosed = false;

  constructor(options: ResumeJournalOptions) {
    this.#options = options;
    this.#bits = new Bitfield(options.geometry.pieceCount);
    this.#doubtful = new Bitfield(options.geometry.pieceCount);
  }

  /** Called once, before `verified`. Reads the store; never the file. */
  restore(): Resumed {
    const { store, part, infoHash, bootId, geometry } = this.#options;
    const { pieceCount } = geometry;
    if (!part.existed) {
      // Said at once, over whatever an earlier part file left behind: a new file may get the inode of a removed one.
      this.#save(this.#bits.bytes, undefined);
      return { trusted: new Bitfield(pieceCount), recheck: [] };
    }
    const record = store.download(infoHash, part.path);
    const recorded =
      record && this.#describesPart(record) ? Bitfield.parse(record.bitfield, pieceCount) : undefined;
    if (record === undefined || recorded === undefined) return this.#doubt(Bitfield.full(pieceCount));
    // What came after the record, which a kill or a full disk kept from being the last one. A new record need not speak
    // of it: the run after this one finds it in the same way.
    const unrecorded = this.#written();
    // The file is as an orderly end left it, or a backup, another program or this one after a kill has changed it since. A power
    // cut may bring back an older row, so after a boot even the record of an orderly end is only a claim.
    if (!this.#isAsStopped(record) || record.bootId !== bootId) return this.#doubt(recorded, unrecorded);
    recorded.forEachSet((index) => {
      this.#bits.set(index);
      unrecorded.clear(index);
    });
    // From now on it is written to: no record of a run that is killed speaks of an orderly end.
    this.#save(recorded.bytes, undefined);
    return { trusted: recorded, recheck: this.#pieces(unrecorded) };
  }

  /** The piece's hash was right and all its bytes were written to the file. `now`: milliseconds, monotonic. O(1). */
  verified(piece: PieceIndex, now: number): void {
    if (this.#failed || this.#ended || this.#bits.get(piece)) return;
    this.#bits.set(piece);
    this.#doubtful.clear(piece);
    if (this.#unsavedLength === 0) this.#unsavedSince = now;
    this.#unsavedLength += this.#options.geometry.lengthOfPiece(piece);
    this.tick(now);
  }

  /** A recheck found that the part file does not hold this piece. */
  refuted(piece: PieceIndex): void {
    this.#doubtful.clear(piece);
  }

  /** Called about every TICK_MS: starts a commit when enough bytes or time have gathered. */
  tick(now: number): void {
    if (this.#unsavedLength === 0 || this.#committing !== undefined || this.#failed || this.#ended) return;
    if (this.#unsavedLength < RESUME_SYNC_LENGTH && now - this.#unsavedSince < RESUME_SYNC_MS) return;
    // While it runs, further pieces gather for the next one, whose time begins now.
    this.#unsavedSince = now;
    this.#committing = this.#commit().finally(() => {
      this.#committing = undefined;
    });
  }

  /**
   * The orderly end of an unfinished download: what was verified is synced and recorded. Nothing may be written after.
   * `late`: resolves when the end waits no longer for the disk. The record is then that of a kill: the next run hashes more.
   */
  async close(late: Promise<void>): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await Promise.race([late, this.#end()]);
    this.#isClosed = true;
  }

  async #end(): Promise<void> {
    await this.#committing;
    if (!this.#failed && !this.#isClosed) await this.#commit(true);
  }

  /** The download stands under its final name: there is nothing to resume. */
  async forget(): Promise<void> {
    this.#ended = true;
    await this.#committing;
    this.#options.store.forgetDownload(this.#options.infoHash, this.#options.part.path);
  }

  /** `isEnd`: nothing is written afterwards. */
  async #commit(isEnd = false): Promise<void> {
    const { part, onError } = this.#options;
    // Taken before the sync begins: a piece verified during it may not be covered by it.
    const recorded = Bitfield.parse(this.#bits.bytes, this.#bits.size);
    assert(recorded !== undefined, "a bitfield is a copy of its own bytes");
    const doubted = !this.#doubtful.isEmpty;
    this.#doubtful.forEachSet((index) => recorded.set(index));
    this.#unsavedLength = 0;
    let stopped: FileTimes | undefined;
    try {
      await part.sync();
      if (isEnd && !doubted) stopped = await part.presentTimes();
    } catch (error) {
      this.#failed = true;
      if (this.#isClosed) return;
      onError(
        error instanceof DiskError ? error : diskErrorOf(`cannot bring ${part.path} to the disk`, error),
      );
      return;
    }
    if (!this.#isClosed) this.#save(recorded.bytes, stopped);
  }

  #save(bitfield: Uint8Array, stopped: FileTimes | undefined): void {
    const { store, part, infoHash, bootId } = this.#options;
    store.saveDownload({
      infoHash,
      partPath: part.path,
      partInode: part.inode,
      size: part.size,
      bitfield,
      bootId,
      stopped,
    });
  }

  /** Nothing is trusted; `besides` is rechecked too. */
  #doubt(pieces: Bitfield, besides = new Bitfield(pieces.size)): Resumed {
    this.#doubtful = pieces;
    pieces.forEachSet((index) => besides.set(index));
    return { trusted: new Bitfield(pieces.size), recheck: this.#pieces(besides) };
  }

  /** Pieces all bytes of which were written at some time. */
  #written(): Bitfield {
    const { part, geometry } = this.#options;
    const pieces = new Bitfield(geometry.pieceCount);
    for (const { start, end } of part.written()) {
      const last = end >= geometry.length ? geometry.pieceCount : Math.floor(end / geometry.pieceLength);
      for (let index = Math.ceil(start / geometry.pieceLength); index < last; index++) pieces.set(index);
    }
    return pieces;
  }

  #isAsStopped({ stopped }: DownloadRecord): boolean {
    const { mtimeNs, ctimeNs } = this.#options.part.times;
    return stopped?.mtimeNs === mtimeNs && stopped.ctimeNs === ctimeNs;
  }

  #describesPart(record: DownloadRecord): boolean {
    const { part } = this.#options;
    return record.size === part.size && record.partInode === part.inode;
  }

  #pieces(wanted: Bitfield): PieceIndex[] {
    const { geometry } = this.#options;
    const pieces: PieceIndex[] = [];
    wanted.forEachSet((index) => {
      const piece = geometry.piece(index);
      if (piece !== undefined) pieces.push(piece);
    });
    return pieces;
  }
}
