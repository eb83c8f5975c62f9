// The names of the files that p2pfile itself puts into a user's directories, and how to recognise them: a torrent's name
// comes from other machines and must not be one of these.
import type { InfoHash } from "../core/torrent/ids.ts";
import { MAX_FILE_NAME_LENGTH } from "./limits.ts";

/** In the working directory; SQLite adds "-wal", "-shm" and "-journal" beside it. */
export const STATE_FILE_NAME = ".p2pfile.db";
/** SQLite's files beside the state file. */
export const STATE_FILE_SUFFIXES = ["-wal", "-shm", "-journal"] as const;
const PRIVATE_PREFIX = ".p2pfile-";
const PART_SUFFIX = ".p2pfile-part";
/** Digits of the info hash in a part file's name: they keep two downloads of one name apart. */
const HASH_DIGITS = 8;

/** Hidden, beside the final file: ".<name>.<8 hex>.p2pfile-part", the name cut at a character so that it fits. */
export function partFileName(name: string, infoHash: InfoHash): string {
  const tail = `.${infoHash.slice(0, HASH_DIGITS)}${PART_SUFFIX}`;
  const room = MAX_FILE_NAME_LENGTH - 1 - tail.length;
  const bytes = Buffer.from(name);
  if (bytes.length <= room) return `.${name}${tail}`;
  let end = room;
  // 10xxxxxx continues a character of UTF-8.
  while (end > 0 && (bytes.readUInt8(end) & 0xc0) === 0x80) end--;
  return `.${bytes.toString("utf8", 0, end)}${tail}`;
}

/** The directory for our files where other users can write. */
export function privateDirectoryName(uid: bigint): string {
  return `${PRIVATE_PREFIX}${uid}`;
}

/** A file that is made to see what a file of ours looks like there, and removed at once. */
export function probeFileName(pid: number): string {
  return `${PRIVATE_PREFIX}probe-${pid}`;
}

export function isOwnFileName(name: string): boolean {
  return name.startsWith(STATE_FILE_NAME) || name.startsWith(PRIVATE_PREFIX) || name.endsWith(PART_SUFFIX);
}
