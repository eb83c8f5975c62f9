// The version of a state file, read without SQLite, which may change a database, or the files beside it, by opening it.
import { closeSync, openSync, readSync } from "node:fs";

/** "p2pf" as a big-endian integer, in the header of the file. */
export const APPLICATION_ID = 0x70327066;

/** SQLite's file format: the header's length and start, and the positions of two big-endian integers of 32 bits. */
const HEADER_LENGTH = 100;
const MAGIC = "SQLite format 3\0";
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;

/** @returns undefined when there is no file at `path`, when it cannot be read, or when it is not a state file. */
export function versionInHeader(path: string): number | undefined {
  const header = Buffer.alloc(HEADER_LENGTH);
  try {
    const fd = openSync(path, "r");
    try {
      readSync(fd, header, 0, HEADER_LENGTH, 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The opening by SQLite reports what is wrong with the file.
    return undefined;
  }
  const isStateFile =
    header.toString("latin1", 0, MAGIC.length) === MAGIC &&
    header.readInt32BE(APPLICATION_ID_AT) === APPLICATION_ID;
  return isStateFile ? header.readInt32BE(USER_VERSION_AT) : undefined;
}
