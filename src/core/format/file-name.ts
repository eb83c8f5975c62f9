// Checks file names that come from the network, and escapes names for a terminal. A bad name is refused, never changed
// into another one. Touches no file system.
import { MAX_QUOTED_LENGTH, MAX_SHARED_NAME_LENGTH } from "./limits.ts";

/** C0, DEL and C1 controls, line and paragraph separators. */
const control = /[\p{Cc}\u2028\u2029]/u;
/** Characters that change the direction of the text after them, which can make "gpj.exe" read "exe.jpg". */
const bidirectional = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const unprintable = new RegExp(`${control.source}|${bidirectional.source}|\\p{Surrogate}`, "gu");

/**
 * A name passes when it is one path component that is no option of a command, no control sequence of a terminal and no
 * file of p2pfile itself.
 * @returns the problem in words that follow "the file name …", or undefined when `name` passes.
 */
export function checkFileName(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name === "." || name === "..") return "is a directory";
  if (/[/\\]/.test(name)) return "contains a path separator";
  if (name.startsWith("-")) return 'starts with "-"';
  if (!name.isWellFormed()) return "is not valid UTF-8";
  if (control.test(name)) return "contains control characters";
  if (bidirectional.test(name)) return "contains bidirectional control characters";
  if (new TextEncoder().encode(name).length > MAX_SHARED_NAME_LENGTH) {
    return `is longer than ${MAX_SHARED_NAME_LENGTH} bytes`;
  }
  // Reserved: the state file, its journals and the configuration file. Lower-cased for file systems that ignore case.
  const folded = name.toLowerCase();
  if (folded.startsWith(".p2pfile") || folded.endsWith(".p2pfile-part"))
    return "is reserved for p2pfile itself";
  return undefined;
}

/** `text` for a message: as it is, or its beginning with an ellipsis. */
export function shortened(text: string): string {
  return text.length <= MAX_QUOTED_LENGTH ? text : `${text.slice(0, MAX_QUOTED_LENGTH - 1).toWellFormed()}…`;
}

/** `text` with control, bidirectional and surrogate characters written as \u{…}. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`);
}
