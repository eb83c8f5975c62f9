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
import { RESUME_TICK_MS } from "./limits.ts";
import type { LocalFile, LocalFileOptions } from "./local-file-types.ts";

export class PartialFile implements LocalFile {
  readonly content: SpanContent;
  readonly have: Bitfield;
  readonly existed = false;
  readonly #options: LocalFileOptions;
  readonly #part: PartFile;
  readonly #journal: ResumeJournal;
  readonly #stopTimer: () => void;
  /** Every digest was compared in this run; pieces that the journal trusts were compared in an earlier one. */
  #isAllChecked = true;
  #isFinished = false;

  private constructor(options: LocalFileOptions, part: PartFile) {
    const { metainfo, resources, onPressure, onFailure } = options;
    const { geometry, infoHash } = metainfo;
    const { store, pool, clock } = resources;
    this.#options = options;
    this.#part = part;
    this.have = new Bitfield(geometry.pieceCount);
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
    this.#stopTimer = clock.every(RESUME_TICK_MS, () => this.#journal.tick(clock.now()));
  }

  /** @throws BusyError, DestinationError, DiskError as PartFile.open; HashFailure when it cannot be checked. */
  static async open(options: LocalFileOptions): Promise<PartialFile> {
    const { metainfo, directory, resources } = options;
    const { name, infoHash, geometry } = metainfo;
    resources.pool.prepare();
    const part = await PartFile.open({ directory, name, infoHash, size: geometry.length });
    if (part.missing !== undefined) resources.context.logger.warn(part.missing);
    const file = new PartialFile(options, part);
    try {
      await file.#resume();
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
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
    await this.content.close();
    if (!this.#isFinished) await this.#journal.close();
    await this.#part.close();
  }

  /** Before the file has its final name: it appears there as it stays. */
  async #makeExecutable(): Promise<void> {
    const { fd, finalPath } = this.#part;
    const code = await makeExecutable(fd);
    if (code === undefined) return;
    this.#options.resources.context.logger.warn(`${finalPath}: cannot be made executable here (${code})`);
  }

  /** Takes over what the journal trusts, and hashes what the part file may hold besides. */
  async #resume(): Promise<void> {
    const { metainfo, resources, onProgress } = this.#options;
    const { trusted, recheck } = this.#journal.restore();
    this.#isAllChecked = trusted.isEmpty;
    trusted.forEachSet((piece) => this.have.set(piece));
    await checkPieces({
      pieces: recheck,
      metainfo,
      content: this.content,
      onProgress,
      signal: resources.context.signal,
      onRight: (piece) => {
        this.have.set(piece);
        this.verified(piece);
      },
      onWrong: (piece) => this.#journal.refuted(piece),
    });
  }
}
