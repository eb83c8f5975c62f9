// What stands at the destination of a download: the directory, and the final name in it. Nothing is ever replaced, and the
// name comes from metadata of other machines, so it must be one plain component that is not one of our own files.
import { lstat, mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { creationErrorOf } from "./creation-error.ts";
import { MAX_FILE_NAME_LENGTH } from "./limits.ts";
import { errnoWords, NO_DIRECTORY, NOT_A_DIRECTORY } from "../lib/errno.ts";
import { DestinationError, systemErrorCode } from "../lib/errors.ts";
import { formatBytes } from "../lib/units.ts";
import { isOwnFileName } from "./own-files.ts";

/** A file of the right size at the final name may already be the wanted one: hash it to know. */
export type DestinationState = "free" | { readonly sameSizePath: string };

/**
 * @throws DestinationError when another file, a symlink, a directory or a device stands at the final name, when the
 * name cannot be a file's name or is one of our own, or when the directory cannot be looked into.
 */
export async function inspectDestination(
  directory: string,
  name: string,
  size: number,
): Promise<DestinationState> {
  checkName(name);
  const path = join(resolve(directory), name);
  let found;
  try {
    found = await lstat(path);
  } catch (error) {
    // No such directory either: whether it can be made is the question of prepareDirectory.
    if (systemErrorCode(error) === "ENOENT") return "free";
    throw directoryErrorOf(directory, error);
  }
  if (found.isFile() && found.size === size) return { sameSizePath: path };
  const what = found.isSymbolicLink()
    ? "is a symbolic link"
    : found.isDirectory()
      ? "is a directory"
      : found.isFile()
        ? `is another file (${formatBytes(found.size)} instead of ${formatBytes(size)})`
        : "is not a regular file";
  throw new DestinationError(`${path}: already exists and ${what}; move it away or choose another --dir`);
}

/**
 * Makes the directory when only its last component is missing: `--dir models` works at once, while a mistyped
 * long path or a disk that is not mounted does not end in a new tree elsewhere.
 * @returns its absolute path.
 * @throws DestinationError naming it. @throws DiskError when the file system has no room for it.
 */
export async function prepareDirectory(directory: string): Promise<string> {
  const path = resolve(directory);
  try {
    if (!(await isDirectory(path))) {
      if (!(await isDirectory(dirname(path)))) {
        throw new DestinationError(`${path}: ${NO_DIRECTORY}`);
      }
      await mkdir(path).catch((error: unknown) => {
        // Two downloads started together both want to make it.
        if (systemErrorCode(error) !== "EEXIST") throw error;
      });
    }
    return path;
  } catch (error) {
    if (error instanceof DestinationError) throw error;
    throw (await creationErrorOf(path, error)) ?? directoryErrorOf(path, error);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
  throw new DestinationError(`${path}: ${NOT_A_DIRECTORY}`);
}

/** @throws DestinationError unless `name` is one plain component that we may create. */
export function checkName(name: string): void {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
    throw new DestinationError(`the torrent's name ${JSON.stringify(name)} cannot be the name of a file`);
  }
  if (Buffer.byteLength(name) > MAX_FILE_NAME_LENGTH) {
    throw new DestinationError(`the torrent's name is longer than ${MAX_FILE_NAME_LENGTH} bytes: ${name}`);
  }
  if (isOwnFileName(name)) {
    throw new DestinationError(`the torrent's name ${name} is reserved for p2pfile's own files`);
  }
}

export function directoryErrorOf(directory: string, error: unknown): DestinationError {
  const code = systemErrorCode(error);
  const reason = errnoWords("directory", code) ?? `cannot be used (${code ?? String(error)})`;
  return new DestinationError(`${directory}: ${reason}`, { cause: error });
}
