// Whether a file that stands under one of our names is one that we made: a regular file with no other name, of the owner and
// mode that a file made by us has in that directory. Looks at a file without opening it.
import { closeSync, constants, fstatSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../lib/errors.ts";
import { probeFileName } from "./own-files.ts";
import { type Access, OTHERS_WRITE, ownUid } from "./private-directory.ts";

/** What is looked at. */
export interface FileTraits extends Access {
  readonly nlink: bigint;
  isFile(): boolean;
}

const PROBE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** The kernel takes away what the user's umask forbids. */
const PROBE_MODE = 0o666;

/**
 * @param made a file that we just made in the same directory.
 * @returns why the file is not one of ours, in words that follow its name; undefined when it is.
 */
export function strangeTrait(found: FileTraits, made: Access): string | undefined {
  if (!found.isFile()) return "is not a regular file";
  if (found.nlink > 1n) return "has a second name";
  if (found.uid !== made.uid) return "belongs to another user";
  // Some file systems show every file as writable to all.
  return (found.mode & ~made.mode & OTHERS_WRITE) === 0n ? undefined : "can be written by other users";
}

/** `strangeTrait` of a file in `directory`, which no other user can write to. @throws the system's error. */
export function strangeTraitIn(directory: string, found: FileTraits): string | undefined {
  const usual = { uid: ownUid(), mode: 0o600n };
  const trait = strangeTrait(found, usual);
  // Only owner and mode depend on the file system, and they are usually the usual ones.
  if (trait === undefined || !found.isFile() || found.nlink > 1n) return trait;
  return strangeTrait(found, probe(directory));
}

/** Makes a file, looks at it, and removes it. */
function probe(directory: string): Access {
  const path = join(directory, probeFileName(process.pid));
  const fd = openAnew(path);
  try {
    return fstatSync(fd, { bigint: true });
  } finally {
    closeSync(fd);
    rmSync(path, { force: true });
  }
}

function openAnew(path: string): number {
  try {
    return openSync(path, PROBE_FLAGS, PROBE_MODE);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    // A kill between the making and the removing left it, and the process id has come round.
    rmSync(path, { force: true });
    return openSync(path, PROBE_FLAGS, PROBE_MODE);
  }
}
