// Why a file or directory cannot be made: the one place where a file system may be full of files instead of bytes.
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { DiskError, systemErrorCode } from "../lib/errors.ts";
import { diskErrorOf } from "./disk-error.ts";

/** Of the disk or of this process, and not of the directory. */
const NOT_OF_THE_DIRECTORY = new Set(["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE"]);

/** @returns undefined when `path` is refused for what its directory is. */
export async function creationErrorOf(path: string, error: unknown): Promise<DiskError | undefined> {
  const code = systemErrorCode(error) ?? "";
  if (!NOT_OF_THE_DIRECTORY.has(code)) return undefined;
  const doing = `cannot create ${path}`;
  if (code !== "ENOSPC" || !(await isOutOfInodes(dirname(path)))) return diskErrorOf(doing, error);
  return new DiskError(
    `${doing}: the file system has no free inodes (df -i); remove some files and run the same command again`,
    { cause: error },
  );
}

/** Some file systems have no fixed number of inodes and say 0. */
async function isOutOfInodes(directory: string): Promise<boolean> {
  try {
    const { files, ffree } = await statfs(directory);
    return files > 0 && ffree === 0;
  } catch {
    return false;
  }
}
