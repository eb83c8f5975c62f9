// Texts that only have to be there: directories, magnets.
import type { ValueKind } from "./value-kind.ts";

export const directory: ValueKind<string> = { expected: "a directory", read: nonEmpty };

/** Read by the session, which knows magnets. */
export const magnet: ValueKind<string> = { expected: "a magnet URI", read: nonEmpty };

function nonEmpty(text: string): string | undefined {
  return text === "" ? undefined : text;
}
