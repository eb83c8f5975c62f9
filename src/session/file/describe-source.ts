// Makes the metainfo of a file to be served: from the store when the file is unchanged, else by hashing all of it in
// the workers. A file that changes meanwhile gives no metainfo.
import { checkFileName, printable } from "../../core/format/file-name.ts";
import { createMetainfo, type Metainfo } from "../../core/format/metainfo.ts";
import { MAX_SERVABLE_LENGTH, pieceLengthFor } from "../../core/torrent/piece-length.ts";
import { HashFailure } from "../../hashing/hash-failure.ts";
import type { HashPool } from "../../hashing/hash-pool.ts";
import { SourceError } from "../../lib/errors.ts";
import { SHA1_LENGTH } from "../../lib/sha1.ts";
import { formatBytes } from "../../lib/units.ts";
import type { SourceFile } from "../../storage/source-file.ts";
import type { StateStore } from "../../storage/state-store.ts";
import { servedFileFailure } from "./content-failure.ts";

export interface DescribedSource {
  readonly metainfo: Metainfo;
  /** The file was not read: it is the one that was hashed before. */
  readonly cached: boolean;
}

export interface DescribeOptions {
  readonly store: Pick<StateStore, "hashedFile" | "rememberHashedFile">;
  readonly pool: Pick<HashPool, "hashRange">;
  /** Aborted: the hashing ends with its reason. */
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number) => void;
}

/** What describing uses of a file. */
export type DescribableFile = Pick<SourceFile, "path" | "fd" | "name" | "size" | "stamp" | "changed">;

/**
 * @throws SourceError for a name or size that cannot be shared or a file that cannot be read.
 * @throws IntegrityError when the file changed while it was hashed.
 * @throws HashFailure when the workers died.
 */
export async function describeSource(
  source: DescribableFile,
  options: DescribeOptions,
): Promise<DescribedSource> {
  const { name, size, stamp } = source;
  const problem = checkFileName(name);
  if (problem !== undefined) {
    throw new SourceError(`${printable(source.path)}: its name ${problem}; rename it or serve a link to it`);
  }
  if (size > MAX_SERVABLE_LENGTH) {
    throw new SourceError(
      `${source.path}: is larger than the ${formatBytes(MAX_SERVABLE_LENGTH)} that can be shared`,
    );
  }
  const pieceLength = pieceLengthFor(size);
  const known = options.store.hashedFile(stamp, pieceLength);
  // The state file says which content was hashed; how many hashes that gives is known without it.
  if (known?.pieces.length === Math.ceil(size / pieceLength) * SHA1_LENGTH) {
    return { metainfo: createMetainfo(name, size, pieceLength, known.pieces), cached: true };
  }
  const pieces = await hashAll(source, pieceLength, options);
  if (await source.changed()) throw servedFileFailure(source.path);
  options.store.rememberHashedFile({ stamp, pieceLength, pieces });
  return { metainfo: createMetainfo(name, size, pieceLength, pieces), cached: false };
}

async function hashAll(
  { path, fd, size }: DescribableFile,
  pieceLength: number,
  { pool, signal, onProgress }: DescribeOptions,
): Promise<Uint8Array> {
  try {
    return await pool.hashRange({ path, fd, offset: 0, length: size, pieceLength, onProgress, signal });
  } catch (error) {
    throw error instanceof HashFailure ? servedFileFailure(path, error) : error;
  }
}
