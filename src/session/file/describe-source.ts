// Makes the metainfo of a file to be served: from the store when the file is unchanged, else by hashing all of it in
// the workers. A file that changes meanwhile gives no metainfo.
import { checkFileName, printable } from "../../core/format/file-name.ts";
import { createMetainfo, type Metainfo } from "../../core/format/metainfo.ts";
import { MAX_SERVABLE_LENGTH, pieceLengthFor } from "../../core/torrent/piece-length.ts";
import { HashFailure } from "../../hashing/hash-failure.ts";
import type { HashPool } from "../../hashing/hash-pool.ts";
import { IntegrityError, SourceError } from "../../lib/errors.ts";
import { formatBytes } from "../../lib/units.ts";
import type { SourceFile } from "../../storage/source-file.ts";
import type { SessionContext } from "../context.ts";
import type { Resources } from "../resources.ts";

export interface DescribedSource {
  readonly metainfo: Metainfo;
  /** The file was not read: it is the one that was hashed before. */
  readonly cached: boolean;
}

/**
 * @throws SourceError for a name or size that cannot be shared or a file that cannot be read.
 * @throws IntegrityError when the file changed while it was hashed.
 */
export async function describeSource(
  source: SourceFile,
  resources: Resources,
  onProgress: (doneBytes: number) => void,
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
  const known = resources.store.hashedFile(stamp, pieceLength);
  if (known !== undefined) {
    return { metainfo: createMetainfo(name, size, pieceLength, known.pieces), cached: true };
  }
  const pieces = await hashSource(source, pieceLength, resources, onProgress);
  if (await source.changed()) throw changedError(source);
  resources.store.rememberHashedFile({ stamp, pieceLength, pieces });
  return { metainfo: createMetainfo(name, size, pieceLength, pieces), cached: false };
}

/** What hashing takes of a workbench. */
interface Hashing {
  readonly pool: Pick<HashPool, "hashRange">;
  readonly context: Pick<SessionContext, "signal">;
}

/**
 * SHA-1 of all pieces. @throws IntegrityError when the file became shorter, SourceError when it cannot be read, HashFailure
 * when it is not the file's fault.
 */
export async function hashSource(
  source: Pick<SourceFile, "path" | "fd" | "size">,
  pieceLength: number,
  resources: Hashing,
  onProgress: (doneBytes: number) => void,
): Promise<Uint8Array> {
  try {
    return await resources.pool.hashRange({
      path: source.path,
      fd: source.fd,
      offset: 0,
      length: source.size,
      pieceLength,
      onProgress,
      signal: resources.context.signal,
    });
  } catch (error) {
    if (!(error instanceof HashFailure)) throw error;
    if (error.code === "ESHORT") throw changedError(source, error);
    if (error.code === "EWORKER") throw error;
    throw new SourceError(`${source.path}: cannot be read (${error.code}); check the file and its disk`, {
      cause: error,
    });
  }
}

export function changedError(source: Pick<SourceFile, "path">, cause?: unknown): IntegrityError {
  return new IntegrityError(
    `${source.path}: changed while it was being shared; serve it again when it is finished`,
    {
      cause,
    },
  );
}
