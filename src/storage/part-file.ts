// The hidden file into which a download grows, beside its final place: opened and locked for this process alone, given
// its space at once, put under its final name without replacing anything. Knows nothing of pieces; others write into `fd`.
import { constants, type BigIntStats } from "node:fs";
import { lstat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { InfoHash } from "../core/torrent/ids.ts";
import { MAX_PART_OPEN_ATTEMPTS } from "./limits.ts";
import { BusyError, DestinationError, P2pfileError, systemErrorCode } from "../lib/errors.ts";
import { checkName, directoryErrorOf, prepareDirectory } from "./destination.ts";
import { diskErrorOf } from "./disk-error.ts";
import { statsOf } from "./file-stamp.ts";
import { canCallLibc, type LibcResult, lockExclusively } from "./libc.ts";
import { lockHolder } from "./lock-holder.ts";
import { partFileName } from "./own-files.ts";
import { reserveSpace } from "./part-space.ts";
import { putIntoPlace, syncDirectory } from "./put-into-place.ts";
import { closeFile, openFile, syncData, truncateFile } from "./positioned-io.ts";
import { type ByteRange, writtenRanges } from "./written-ranges.ts";

/** Not in node's constants: the descriptor does not pass to child processes, and with it the lock. */
const O_CLOEXEC = 0o2000000;
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | O_CLOEXEC;
/** The kernel takes away what the user's umask forbids, here and so in the finished file. */
const MODE = 0o666;

export interface PartFileOptions {
  readonly directory: string;
  /** The final name: one plain component. */
  readonly name: string;
  readonly infoHash: InfoHash;
  /** Bytes of the complete file, > 0. */
  readonly size: number;
}

export class PartFile {
  readonly fd: number;
  /** Absolute path of the part file. */
  readonly path: string;
  /** Absolute path under which it will stand when complete. */
  readonly finalPath: string;
  readonly inode: bigint;
  readonly size: number;
  /** A part file of the right size was there: it may hold pieces of an earlier run. */
  readonly existed: boolean;
  /** What this system does not do for the download and what to do instead, in one line; undefined when all is well. */
  readonly missing: string | undefined;
  readonly #directory: string;
  #open = true;

  private constructor(fd: number, place: Place, size: number, found: Locked) {
    this.fd = fd;
    this.path = place.path;
    this.finalPath = place.finalPath;
    this.#directory = place.directory;
    this.inode = found.inode;
    this.size = size;
    this.existed = found.existed;
    this.missing = missingOf(found.lock, place.finalPath);
  }

  /**
   * @throws BusyError when another process holds this download.
   * @throws DestinationError when the directory or the name cannot be used.
   * @throws DiskError when there is not enough space; nothing stays reserved, and a file made here is removed.
   */
  static async open(options: PartFileOptions): Promise<PartFile> {
    const place = await placeOf(options);
    for (let attempt = 0; attempt < MAX_PART_OPEN_ATTEMPTS; attempt++) {
      const fd = await openPart(place);
      try {
        const locked = await lockPart(fd, place, options.size);
        if (locked !== undefined) {
          await giveSpace(fd, place, options.size, locked.existed);
          return new PartFile(fd, place, options.size, locked);
        }
      } catch (error) {
        await closeFile(fd);
        throw error;
      }
      await closeFile(fd);
    }
    throw new BusyError(
      `${place.path}: other processes keep taking this download; try again when they are done`,
    );
  }

  /**
   * After a kill between the two last steps of `finish` the part file is a second name of the complete file. This
   * removes it, and nothing else: a part file that is not the same file as the final one stays.
   */
  static async removeStray(options: Omit<PartFileOptions, "size">): Promise<void> {
    const path = join(options.directory, partFileName(options.name, options.infoHash));
    try {
      const part = await lstat(path, { bigint: true });
      const final = await lstat(join(options.directory, options.name), { bigint: true });
      if (part.isFile() && part.dev === final.dev && part.ino === final.ino) await unlink(path);
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT") throw directoryErrorOf(options.directory, error);
    }
  }

  /** Where something was written, by this run or an earlier one; empty where the file system does not tell. */
  written(): readonly ByteRange[] {
    return writtenRanges(this.fd);
  }

  /** Brings all written data to the disk. @throws DiskError; the data since the last good sync is then unknown. */
  async sync(): Promise<void> {
    try {
      await syncData(this.fd);
    } catch (error) {
      throw diskErrorOf(`cannot bring ${this.path} to the disk`, error);
    }
  }

  /**
   * Puts the complete file under its final name: data synced, linked, directory synced, part name removed, directory
   * synced. A kill at any point leaves the final name absent or complete. The descriptor stays usable.
   * @returns the final path.
   * @throws DestinationError when something stands there by now; the part file is kept.
   * @throws DiskError when the data cannot be brought to the disk or the file was changed by somebody else.
   */
  async finish(): Promise<string> {
    await this.sync();
    await putIntoPlace({
      fd: this.fd,
      inode: this.inode,
      size: this.size,
      path: this.path,
      finalPath: this.finalPath,
      directory: this.#directory,
    });
    return this.finalPath;
  }

  /** Releases the lock. The part file stays, for the next run. No read or write may be under way. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await closeFile(this.fd);
  }
}

interface Place {
  readonly directory: string;
  readonly path: string;
  readonly finalPath: string;
}

interface Locked {
  readonly inode: bigint;
  readonly existed: boolean;
  /** Anything but undefined: it is held without a lock. */
  readonly lock: LibcResult;
}

async function placeOf(options: PartFileOptions): Promise<Place> {
  checkName(options.name);
  const directory = await prepareDirectory(options.directory);
  return {
    directory,
    path: join(directory, partFileName(options.name, options.infoHash)),
    finalPath: join(directory, options.name),
  };
}

async function openPart(place: Place): Promise<number> {
  try {
    return await openFile(place.path, OPEN_FLAGS, MODE);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ELOOP" || code === "EISDIR" || code === "ENXIO") throw notOurs(place);
    if (code === "ENOSPC" || code === "EDQUOT" || code === "EIO") {
      throw diskErrorOf(`cannot create ${place.path}`, error);
    }
    // Refused may be the directory, or a part file that another user left (a first run as root).
    const refused = (await exists(place.path)) ? place.path : place.directory;
    throw directoryErrorOf(refused, error);
  }
}

/** @returns undefined when the name came to mean another file in the meantime: open it again. */
async function lockPart(fd: number, place: Place, size: number): Promise<Locked | undefined> {
  const stats = await statsOf(fd);
  if (!stats.isFile()) throw notOurs(place);
  const lock = lockExclusively(fd);
  if (lock === "EWOULDBLOCK") {
    const pid = await lockHolder(stats);
    const who = pid === undefined ? "another process" : `another process (pid ${pid})`;
    throw new BusyError(`${place.finalPath}: ${who} is downloading this file; wait for it or stop it`);
  }
  // Only now is it ours, so only now does its state count.
  const held = await statsOf(fd);
  if (!(await namesInode(place.path, held))) return undefined;
  if (held.nlink !== 1n) {
    // A second name belongs to somebody: never write into it.
    await unlink(place.path);
    return undefined;
  }
  if (held.size === BigInt(size)) return { inode: held.ino, existed: true, lock };
  if (held.size > 0n) await truncateFile(fd, 0);
  return { inode: held.ino, existed: false, lock };
}

async function namesInode(path: string, stats: BigIntStats): Promise<boolean> {
  try {
    const named = await lstat(path, { bigint: true });
    return named.ino === stats.ino && named.dev === stats.dev;
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

async function giveSpace(fd: number, place: Place, size: number, keep: boolean): Promise<void> {
  try {
    await reserveSpace({ fd, path: place.finalPath, directory: place.directory, size, keep });
    // The name must survive a power cut as well as the records that will speak of it.
    if (!keep) await syncDirectory(place.directory);
  } catch (error) {
    // Whatever was not kept is empty by now; an empty part file is of no use to anybody.
    if (!keep) await unlink(place.path);
    throw error instanceof P2pfileError
      ? error
      : diskErrorOf(`cannot reserve space for ${place.path}`, error);
  }
}

function missingOf(lock: LibcResult, path: string): string | undefined {
  if (!canCallLibc()) {
    return `${path}: the C library cannot be called here, so the download is not locked and its space not reserved; do not start it twice at once, and keep enough space free`;
  }
  return lock === undefined
    ? undefined
    : `${path}: the file system does not lock files (${lock}); do not start this download twice at once`;
}

function notOurs(place: Place): DestinationError {
  return new DestinationError(`${place.path}: is not a regular file; move it away or choose another --dir`);
}
