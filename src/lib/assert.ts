// Broken invariants become an InvariantError: our own bug, never a peer's or the user's fault.
import { InvariantError } from "./errors.ts";

/** @throws InvariantError when `condition` is false. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Ends an exhaustive switch: does not compile while a case is missing. @throws InvariantError if reached. */
export function assertNever(value: never): never {
  throw new InvariantError(`unexpected case ${JSON.stringify(value)}`);
}
