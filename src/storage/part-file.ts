// The hidden file into which a download grows, beside its final place: opened and locked for this process alone, given
// its space at once, put under its final name without replacing anything. Knows nothing of pieces; others write into `fd`.
import { unlink } from "node:fs/promises";
import { P2pfileError } from "../lib/errors.ts";
import { diskErrorOf } from "./disk-error.ts";
import { stampOf } from "./file-stamp.ts";
import { canCallLibc, type LibcResult } from "./libc.ts";
import { type LockedPart, type LockFile, openLockedPart } from "./part-lock.ts";
import { type DownloadPlace, findPartPlace, leavePlace, type PlaceOptions } from "./part-place.ts";
import { reserveSpace } from "./part-space.ts";
import { putIntoPlace, syncDirectory } from "./put-into-place.ts";
import { closeFile, syncData } from "./positioned-io.ts";
import { StampedFile } from "./stamped-file.ts";
import type { FileStamp, FileTimes } from "./state-store.ts";
import { type ByteRange, writtenRanges } from "./written-ranges.ts";

export interface PartFileOptions extends PlaceOptions {
  /** Bytes of the complete file, > 0. */
  readonly size: number;
  /** How the file is locked; flock(2) when not given. */
  readonly lock?: LockFile;
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
  /** The times that it had when it was opened. */
  readonly times: FileTimes;
  /** What this system does not do for the download and what to do instead, in one line; undefined when all is well. */
  readonly missing: string | undefined;
  readonly #place: DownloadPlace;
  #open = true;

  private constructor(place: DownloadPlace, size: number, found: LockedPart) {
    this.fd = found.fd;
    this.path = place.path;
    this.finalPath = place.finalPath;
    this.#place = place;
    this.inode = found.inode;
    this.size = size;
    this.existed = found.existed;
    this.times = found.times;
    this.missing = missingOf(found.lock, place);
  }

  /**
   * @throws BusyError when another process holds this download.
   * @throws DestinationError when the directory or the name cannot be used.
   * @throws DiskError when there is not enough space; nothing stays reserved, and a file made here is removed.
   */
  static async open(options: PartFileOptions): Promise<PartFile> {
    const place = await findPartPlace(options);
    try {
      return await PartFile.#openIn(place, options);
    } catch (error) {
      await leavePlace(place);
      throw error;
    }
  }

  static async #openIn(place: DownloadPlace, options: PartFileOptions): Promise<PartFile> {
    const locked = await openLockedPart(place, options.size, options.lock);
    try {
      await giveSpace(locked.fd, place, options.size, locked.existed);
      return new PartFile(place, options.size, locked);
    } catch (error) {
      await closeFile(locked.fd);
      throw error;
    }
  }

  /** Where something was written, by this run or an earlier one; empty where the file system does not report it. */
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
   * Called when all writes of this process have ended: their last one made the file's time.
   * @returns the file under its final name, with the stamp that it has when no other process has written to it since: it is
   *   `changed()` otherwise.
   * @throws DestinationError when something stands there by now; the part file is kept.
   * @throws DiskError when the data cannot be brought to the disk or another program changed the file.
   */
  async finish(): Promise<StampedFile> {
    const own = await this.#stamp();
    await this.sync();
    await putIntoPlace({
      fd: this.fd,
      inode: this.inode,
      size: this.size,
      path: this.path,
      finalPath: this.finalPath,
      directory: this.#place.directory,
      finalDirectory: this.#place.finalDirectory,
    });
    // The links changed the time of the inode; a write changes the time of the content.
    const { ctimeNs } = await this.#stamp();
    return new StampedFile(this.fd, this.finalPath, { ...own, ctimeNs });
  }

  /** Releases the lock. The part file stays, for the next run if that can find it. No read or write may be under way. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await closeFile(this.fd);
    await leavePlace(this.#place);
  }

  /** @throws DiskError */
  async presentTimes(): Promise<FileTimes> {
    const { mtimeNs, ctimeNs } = await this.#stamp();
    return { mtimeNs, ctimeNs };
  }

  async #stamp(): Promise<FileStamp> {
    try {
      return await stampOf(this.fd);
    } catch (error) {
      throw diskErrorOf(`cannot look at ${this.path}`, error);
    }
  }
}

async function giveSpace(fd: number, place: DownloadPlace, size: number, keep: boolean): Promise<void> {
  try {
    await reserveSpace({ fd, path: place.finalPath, directory: place.directory, size, keep });
    // The name must survive a power cut as well as the records that will speak of it.
    if (!keep) await syncDirectory(place.directory);
  } catch (error) {
    // Made by this run, it is empty by now and of no use.
    if (!keep) await unlink(place.path);
    throw error instanceof P2pfileError
      ? error
      : diskErrorOf(`cannot reserve space for ${place.path}`, error);
  }
}

function missingOf(lock: LibcResult, { finalPath: path, problem }: DownloadPlace): string | undefined {
  if (problem !== undefined)
    return `${problem}: the progress of ${path} is lost when it is stopped. Move that away, or choose another --dir`;
  if (!canCallLibc()) {
    return `${path}: the C library cannot be called here, so the download is not locked and its space not reserved; do not start it twice at once, and keep enough space free`;
  }
  return lock === undefined
    ? undefined
    : `${path}: the file system does not lock files (${lock}); do not start this download twice at once`;
}
