// Broken invariants become an InvariantError: our own bug, never a peer's or the user's fault.
import { InvariantError } from "./errors.ts";

/** @throws InvariantError when `condition` is false. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/**
 * For a value that may be undefined by its type alone, such as an element at a checked index. It takes the value and not the
 * array: a function that reads arrays of several kinds is two to four times slower.
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
