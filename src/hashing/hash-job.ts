// One request to a worker and what becomes of it. The pool moves jobs; it does not know what they are part of.
import type { HashFailure } from "./hash-failure.ts";
import type { HashRequest, StoreRequest } from "./messages.ts";

export interface HashJob {
  readonly request: Omit<HashRequest, "job"> | Omit<StoreRequest, "job">;
  /** False once its result is of no use: it is not sent, and a late answer is dropped. */
  readonly wanted: () => boolean;
  /** Called at most once, and only one of the two. */
  readonly onHashed: (digests: Uint8Array) => void;
  readonly onFailed: (failure: HashFailure) => void;
}
