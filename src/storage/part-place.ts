// Where a download grows: beside its destination, or, where other users can write to that directory, in one of our own inside it.
import { mkdtempSync } from "node:fs";
import { lstat, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { InfoHash } from "../core/torrent/ids.ts";
import { DestinationError, systemErrorCode } from "../lib/errors.ts";
import { creationErrorOf } from "./creation-error.ts";
import { checkName, directoryErrorOf, prepareDirectory } from "./destination.ts";
import { partFileName, privateDirectoryName } from "./own-files.ts";
import type { PartPlace } from "./part-lock.ts";
import { ownUid, privateDirectory } from "./private-directory.ts";

export interface DownloadPlace extends PartPlace {
  /** That holds the final name. */
  readonly finalDirectory: string;
  /** Why the part file is in a directory that only this run finds; undefined when the next one finds it. */
  readonly problem: string | undefined;
}

export interface PlaceOptions {
  readonly directory: string;
  /** The final name: one plain component. */
  readonly name: string;
  readonly infoHash: InfoHash;
}

/**
 * Makes the directories that are missing.
 * @throws DestinationError when the directory or the name cannot be used. @throws DiskError when the disk has no room.
 */
export async function findPartPlace({ directory, name, infoHash }: PlaceOptions): Promise<DownloadPlace> {
  checkName(name);
  const finalDirectory = await prepareDirectory(directory);
  const finalPath = join(finalDirectory, name);
  const partName = partFileName(name, infoHash);
  try {
    const found = privateDirectory(finalDirectory);
    const problem = "problem" in found ? found.problem : undefined;
    // Another user holds the name: one that was not foreseen keeps the download going.
    const own = "problem" in found ? makeTemporary(finalDirectory) : found.path;
    return { directory: own, path: join(own, partName), finalPath, finalDirectory, problem };
  } catch (error) {
    if (error instanceof DestinationError) throw error;
    const own = join(finalDirectory, privateDirectoryName(ownUid()));
    throw (await creationErrorOf(own, error)) ?? directoryErrorOf(finalDirectory, error);
  }
}

/** Removes a directory that no later run finds, with the part file in it. */
export async function leavePlace({ directory, path, problem }: DownloadPlace): Promise<void> {
  if (problem === undefined) return;
  await unlink(path).catch(() => {});
  await rmdir(directory).catch(() => {});
}

/**
 * After a kill between the two last steps of a download its part file is a second name of the complete file. This removes
 * it, and nothing else: a part file that is not the same file as the final one stays.
 */
export async function removeStrayPart({ directory, name, infoHash }: PlaceOptions): Promise<void> {
  const partName = partFileName(name, infoHash);
  for (const own of [directory, join(directory, privateDirectoryName(ownUid()))]) {
    try {
      const part = await lstat(join(own, partName), { bigint: true });
      const final = await lstat(join(directory, name), { bigint: true });
      if (part.isFile() && part.dev === final.dev && part.ino === final.ino)
        await unlink(join(own, partName));
    } catch (error) {
      const code = systemErrorCode(error);
      // Another user's file or directory may stand under the name of our own one.
      const isForeign = own !== directory && (code === "ENOTDIR" || code === "EACCES");
      if (code !== "ENOENT" && !isForeign) throw directoryErrorOf(directory, error);
    }
  }
}

function makeTemporary(directory: string): string {
  return mkdtempSync(join(directory, `${privateDirectoryName(ownUid())}-`));
}
