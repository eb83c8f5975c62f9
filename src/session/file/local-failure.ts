// Names a failure of our own disk or workers for the user. It is never the fault of a peer.
import { CHECK_DISK } from "../../lib/errno.ts";
import { DiskError, P2pfileError, systemErrorCode } from "../../lib/errors.ts";

/** Errors that are named already stay as they are. */
export function localFailure(path: string, error: unknown): P2pfileError {
  if (error instanceof P2pfileError) return error;
  const code = systemErrorCode(error) ?? (error instanceof Error ? error.message : String(error));
  return new DiskError(`${path}: reading or writing failed (${code}); ${CHECK_DISK}`, {
    cause: error,
  });
}
