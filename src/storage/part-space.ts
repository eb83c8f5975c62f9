// Reserves the space of a part file before the first byte is fetched, and gives it back when it cannot have all of it: a
// reservation that fails half way keeps what it got and would leave the disk full. Never touches bytes already written.
import { statfs } from "node:fs/promises";
import { ALLOCATION_STEP_LENGTH, DISK_RESERVE_LENGTH } from "./limits.ts";
import { DiskError } from "../lib/errors.ts";
import { TMPFS } from "../lib/file-systems.ts";
import { formatBytes } from "../lib/units.ts";
import { diskErrorOf, diskErrorOfCode } from "./disk-error.ts";
import { statsOf } from "./file-stamp.ts";
import { allocate } from "./libc.ts";
import { truncateFile } from "./positioned-io.ts";

/** Sectors in which every Linux file system counts `blocks`. */
const SECTOR_LENGTH = 512n;
/** Codes of a file system that cannot reserve: the file is then only given its length. */
const CANNOT_RESERVE = new Set(["EOPNOTSUPP", "ENOSYS", "ENODEV", "EINVAL"]);

export interface SpaceRequest {
  readonly fd: number;
  /** Of the part file, and for the words of the error. */
  readonly path: string;
  readonly directory: string;
  readonly size: number;
  /** The file is of an earlier run: none of its bytes is given up, and with its full length it stays as it is. */
  readonly keep: boolean;
}

/** @throws DiskError with the sizes when there is not enough room. */
export async function reserveSpace(request: SpaceRequest): Promise<void> {
  const { fd, path, directory, size, keep } = request;
  const stats = await statsOf(fd);
  // The length comes last. With it, what an earlier run's file lacks are holes, and to fill them would make a sparse file dense.
  if (keep && stats.size === BigInt(size)) return;
  const held = Number(stats.blocks * SECTOR_LENGTH);
  const missing = Math.max(0, size - held);
  if (missing === 0) return;
  // tmpfs reserves by clearing every page, a tenth of the work of a whole download into memory.
  if ((await checkFreeSpace(directory, path, size, missing)) === TMPFS)
    return await setLength(fd, path, size);
  for (let offset = 0; offset < size; offset += ALLOCATION_STEP_LENGTH) {
    const code = allocate(fd, offset, Math.min(ALLOCATION_STEP_LENGTH, size - offset));
    if (code === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    if (CANNOT_RESERVE.has(code)) return await setLength(fd, path, size);
    if (!keep) await truncateFile(fd, 0);
    throw diskErrorOfCode(`cannot reserve ${formatBytes(size)} for ${path}`, code);
  }
}

/** @returns the type of the file system, as statfs(2) has it. */
async function checkFreeSpace(
  directory: string,
  path: string,
  size: number,
  missing: number,
): Promise<number> {
  const { bavail, blocks, bsize, type } = await statfs(directory);
  const free = bavail * bsize;
  // Some file systems in user space do not report their size.
  if (blocks === 0 || free >= missing + DISK_RESERVE_LENGTH) return type;
  throw new DiskError(
    `not enough space in ${directory} for ${path}: ${formatBytes(size)} needs ${formatBytes(missing)} more and ` +
      `${formatBytes(DISK_RESERVE_LENGTH)} of reserve, ${formatBytes(free)} is free; free some or choose another --dir`,
  );
}

async function setLength(fd: number, path: string, size: number): Promise<void> {
  try {
    await truncateFile(fd, size);
  } catch (error) {
    throw diskErrorOf(`cannot give ${path} its length of ${formatBytes(size)}`, error);
  }
}
