// What `-o X` names: the directory that a download goes into, or the download's own file name. What stands there decides, as
// with cp: a directory is one, and anything else is a file's name.
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { directoryErrorOf } from "./destination.ts";
import { MAX_FILE_NAME_LENGTH } from "./limits.ts";
import { isOwnFileName } from "./own-files.ts";
import { DestinationError, systemErrorCode } from "../lib/errors.ts";

export interface OutputPlace {
  readonly directory: string;
  /** The name that the file gets there; undefined: that of the torrent. */
  readonly fileName: string | undefined;
}

/**
 * `directory`: that of `--dir`, used when `output` (`-o`) is not given. Makes nothing.
 * @throws DestinationError for a path that is not UTF-8 or a file name that cannot be used.
 */
export async function outputPlace(directory: string, output: string | undefined): Promise<OutputPlace> {
  const given = output ?? directory;
  // The runtime writes U+FFFD for bytes that are no text: the path would lead to another directory.
  if (given.includes("\uFFFD")) {
    throw new DestinationError(`${given}: the path is not valid UTF-8; choose another destination`);
  }
  if (output === undefined || (await isDirectory(output))) return { directory: given, fileName: undefined };
  const fileName = basename(output);
  if (isOwnFileName(fileName)) {
    throw new DestinationError(`${output}: the name is reserved for p2pfile's own files; choose another`);
  }
  if (Buffer.byteLength(fileName) > MAX_FILE_NAME_LENGTH) {
    throw new DestinationError(`the file name of -o is longer than ${MAX_FILE_NAME_LENGTH} bytes`);
  }
  return { directory: dirname(output), fileName };
}

async function isDirectory(path: string): Promise<boolean> {
  const last = path.slice(path.lastIndexOf("/") + 1);
  if (last === "" || last === "." || last === "..") return true;
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    // A link that leads nowhere is no directory, and stands in the way of a file.
    if (systemErrorCode(error) === "ENOENT") return false;
    throw directoryErrorOf(path, error);
  }
}
