// A write that leaves holes where the bytes are zeros. The holes are made in what was there before, so it does not matter
// whether the space was only reserved or held other bytes.
import { stretchAt } from "../lib/zeros.ts";
import { punchHole } from "./libc.ts";
import { writeFully } from "./positioned-io.ts";

/** As `writeFully`. A file system that makes no holes gets the zeros. */
export function writeSparsely(
  fd: number,
  buffer: Uint8Array,
  from: number,
  to: number,
  position: number,
  done: (error: unknown) => void,
): void {
  const { isHole, end } = stretchAt(buffer, from, to);
  const goOn = (error: unknown): void => {
    if (error !== undefined || end === to) return done(error);
    writeSparsely(fd, buffer, end, to, position + end - from, done);
  };
  // Never before this call returns: a writer counts on that.
  if (isHole && punchHole(fd, position, end - from) === undefined) queueMicrotask(() => goOn(undefined));
  else writeFully(fd, buffer, from, end, position, goOn);
}
