// Broken invariants become an InvariantError: our own bug, never a peer's or the user's fault.
import { InvariantError } from "./errors.ts";

/** @throws InvariantError when `condition` is false. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/**
 * For what the types say may be missing and the code knows is not, such as an element at a checked index. It takes the value
 * and not the array, so that the engine sees one kind of array at each call: it costs no more than a default would.
 * @returns the value. @throws InvariantError when it is undefined.
 */
export function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new InvariantError("a value is missing that is always there");
  return value;
}

/** Ends an exhaustive switch: does not compile while a case is missing. @throws InvariantError if reached. */
export function assertNever(value: never): never {
  throw new InvariantError(`unexpected case ${JSON.stringify(value)}`);
}
