// What the system says about a disk, as one line for the user. Knows error codes, not what was being done to the file.
import { DiskError, systemErrorCode } from "../lib/errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space and run the same command again",
  EDQUOT: "the disk quota is used up; free some space and run the same command again",
  EFBIG: "the file is larger than the file system or the limit of this shell (ulimit -f) allows",
  EROFS: "the file system became read-only; check the disk and run the same command again",
  EIO: "the disk reported an input/output error; check the disk and run the same command again",
};

/** `doing`: what failed, with the path: "cannot write /data/x". */
export function diskErrorOf(doing: string, error: unknown): DiskError {
  const code = systemErrorCode(error);
  return new DiskError(`${doing}: ${reasonOf(code, error)}`, { cause: error });
}

/** The same for a call that returned its error code instead of throwing it. */
export function diskErrorOfCode(doing: string, code: string): DiskError {
  return new DiskError(`${doing}: ${reasonOf(code, undefined)}`);
}

function reasonOf(code: string | undefined, error: unknown): string {
  const known = code === undefined ? undefined : REASONS[code];
  return known ?? code ?? (error instanceof Error ? error.message : String(error));
}
