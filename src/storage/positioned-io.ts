// Whole reads and writes at a position of an open file, off the event loop. Short counts are gone on with here and
// nowhere else. Knows descriptors and bytes only.
import { close, fdatasync, fsync, ftruncate, open, read, write } from "node:fs";
import { promisify } from "node:util";

export const openFile: (path: string, flags: number, mode?: number) => Promise<number> = promisify(open);
export const closeFile: (fd: number) => Promise<void> = promisify(close);
export const syncData: (fd: number) => Promise<void> = promisify(fdatasync);
export const syncAll: (fd: number) => Promise<void> = promisify(fsync);
export const truncateFile: (fd: number, length: number) => Promise<void> = promisify(ftruncate);

/**
 * Writes bytes [from, to) of `buffer` at `position`, however many system calls that takes; then calls back once.
 * A callback and not a promise, because it runs for every span and must not cost more than it has to.
 */
export function writeFully(
  fd: number,
  buffer: Uint8Array,
  from: number,
  to: number,
  position: number,
  done: (error: unknown) => void,
): void {
  write(fd, buffer, from, to - from, position, (error, written) => {
    if (error) return done(error);
    if (written === to - from) return done(undefined);
    if (written <= 0) return done(new Error(`the system wrote ${written} bytes`));
    writeFully(fd, buffer, from + written, to, position + written, done);
  });
}

/** Fills `buffer` from `position`; calls back with the bytes read, fewer than asked only at the end of the file. */
export function readFully(
  fd: number,
  buffer: Uint8Array,
  length: number,
  position: number,
  done: (error: unknown, bytesRead: number) => void,
  from = 0,
): void {
  read(fd, buffer, from, length - from, position + from, (error, count) => {
    if (error) return done(error, from);
    if (count <= 0 || from + count === length) return done(undefined, from + Math.max(0, count));
    readFully(fd, buffer, length, position, done, from + count);
  });
}
