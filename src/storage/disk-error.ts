// Errors of the disk as one line for the user. Does not know what was being done to the file.
import { CHECK_DISK, errnoWords } from "../lib/errno.ts";
import { DiskError, P2pfileError, systemErrorCode } from "../lib/errors.ts";

/** `doing`: what failed, with the path: "cannot write /data/x". The message of a P2pfileError stays as it is. */
export function diskErrorOf(doing: string, error: unknown): DiskError {
  const known = errnoWords("disk", systemErrorCode(error));
  if (known !== undefined) return new DiskError(`${doing}: ${known}`, { cause: error });
  if (error instanceof P2pfileError) return new DiskError(error.message, { cause: error });
  const reason = error instanceof Error ? error.message : String(error);
  return new DiskError(`${doing}: ${reason}; ${CHECK_DISK}`, { cause: error });
}

/** The same for a call that returns its error code. */
export function diskErrorOfCode(doing: string, code: string): DiskError {
  return new DiskError(`${doing}: ${errnoWords("disk", code) ?? `${code}; ${CHECK_DISK}`}`);
}
