// Looks at a state file and the files that SQLite keeps beside it before SQLite opens them: whose they are, how long they are,
// and what schema their bytes hold. Bounded reads; nothing waits for another process.
import { closeSync, constants, fchmodSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { MAX_JOURNAL_LENGTH } from "./limits.ts";
import { systemErrorCode } from "../lib/errors.ts";
import { strangeTraitIn } from "./own-file-check.ts";
import { STATE_FILE_NAME, STATE_FILE_SUFFIXES } from "./own-files.ts";
import { OtherDatabase } from "./state-schema.ts";
import { hasPlainSchema } from "./state-page.ts";
import {
  APPLICATION_ID,
  APPLICATION_ID_AT,
  isDatabase,
  TEXT_ENCODING_AT,
  USER_VERSION_AT,
  UTF_8,
} from "./state-header.ts";

/** A file that we did not make stands under one of our names: it is left alone. */
export class StrangeFile extends Error {
  override readonly name = "StrangeFile";
}

/** The file is ours by its marks, and holds what we do not write. */
export class HostileState extends Error {
  override readonly name = "HostileState";
}

/** Without O_NONBLOCK the opening of a pipe would wait for its writer for ever. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const MAKE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const MAKE_MODE = 0o600;
const OTHERS_ACCESS = 0o077n;
/** SQLite's formats: page sizes, the headers of a log and of each page in it, and the mark at a journal's end. */
const PAGE_SIZE_AT = 16;
const SMALLEST_PAGE = 512;
const LARGEST_PAGE = 65_536;
const LOG_HEADER_LENGTH = 32;
const LOG_PAGE_SIZE_AT = 8;
const LOG_SALTS_AT = 16;
const FRAME_HEADER_LENGTH = 24;
const FRAME_SALTS_AT = 8;
const SALTS_LENGTH = 8;
const JOURNAL_MAGIC = Buffer.from("d9d505f920a163d7", "hex");

/**
 * Makes the state file where there is none, so that SQLite never makes one. `checkVersion`: throws for a version of the file's
 * tables that is not known.
 * @throws StrangeFile, HostileState, OtherDatabase; what `checkVersion` throws; the system's error.
 */
export function scanStateFiles(directory: string, checkVersion: (version: number) => void): void {
  const looks: Readonly<Record<(typeof STATE_FILE_SUFFIXES)[number] | "", Look>> = {
    "-wal": (fd, length) => scanLog(fd, length, checkVersion),
    // It holds no content.
    "-shm": () => {},
    "-journal": scanJournal,
    "": (fd) => scanDatabase(fd, checkVersion),
  };
  for (const suffix of STATE_FILE_SUFFIXES) scan(directory, STATE_FILE_NAME + suffix, looks[suffix]);
  if (!scan(directory, STATE_FILE_NAME, looks[""])) make(join(directory, STATE_FILE_NAME));
}

/** At an open file of `length` bytes. */
type Look = (fd: number, length: number) => void;

/** @returns false when there is no such file. */
function scan(directory: string, name: string, look: Look): boolean {
  const path = join(directory, name);
  let fd: number;
  try {
    fd = openSync(path, OPEN_FLAGS);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") return false;
    if (code === "ELOOP" || code === "ENXIO") throw new StrangeFile(`${path} is not a regular file`);
    throw error;
  }
  try {
    const stats = fstatSync(fd, { bigint: true });
    const trait = strangeTraitIn(directory, stats);
    if (trait !== undefined) throw new StrangeFile(`${path} ${trait}`);
    look(fd, Number(stats.size));
    if ((stats.mode & OTHERS_ACCESS) !== 0n) closeToOthers(fd);
    return true;
  } finally {
    closeSync(fd);
  }
}

/** Another user who can read the file can hold a lock on it, which makes us wait. */
function closeToOthers(fd: number): void {
  try {
    fchmodSync(fd, MAKE_MODE);
  } catch {
    // A file system without modes.
  }
}

function make(path: string): void {
  try {
    closeSync(openSync(path, MAKE_FLAGS, MAKE_MODE));
  } catch (error) {
    // Another process of ours was quicker.
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}

/** SQLite knows by itself what is no database. */
function scanDatabase(fd: number, checkVersion: (version: number) => void): void {
  const page = read(fd, 0, LARGEST_PAGE);
  if (isDatabase(page)) checkPage(page, checkVersion);
}

/** The latest pages of the database: each that would become its first one. */
function scanLog(fd: number, length: number, checkVersion: (version: number) => void): void {
  checkLength(length);
  const header = read(fd, 0, LOG_HEADER_LENGTH);
  if (header.length < LOG_HEADER_LENGTH) return;
  const pageSize = header.readUInt32BE(LOG_PAGE_SIZE_AT);
  // Otherwise SQLite does not read the log either.
  if (pageSize < SMALLEST_PAGE || pageSize > LARGEST_PAGE) return;
  const salts = header.subarray(LOG_SALTS_AT, LOG_SALTS_AT + SALTS_LENGTH);
  for (let at = LOG_HEADER_LENGTH; at < length; at += FRAME_HEADER_LENGTH + pageSize) {
    const frame = read(fd, at, FRAME_HEADER_LENGTH);
    // Frames with other salts are left from before the log began anew, and not read by SQLite.
    const isCurrent = frame.subarray(FRAME_SALTS_AT, FRAME_SALTS_AT + SALTS_LENGTH).equals(salts);
    if (!isCurrent || frame.readUInt32BE(0) !== 1) continue;
    const page = read(fd, at + FRAME_HEADER_LENGTH, pageSize);
    // Another one was cut off by a kill, and SQLite knows that by its check sum.
    if (isDatabase(page)) checkPage(page, checkVersion);
  }
}

/** A journal that names another one makes SQLite open and remove that. */
function scanJournal(fd: number, length: number): void {
  checkLength(length);
  const end = read(fd, Math.max(0, length - JOURNAL_MAGIC.length), JOURNAL_MAGIC.length);
  if (length > JOURNAL_MAGIC.length && end.equals(JOURNAL_MAGIC))
    throw new HostileState("its journal names another file");
}

function checkLength(length: number): void {
  if (length > MAX_JOURNAL_LENGTH) throw new HostileState(`its journal has ${length} bytes`);
}

function checkPage(bytes: Buffer, checkVersion: (version: number) => void): void {
  const application = bytes.readInt32BE(APPLICATION_ID_AT);
  if (application === APPLICATION_ID) checkVersion(bytes.readInt32BE(USER_VERSION_AT));
  else if (application !== 0) throw new OtherDatabase("belongs to another program");
  const stated = bytes.readUInt16BE(PAGE_SIZE_AT);
  const page = bytes.subarray(0, stated === 1 ? LARGEST_PAGE : stated);
  const encoding = bytes.readUInt32BE(TEXT_ENCODING_AT);
  // 0: nothing was written to the database yet.
  if ((encoding !== UTF_8 && encoding !== 0) || !hasPlainSchema(page))
    throw new HostileState("it holds more than the tables of a state file");
}

/** @returns fewer bytes at the end of the file. */
function read(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, position));
}
