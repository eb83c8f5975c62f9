// What the system says about a disk, as one line for the user. Knows error codes, not what was being done to the file.
import { DiskError, P2pfileError, systemErrorCode } from "../lib/errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space and run the same command again",
  EDQUOT: "the disk quota is used up; free some space and run the same command again",
  EFBIG: "the file is larger than the file system or the limit of this shell (ulimit -f) allows",
  EROFS: "the file system became read-only; check the disk and run the same command again",
  EIO: "the disk reported an input/output error; check the disk and run the same command again",
};

/** For all other codes. */
const REMEDY = "check the disk and run the same command again";

/** `doing`: what failed, with the path: "cannot write /data/x". An error of ours with a code of its own speaks for itself. */
export function diskErrorOf(doing: string, error: unknown): DiskError {
  const known = REASONS[systemErrorCode(error) ?? ""];
  if (known !== undefined) return new DiskError(`${doing}: ${known}`, { cause: error });
  if (error instanceof P2pfileError) return new DiskError(error.message, { cause: error });
  const reason = error instanceof Error ? error.message : String(error);
  return new DiskError(`${doing}: ${reason}; ${REMEDY}`, { cause: error });
}

/** The same for a call that returned its error code instead of throwing it. */
export function diskErrorOfCode(doing: string, code: string): DiskError {
  return new DiskError(`${doing}: ${REASONS[code] ?? `${code}; ${REMEDY}`}`);
}
