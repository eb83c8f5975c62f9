// A download's file while it grows: the part file, its content, the journal of verified pieces, and the way to the final
// name.
import { Bitfield } from "../../core/torrent/bitfield.ts";
import type { PieceIndex } from "../../core/torrent/ids.ts";
import { uniqueText } from "../clock.ts";
import { readBootId } from "../../storage/boot-id.ts";
import { makeExecutable } from "../../storage/executable-mode.ts";
import { MAX_READ_SPANS, MAX_WRITE_SPANS } from "../../storage/limits.ts";
import { PartFile } from "../../storage/part-file.ts";
import { ResumeJournal } from "../../storage/resume-journal.ts";
import type { StampedFile } from "../../storage/stamped-file.ts";
import { SpanContent } from "../file/span-content.ts";
import { checkPieces } from "./check-pieces.ts";
import { RESUME_TICK_MS, STOP_SYNC_MS } from "./limits.ts";
import type { LocalFile, LocalFileOptions, SettlePiece } from "./local-file-types.ts";

export class PartialFile implements LocalFile {
  readonly content: SpanContent;
  readonly have: Bitfield;
  readonly unchecked: Bitfield;
  readonly existed = false;
  readonly #options: LocalFileOptions;
  readonly #part: PartFile;
  readonly #journal: ResumeJournal;
  readonly #stopTimer: () => void;
  /** Every digest is compared in this run; pieces that the journal trusts were compared in an earlier one. */
  readonly #isAllChecked: boolean;
  readonly #recheck: readonly PieceIndex[];
  readonly #closed = new AbortController();
  #checking: Promise<void> | undefined;
  #isFinished = false;

  private constructor(options: LocalFileOptions, part: PartFile) {
    const { metainfo, resources, onPressure, onFailure } = options;
    const { geometry, infoHash } = metainfo;
    const { store, pool, clock } = resources;
    this.#options = options;
    this.#part = part;
    this.content = new SpanContent({
      file: part,
      size: part.size,
      pool,
      readSpans: resources.shareOf(MAX_READ_SPANS),
      writing: {
        pieceLength: geometry.pieceLength,
        spans: resources.shareOf(MAX_WRITE_SPANS),
        onPressure,
        onError: onFailure,
      },
    });
    this.#journal = new ResumeJournal({
      store,
      part,
      infoHash,
      geometry,
      bootId: readBootId(uniqueText),
      onError: onFailure,
    });
    const { trusted, recheck } = this.#journal.restore();
    this.#isAllChecked = trusted.isEmpty;
    this.#recheck = recheck;
    this.have = trusted;
    this.unchecked = new Bitfield(geometry.pieceCount);
    for (const piece of recheck) this.unchecked.set(piece);
    this.#stopTimer = clock.every(RESUME_TICK_MS, () => this.#journal.tick(clock.now()));
  }

  /** @throws BusyError, DestinationError, DiskError as PartFile.open. */
  static async open(options: LocalFileOptions): Promise<PartialFile> {
    const { metainfo, directory, resources } = options;
    const { name, infoHash, geometry } = metainfo;
    resources.pool.prepare();
    const part = await PartFile.open({ directory, name, infoHash, size: geometry.length });
    if (part.missing !== undefined) resources.context.logger.warn(part.missing);
    return new PartialFile(options, part);
  }

  check(settle: SettlePiece): Promise<void> {
    this.#checking = this.#check(settle);
    return this.#checking;
  }

  verified(piece: PieceIndex): void {
    this.#journal.verified(piece, this.#options.resources.clock.now());
  }

  async finish(): Promise<StampedFile> {
    const { store } = this.#options.resources;
    const { geometry, pieces } = this.#options.metainfo;
    this.#stopTimer();
    await this.content.flush();
    this.content.publish();
    if (this.#options.isExecutable === true) await this.#makeExecutable();
    const file = await this.#part.finish();
    await this.#journal.forget();
    this.#isFinished = true;
    if (this.#isAllChecked && !(await file.changed()))
      store.rememberHashedFile({ stamp: file.stamp, pieceLength: geometry.pieceLength, pieces });
    return file;
  }

  async close(): Promise<void> {
    this.#stopTimer();
    this.#closed.abort();
    await this.#checking?.catch(() => {});
    await this.content.close();
    if (!this.#isFinished) await this.#closeJournal();
    await this.#part.close();
  }

  /** Before the file has its final name: it appears there as it stays. */
  async #makeExecutable(): Promise<void> {
    const { fd, finalPath } = this.#part;
    const code = await makeExecutable(fd);
    if (code === undefined) return;
    this.#options.resources.context.logger.warn(`${finalPath}: cannot be made executable here (${code})`);
  }

  async #closeJournal(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.resources.clock.after(STOP_SYNC_MS, () => late.resolve());
    await this.#journal.close(late.promise);
    cancel();
  }

  async #check(settle: SettlePiece): Promise<void> {
    const { metainfo, resources, onProgress } = this.#options;
    const stopped = AbortSignal.any([resources.context.signal, this.#closed.signal]);
    try {
      await checkPieces({
        pieces: this.#recheck,
        metainfo,
        content: this.content,
        onProgress,
        signal: stopped,
        settle: (piece, isRight) => {
          if (stopped.aborted) return;
          if (!isRight) this.#journal.refuted(piece);
          settle(piece, isRight);
        },
      });
    } catch (error) {
      if (!stopped.aborted) throw error;
    }
  }
}
