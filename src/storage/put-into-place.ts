// The last step of a download: the synced part file gets its final name, atomically and without replacing anything.
import { constants } from "node:fs";
import { link, lstat, unlink } from "node:fs/promises";
import { DestinationError, DiskError, P2pfileError, systemErrorCode } from "../lib/errors.ts";
import { formatBytes } from "../lib/units.ts";
import { diskErrorOf } from "./disk-error.ts";
import { statsOf } from "./file-stamp.ts";
import { renameWithoutReplacing } from "./libc.ts";
import { closeFile, openFile, syncAll } from "./positioned-io.ts";

export interface Placement {
  readonly fd: number;
  readonly inode: bigint;
  readonly size: number;
  /** Of the part file. */
  readonly path: string;
  readonly finalPath: string;
  /** That holds the part file. */
  readonly directory: string;
  /** That holds the final name. */
  readonly finalDirectory: string;
}

/** Answers of file systems without hard links (FAT, some in user space) and of kernels that guard them. */
const LINK_REFUSED = new Set(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EMLINK", "EXDEV", "EINVAL"]);
/** A directory that cannot be synced (some file systems in user space) is no reason to fail: there is nothing to do. */
const SYNC_REFUSED = new Set(["EINVAL", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"]);

/**
 * The data must be synced before.
 * @throws DestinationError when something stands under the final name; the part file is kept.
 * @throws DiskError when the part file is no longer what was written.
 */
export async function putIntoPlace(placement: Placement): Promise<void> {
  const { path, finalPath, directory, finalDirectory } = placement;
  try {
    await checkUntouched(placement);
    const linked = await linkInto(path, finalPath);
    await syncDirectory(finalDirectory);
    if (!linked) return;
    await unlink(path);
    await syncDirectory(directory);
  } catch (error) {
    throw error instanceof P2pfileError
      ? error
      : diskErrorOf(`cannot put ${path} under its name ${finalPath}`, error);
  }
}

/** Makes the names in a directory survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const fd = await openFile(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await syncAll(fd);
  } catch (error) {
    if (!SYNC_REFUSED.has(systemErrorCode(error) ?? "")) throw diskErrorOf(`cannot sync ${directory}`, error);
  } finally {
    await closeFile(fd);
  }
}

async function checkUntouched(placement: Placement): Promise<void> {
  const { fd, inode, size, path } = placement;
  const length = Number((await statsOf(fd)).size);
  if (length !== size) {
    throw new DiskError(
      `${path}: was changed by another program (${formatBytes(length)} instead of ${formatBytes(size)}); ` +
        `run the same command again`,
    );
  }
  const named = await lstat(path, { bigint: true }).catch(() => undefined);
  if (named?.ino !== inode) {
    throw new DiskError(`${path}: was moved or removed while it was downloaded; run the same command again`);
  }
}

/** @returns true when the part name still exists beside the final one. */
async function linkInto(path: string, finalPath: string): Promise<boolean> {
  try {
    await link(path, finalPath);
    return true;
  } catch (error) {
    const code = systemErrorCode(error) ?? "";
    if (code === "EEXIST") throw occupied(path, finalPath, error);
    if (!LINK_REFUSED.has(code)) throw error;
  }
  const code = renameWithoutReplacing(path, finalPath);
  if (code === undefined) return false;
  if (code === "EEXIST") throw occupied(path, finalPath);
  throw new DestinationError(
    `${finalPath}: this file system can neither link nor rename without replacing (${code}); ` +
      `the complete file is ${path}, move it by hand`,
  );
}

function occupied(path: string, finalPath: string, cause?: unknown): DestinationError {
  return new DestinationError(
    `${finalPath}: already exists and is another file; move it away and run the same command again, ` +
      `the complete download waits in ${path}`,
    { cause },
  );
}
