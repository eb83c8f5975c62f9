// Positioned reads into one reused buffer: the way to hash a file that cannot be mapped. Needs nothing but the right to
// read, never dies of a truncated file, and is as fast as a mapping of small pages.
import { readSync } from "node:fs";
import { ShortFileError } from "./short-file-error.ts";
import { READ_BUFFER_LENGTH } from "./limits.ts";

let buffer: Uint8Array | undefined;

/**
 * Hands the bytes from `offset` up to `end` to `take`, in order; each array is valid only during the call.
 * @throws ShortFileError when the file ends before `end`; the system's error when it cannot be read.
 */
export function readFile(fd: number, offset: number, end: number, take: (bytes: Uint8Array) => void): void {
  buffer ??= new Uint8Array(READ_BUFFER_LENGTH);
  let at = offset;
  while (at < end) {
    const got = readSync(fd, buffer, 0, Math.min(READ_BUFFER_LENGTH, end - at), at);
    if (got === 0) throw new ShortFileError(at, end);
    take(got === READ_BUFFER_LENGTH ? buffer : buffer.subarray(0, got));
    at += got;
  }
}
