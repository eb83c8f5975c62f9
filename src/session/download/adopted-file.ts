// A file of the right size that stands under the final name of a download before the download begins: the wanted one, or in
// the way.
import { Bitfield } from "../../core/torrent/bitfield.ts";
import { bytesEqual } from "../../lib/bytes.ts";
import { DestinationError } from "../../lib/errors.ts";
import { MAX_READ_SPANS } from "../../storage/limits.ts";
import { SourceFile } from "../../storage/source-file.ts";
import type { StampedFile } from "../../storage/stamped-file.ts";
import { SpanContent } from "../file/span-content.ts";
import type { LocalFile, LocalFileOptions } from "./local-file-types.ts";

export class AdoptedFile implements LocalFile {
  readonly content: SpanContent;
  readonly have: Bitfield;
  readonly unchecked: Bitfield;
  readonly existed = true;
  readonly #source: SourceFile;

  private constructor(source: SourceFile, { metainfo, resources }: LocalFileOptions) {
    this.#source = source;
    const { pieceCount } = metainfo.geometry;
    this.have = Bitfield.full(pieceCount);
    this.unchecked = new Bitfield(pieceCount);
    this.content = new SpanContent({
      file: source,
      size: source.size,
      pool: resources.pool,
      readSpans: resources.shareOf(MAX_READ_SPANS),
    });
  }

  /** @throws DestinationError when it has other content. @throws SourceError or HashFailure when it cannot be read. */
  static async open(options: LocalFileOptions, path: string): Promise<AdoptedFile> {
    const source = await SourceFile.open(path, "/");
    try {
      if (!bytesEqual(await digestsOf(source, options), options.metainfo.pieces)) {
        throw new DestinationError(
          `${path}: already exists with other content; move it away or choose another --dir`,
        );
      }
      return new AdoptedFile(source, options);
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** Every piece was hashed at the opening. */
  check(): Promise<void> {
    return Promise.resolve();
  }

  /** Every piece was verified before. */
  verified(): void {}

  finish(): Promise<StampedFile> {
    return Promise.resolve(this.#source);
  }

  async close(): Promise<void> {
    await this.content.close();
    await this.#source.close();
  }
}

/** Of a file that was hashed before, from the store; they are remembered unless it changed while it was hashed. */
async function digestsOf(source: SourceFile, options: LocalFileOptions): Promise<Uint8Array> {
  const { metainfo, resources, onProgress } = options;
  const { store, pool, context } = resources;
  const { length, pieceLength } = metainfo.geometry;
  const { stamp, path, fd } = source;
  const known = store.hashedFile(stamp, pieceLength);
  if (known !== undefined) return known.pieces;
  const pieces = await pool.hashRange({
    path,
    fd,
    offset: 0,
    length,
    pieceLength,
    onProgress,
    signal: context.signal,
  });
  if (!(await source.changed())) store.rememberHashedFile({ stamp, pieceLength, pieces });
  return pieces;
}
