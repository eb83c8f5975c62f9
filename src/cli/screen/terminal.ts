// What may be done to a stream: colours, redrawing, characters beyond ASCII. Honours NO_COLOR and TERM=dumb in one place.
import type { Environment, OutputStream } from "../environment.ts";

type Variables = Environment["variables"];

/** Whether the cursor can be moved: a terminal that is not dumb. */
export function canRedraw(stream: OutputStream, variables: Variables): boolean {
  return stream.isTerminal && variables["TERM"] !== "dumb";
}

/** NO_COLOR counts when it is set to anything but nothing (no-color.org). */
export function hasColors(stream: OutputStream, variables: Variables): boolean {
  return canRedraw(stream, variables) && (variables["NO_COLOR"] ?? "") === "";
}

/** The first of the three variables that is set decides, as in every C library. */
export function speaksUnicode(variables: Variables): boolean {
  const locale = [variables["LC_ALL"], variables["LC_CTYPE"], variables["LANG"]].find(
    (value) => (value ?? "") !== "",
  );
  return /utf-?8/i.test(locale ?? "");
}
