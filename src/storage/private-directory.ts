// Where p2pfile keeps its own files of a directory: in the directory itself while no other user can write to it, else in a
// directory of this user's own inside it. Another user who can write to a directory can plant a name before we use it, and
// swap it afterwards.
import { lstatSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { DestinationError, systemErrorCode } from "../lib/errors.ts";
import { privateDirectoryName } from "./own-files.ts";

/** What decides who may touch a file or directory. */
export interface Access {
  readonly uid: bigint;
  readonly mode: bigint;
}

/** Write permission of the group and of all others. An access control list that lets another user write shows in the former. */
export const OTHERS_WRITE = 0o022n;
const PERMISSIONS = 0o777n;
const PRIVATE_MODE = 0o700;
const ROOT = 0n;

/** The directory for our files, absolute and without symbolic links; or why there is none. */
export type PrivateDirectory = { readonly path: string } | { readonly problem: string };

/**
 * True when a user other than `us` and root can make and rename files in the directory. A sticky bit does not help: it
 * protects names that stand there, not the ones that are still to be made.
 */
export function canOthersWrite({ uid, mode }: Access, us: bigint): boolean {
  return (uid !== us && uid !== ROOT) || (mode & OTHERS_WRITE) !== 0n;
}

/** @returns what keeps a directory that stands under our private name from being used; undefined when it is ours alone. */
export function foreignTrait(found: Access & { isDirectory(): boolean }, us: bigint): string | undefined {
  if (!found.isDirectory()) return "is not a directory";
  if (found.uid !== us) return "belongs to another user";
  const mode = found.mode & PERMISSIONS;
  return mode === BigInt(PRIVATE_MODE) ? undefined : `has mode ${mode.toString(8)} instead of 700`;
}

/**
 * Makes the directory of our own where one is needed.
 * @throws DestinationError when a link leads to a path that is not UTF-8. @throws the system's error.
 */
export function privateDirectory(directory: string): PrivateDirectory {
  const path = realpathSync(directory);
  // The runtime writes U+FFFD for bytes that are no text: the path would lead to another directory.
  if (path.includes("\uFFFD"))
    throw new DestinationError(
      `${directory}: leads to ${path}, which is not valid UTF-8; choose another one`,
    );
  const us = ownUid();
  if (!canOthersWrite(statSync(path, { bigint: true }), us)) return { path };
  const own = join(path, privateDirectoryName(us));
  try {
    mkdirSync(own, PRIVATE_MODE);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
  // Looked at also when it was just made: some file systems show owners and modes of their own.
  const trait = foreignTrait(lstatSync(own, { bigint: true }), us);
  return trait === undefined ? { path: own } : { problem: `${own} ${trait}` };
}

/** The owner of the files that this process makes. */
export function ownUid(): bigint {
  return BigInt(process.geteuid?.() ?? 0);
}
