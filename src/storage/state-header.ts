// The header of a state file, read without SQLite, which may change a database, or the files beside it, by opening
// it.

/** "p2pf" as a big-endian integer, in the header of the file. */
export const APPLICATION_ID = 0x70327066;

/** SQLite's file format: the header's length and start, and the positions of big-endian integers of 32 bits. */
const HEADER_LENGTH = 100;
const MAGIC = "SQLite format 3\0";
export const TEXT_ENCODING_AT = 56;
export const USER_VERSION_AT = 60;
export const APPLICATION_ID_AT = 68;
export const UTF_8 = 1;

/** The bytes begin with the header of an SQLite database. */
export function isDatabase(bytes: Buffer): boolean {
  return bytes.length >= HEADER_LENGTH && bytes.toString("latin1", 0, MAGIC.length) === MAGIC;
}
