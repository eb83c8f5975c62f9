// Opens the hidden file of a download for this process alone: the name is opened, the file is locked, and only a file that
// still stands under its name after that is used.
import { constants, type BigIntStats } from "node:fs";
import { lstat, unlink } from "node:fs/promises";
import { MAX_PART_OPEN_ATTEMPTS } from "./limits.ts";
import { BusyError, DestinationError, systemErrorCode } from "../lib/errors.ts";
import { O_CLOEXEC } from "../lib/open-flags.ts";
import { creationErrorOf } from "./creation-error.ts";
import { directoryErrorOf } from "./destination.ts";
import { statsOf } from "./file-stamp.ts";
import { type LibcResult, lockExclusively } from "./libc.ts";
import { lockHolder } from "./lock-holder.ts";
import { strangeTraitIn } from "./own-file-check.ts";
import { closeFile, openFile, truncateFile } from "./positioned-io.ts";
import type { FileTimes } from "./state-store.ts";

/** Not in node's constants: the descriptor does not pass to child processes, and with it the lock. */
const OPEN_FLAGS =
  constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK | O_CLOEXEC;
/** The kernel takes away what the user's umask forbids, here and so in the finished file. */
const MODE = 0o666;

/** Where the parts of a download stand: absolute paths. */
export interface PartPlace {
  /** Of the part file; no other user can write to it. */
  readonly directory: string;
  /** Of the part file. */
  readonly path: string;
  readonly finalPath: string;
}

export interface LockedPart {
  readonly fd: number;
  readonly inode: bigint;
  /** As it was found, before anything changed it. */
  readonly times: FileTimes;
  /** It has the right size already: it may hold pieces of an earlier run. */
  readonly existed: boolean;
  /** Anything but undefined: it is held without a lock. */
  readonly lock: LibcResult;
}

/** Takes an exclusive lock without waiting. */
export type LockFile = (fd: number) => LibcResult;

/**
 * @throws BusyError when another process holds this download, or processes keep taking it.
 * @throws DestinationError when the name or its directory cannot be used. @throws DiskError
 */
export async function openLockedPart(
  place: PartPlace,
  size: number,
  lockFile: LockFile = lockExclusively,
): Promise<LockedPart> {
  for (let attempt = 0; attempt < MAX_PART_OPEN_ATTEMPTS; attempt++) {
    const fd = await openPart(place);
    try {
      const locked = await lockPart(fd, place, size, lockFile);
      if (locked !== undefined) return locked;
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

async function openPart(place: PartPlace): Promise<number> {
  try {
    return await openFile(place.path, OPEN_FLAGS, MODE);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ELOOP" || code === "EISDIR" || code === "ENXIO") throw notOurs(place);
    const ofDisk = await creationErrorOf(place.path, error);
    if (ofDisk !== undefined) throw ofDisk;
    // The directory is refused, or a part file that another user left (a first run as root).
    const refused = (await exists(place.path)) ? place.path : place.directory;
    throw directoryErrorOf(refused, error);
  }
}

/** @returns undefined when the name has come to mean another file: it is to be opened again. */
async function lockPart(
  fd: number,
  place: PartPlace,
  size: number,
  lockFile: LockFile,
): Promise<LockedPart | undefined> {
  const stats = await statsOf(fd);
  if (!stats.isFile()) throw notOurs(place);
  const lock = lockFile(fd);
  if (lock === "EWOULDBLOCK") {
    const pid = await lockHolder(stats);
    const holder = pid === undefined ? "another process" : `another process (pid ${pid})`;
    throw new BusyError(`${place.finalPath}: ${holder} is downloading this file; wait for it or stop it`);
  }
  // Until the lock was taken its holder may have finished or removed it: only from now on does its state count.
  const held = await statsOf(fd);
  if (!(await namesInode(place.path, held))) return undefined;
  if (held.nlink !== 1n) {
    // Its other name is the user's: never write into it.
    await unlink(place.path);
    return undefined;
  }
  const trait = strangeTraitIn(place.directory, held);
  if (trait !== undefined) throw notOurs(place, trait);
  const found = { fd, inode: held.ino, times: { mtimeNs: held.mtimeNs, ctimeNs: held.ctimeNs }, lock };
  if (held.size === BigInt(size)) return { ...found, existed: true };
  if (held.size > 0n) await truncateFile(fd, 0);
  return { ...found, existed: false };
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

function notOurs(place: PartPlace, trait = "is not a regular file"): DestinationError {
  return new DestinationError(`${place.path}: ${trait}; move it away or choose another --dir`);
}
