// The file of one download on our own disk: what stands there already, the part file with what it holds of an earlier
// run, and the way to its final name.
import { Bitfield } from "../../core/torrent/bitfield.ts";
import { MAX_READ_SPANS, MAX_WRITE_SPANS, WRITE_SPAN_LENGTH } from "../../storage/limits.ts";
import { RESUME_TICK_MS } from "./limits.ts";
import { expectedDigest, type Metainfo } from "../../core/format/metainfo.ts";
import type { PieceIndex } from "../../core/torrent/ids.ts";
import { Transfer } from "../../core/transfer/transfer.ts";
import { bytesEqual } from "../../lib/bytes.ts";
import { DestinationError } from "../../lib/errors.ts";
import { SHA1_LENGTH } from "../../lib/sha1.ts";
import { readBootId } from "../../storage/boot-id.ts";
import { inspectDestination } from "../../storage/destination.ts";
import { PartFile } from "../../storage/part-file.ts";
import { ResumeJournal } from "../../storage/resume-journal.ts";
import { SourceFile } from "../../storage/source-file.ts";
import { SpanReader } from "../../storage/span-reader.ts";
import { SpanWriter } from "../../storage/span-writer.ts";
import { chance, monotonicMs } from "../clock.ts";
import type { Node } from "../network/node.ts";
import type { Swarm } from "../network/swarm.ts";
import { TransferRunner } from "../file/transfer-runner.ts";
import type { Resources } from "../resources.ts";

export interface LocalFileOptions {
  readonly metainfo: Metainfo;
  readonly directory: string;
  readonly resources: Resources;
  /** Bytes hashed of what stands on the disk already. */
  readonly onProgress: (doneBytes: number) => void;
  /** The disk failed while the download was running. */
  readonly onFailure: (error: unknown) => void;
}

/** The open file and its halves: complete under its final name, or a part file being written. */
type OpenFile =
  | { readonly type: "final"; readonly source: SourceFile }
  | {
      readonly type: "part";
      readonly part: PartFile;
      readonly writer: SpanWriter;
      readonly journal: ResumeJournal;
    };

export class LocalFile {
  readonly #options: LocalFileOptions;
  readonly #open: OpenFile;
  readonly #reader: SpanReader;
  readonly #have: Bitfield;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #runner: TransferRunner | undefined;
  #swarm: Swarm | undefined;
  #finished = false;

  private constructor(options: LocalFileOptions, open: OpenFile, reader: SpanReader, have: Bitfield) {
    this.#options = options;
    this.#open = open;
    this.#reader = reader;
    this.#have = have;
    if (open.type === "part")
      this.#timer = setInterval(() => open.journal.tick(monotonicMs()), RESUME_TICK_MS);
  }

  /**
   * Looks at what is there and checks it.
   * @throws DestinationError when another file stands at the final name or the directory cannot be used.
   * @throws BusyError when another process works on this download. @throws DiskError
   */
  static async open(options: LocalFileOptions): Promise<LocalFile> {
    const { metainfo, directory, resources } = options;
    const { name, geometry, infoHash } = metainfo;
    await PartFile.removeStray({ directory, name, infoHash });
    const found = await inspectDestination(directory, name, geometry.length);
    if (found !== "free") return LocalFile.#adopt(options, found.sameSizePath);
    resources.pool.prepare();
    const part = await PartFile.open({ directory, name, infoHash, size: geometry.length });
    if (part.missing !== undefined) resources.context.logger.warn(part.missing);
    const journal = new ResumeJournal({
      store: resources.store,
      part,
      infoHash,
      geometry,
      bootId: readBootId(),
      onError: options.onFailure,
    });
    const { fd, path, size } = part;
    let file: LocalFile | undefined;
    // A piece that fits a span is one span, so that a worker can hash it on its way to the file.
    const spanLength = Math.min(WRITE_SPAN_LENGTH, geometry.pieceLength);
    const writer = new SpanWriter({
      fd,
      path,
      size,
      spanLength,
      maxSpans: Math.floor((resources.shareOf(MAX_WRITE_SPANS) * WRITE_SPAN_LENGTH) / spanLength),
      ...(spanLength === geometry.pieceLength && {
        store: (offset: number, bytes: Uint8Array<SharedArrayBuffer>) =>
          resources.pool.storePiece({ path, fd }, offset, bytes),
      }),
      onPressure: (paused) => file?.pause(paused),
      onError: options.onFailure,
    });
    file = new LocalFile(
      options,
      { type: "part", part, writer, journal },
      new SpanReader({ fd, path, size, maxSpans: resources.shareOf(MAX_READ_SPANS) }),
      new Bitfield(geometry.pieceCount),
    );
    try {
      await file.#resume(journal, part);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** All pieces are verified. */
  get isComplete(): boolean {
    return this.#have.isFull;
  }

  /** It stood complete under its final name before this run. */
  get existed(): boolean {
    return this.#open.type === "final";
  }

  /** Begins to trade the file's pieces. */
  run(parts: {
    readonly node: Node;
    readonly swarm: Swarm;
    readonly onCompleted: () => void;
    readonly onVerified: () => void;
  }): TransferRunner {
    const { metainfo, resources, onFailure } = this.#options;
    const { node, swarm } = parts;
    this.#swarm = swarm;
    const open = this.#open;
    this.#runner = new TransferRunner({
      transfer: new Transfer({
        geometry: metainfo.geometry,
        expected: (piece) => expectedDigest(metainfo, piece),
        have: this.#have,
        uploadBucket: node.uploadBucket,
        downloadBucket: node.downloadBucket,
        random: chance,
        now: monotonicMs(),
      }),
      metainfo,
      content: {
        path: open.type === "part" ? open.part.path : open.source.path,
        fd: open.type === "part" ? open.part.fd : open.source.fd,
        reader: this.#reader,
        writer: open.type === "part" ? open.writer : undefined,
        onVerified: (piece) => {
          if (open.type === "part") open.journal.verified(piece, monotonicMs());
          parts.onVerified();
        },
      },
      pool: resources.pool,
      peerOf: (handle) => swarm.peer(handle),
      banDisconnected: (handle) => swarm.banDisconnected(handle),
      onCompleted: parts.onCompleted,
      onPieceFailed: (piece) =>
        resources.context.logger.debug(`piece ${piece} failed its hash and is fetched again`),
      onFailure,
    });
    return this.#runner;
  }

  /** The disk is behind, or has caught up. */
  pause(paused: boolean): void {
    this.#swarm?.setPaused(paused);
    this.#runner?.dispatch({ type: "paused", paused });
  }

  /** Puts the complete file under its final name. @returns its path. @throws DestinationError, DiskError */
  async finish(): Promise<string> {
    if (this.#open.type === "final") return this.#open.source.path;
    const { part, writer, journal } = this.#open;
    clearInterval(this.#timer);
    await writer.flush(0, part.size);
    const { path } = await part.finish();
    await journal.forget();
    this.#finished = true;
    return path;
  }

  /** Records what is verified and lets go of the file. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#runner?.stop();
    if (this.#open.type === "final") {
      await this.#reader.close();
      await this.#open.source.close();
      return;
    }
    const { part, writer, journal } = this.#open;
    await writer.close();
    if (!this.#finished) await journal.close();
    await this.#reader.close();
    await part.close();
  }

  /** A file of the right size stands at the final name: it is the wanted one or nobody's business. */
  static async #adopt(options: LocalFileOptions, path: string): Promise<LocalFile> {
    const { metainfo, resources, onProgress } = options;
    const { geometry, pieces } = metainfo;
    const source = await SourceFile.open(path, "/");
    try {
      const known = resources.store.hashedFile(source.stamp, geometry.pieceLength)?.pieces;
      const found =
        known ??
        (await resources.pool.hashRange({
          path: source.path,
          fd: source.fd,
          offset: 0,
          length: geometry.length,
          pieceLength: geometry.pieceLength,
          onProgress,
          signal: resources.context.signal,
        }));
      if (!bytesEqual(found, pieces)) {
        throw new DestinationError(
          `${path}: already exists with other content; move it away or choose another --dir`,
        );
      }
      const reader = new SpanReader({
        fd: source.fd,
        path: source.path,
        size: geometry.length,
        maxSpans: resources.shareOf(MAX_READ_SPANS),
      });
      return new LocalFile(options, { type: "final", source }, reader, Bitfield.full(geometry.pieceCount));
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** Takes over what the journal trusts, and hashes what the part file may hold besides. */
  async #resume(journal: ResumeJournal, { path, fd }: PartFile): Promise<void> {
    const { trusted, recheck } = journal.restore();
    trusted.forEachSet((piece) => this.#have.set(piece));
    if (recheck.length === 0) return;
    const { metainfo, resources, onProgress } = this.#options;
    const { geometry } = metainfo;
    let done = 0;
    for (const run of consecutive(recheck)) {
      const [first] = run;
      if (first === undefined) continue;
      const offset = geometry.pieceOffset(first);
      const length = run.reduce((sum, piece) => sum + geometry.lengthOfPiece(piece), 0);
      const before = done;
      const digests = await resources.pool.hashRange({
        path,
        fd,
        offset,
        length,
        pieceLength: geometry.pieceLength,
        exclusive: true,
        onProgress: (bytes) => onProgress(before + bytes),
        signal: resources.context.signal,
      });
      done += length;
      for (const [at, piece] of run.entries()) {
        const digest = digests.subarray(at * SHA1_LENGTH, (at + 1) * SHA1_LENGTH);
        if (!bytesEqual(digest, expectedDigest(metainfo, piece))) {
          journal.refuted(piece);
          continue;
        }
        this.#have.set(piece);
        journal.verified(piece, monotonicMs());
      }
    }
  }
}

/** Splits ascending pieces into stretches without a gap: each is hashed in one go. */
function consecutive(pieces: readonly PieceIndex[]): PieceIndex[][] {
  const runs: PieceIndex[][] = [];
  for (const piece of pieces) {
    const last = runs.at(-1);
    if (last !== undefined && last.at(-1) === piece - 1) last.push(piece);
    else runs.push([piece]);
  }
  return runs;
}
