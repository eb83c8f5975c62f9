// A file that is served: opened once and checked to be something that can be served.
import { constants, promises, type BigIntStats } from "node:fs";
import { basename, resolve } from "node:path";
import { MAX_FILE_LENGTH } from "../core/torrent/limits.ts";
import { errnoWords } from "../lib/errno.ts";
import { SourceError, systemErrorCode } from "../lib/errors.ts";
import { formatBytes } from "../lib/units.ts";
import { isExecutable } from "./executable-mode.ts";
import { stampOfStats, statsOf } from "./file-stamp.ts";
import { closeFile, openFile } from "./positioned-io.ts";
import { StampedFile } from "./stamped-file.ts";

/** Without O_NONBLOCK the opening of a pipe would wait for its writer for ever. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export class SourceFile extends StampedFile {
  /** Last component of the path as it was given, also when that is a symlink. */
  readonly name: string;
  /** Bytes, > 0. */
  readonly size: number;
  /** Some user may execute it. */
  readonly isExecutable: boolean;
  #open = true;

  private constructor(fd: number, path: string, name: string, stats: BigIntStats) {
    super(fd, path, stampOfStats(stats));
    this.name = name;
    this.size = Number(stats.size);
    this.isExecutable = isExecutable(stats.mode);
  }

  /**
   * `given`: as on the command line, relative to `workingDirectory`.
   * @throws SourceError when it is missing, unreadable, empty, too large, not a regular file, or not valid UTF-8.
   */
  static async open(given: string, workingDirectory: string): Promise<SourceFile> {
    if (given === "") throw new SourceError("the path of the file is empty; name the file to serve");
    if (given.includes("\uFFFD")) {
      throw new SourceError(`${given}: the path is not valid UTF-8; rename the file or link to it`);
    }
    const wanted = resolve(workingDirectory, given);
    let fd: number | undefined;
    try {
      // Looked at before it is opened, because opening alone makes some devices do things.
      checkServable(given, await statsOf(wanted));
      const path = await promises.realpath(wanted);
      fd = await openFile(path, OPEN_FLAGS);
      const stats = await statsOf(fd);
      checkServable(given, stats);
      return new SourceFile(fd, path, basename(wanted), stats);
    } catch (error) {
      if (fd !== undefined) await closeFile(fd);
      throw error instanceof SourceError ? error : sourceErrorOf(given, error);
    }
  }

  /** No read may be under way. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await closeFile(this.fd);
  }
}

function checkServable(given: string, stats: BigIntStats): void {
  if (stats.isDirectory()) {
    throw new SourceError(`${given}: is a directory; name a single file (pack the directory first)`);
  }
  if (!stats.isFile()) {
    throw new SourceError(
      `${given}: is ${kindOf(stats)}, not a regular file; copy its content to a file first`,
    );
  }
  if (stats.size === 0n) throw new SourceError(`${given}: an empty file cannot be shared`);
  if (stats.size > BigInt(MAX_FILE_LENGTH)) {
    throw new SourceError(
      `${given}: is larger than ${formatBytes(MAX_FILE_LENGTH)}, the most that a torrent can hold`,
    );
  }
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return "a pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}

function sourceErrorOf(given: string, error: unknown): SourceError {
  const code = systemErrorCode(error);
  const reason = errnoWords("source", code) ?? `cannot be opened (${code ?? String(error)})`;
  return new SourceError(`${given}: ${reason}`, { cause: error });
}
