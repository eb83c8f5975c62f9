// What is wrong with a complete file that is being shared, in words for the user: it changed, or it cannot be read.
import type { HashFailure } from "../../hashing/hash-failure.ts";
import { IntegrityError, type P2pfileError, SourceError } from "../../lib/errors.ts";

/** Names the end of sharing a file. `cause`: the hashing failed; undefined: it gave other digests. */
export type ContentFailure = (path: string, cause?: HashFailure) => P2pfileError;

/** Of a file of `serve`. */
export const servedFileFailure: ContentFailure = (path, cause) => {
  if (isChange(cause)) {
    return new IntegrityError(
      `${path}: changed while it was being shared; serve it again when it is finished`,
      { cause },
    );
  }
  if (cause.code === "EWORKER") return cause;
  return new SourceError(`${path}: cannot be read (${cause.code}); check the file and its disk`, { cause });
};

/** Of a file that a download seeds. */
export const seededFileFailure: ContentFailure = (path, cause) =>
  isChange(cause)
    ? new IntegrityError(
        `${path}: changed while it was being seeded, so its seeding ends; to get the original again, move it away and run the same command`,
        { cause },
      )
    : cause;

/** A file that became shorter has changed, too. */
function isChange(
  cause: HashFailure | undefined,
): cause is (HashFailure & { readonly code: "ESHORT" }) | undefined {
  return cause === undefined || cause.code === "ESHORT";
}
