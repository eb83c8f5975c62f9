// One connection to the state file: opened with the right settings, to a new file when the old one is damaged or another program's, with
// bounded waits while another process writes. Knows files and transactions, not what is stored.
import { type Database, SQLiteError } from "bun:sqlite";
import { existsSync, renameSync, statfsSync } from "node:fs";
import { join } from "node:path";
import {
  STORE_ATTEMPTS,
  STORE_BUSY_TIMEOUT_MS,
  STORE_CHECKPOINT_PAGES,
  STORE_OPEN_ATTEMPTS,
  STORE_RETRY_MS,
} from "./limits.ts";
import { isNetworkFileSystem } from "../lib/file-systems.ts";
import type { Logger } from "../lib/logger.ts";
import { STATE_FILE_NAME, STATE_FILE_SUFFIXES } from "./own-files.ts";
import { checkContents } from "./state-contents.ts";
import { openStateDatabase } from "./state-database.ts";
import { HostileState, scanStateFiles } from "./state-scan.ts";
import {
  ensureSchema,
  OtherDatabase,
  prune,
  refuseNewer,
  STATE_SCHEMA,
  type StateSchema,
  type StateTable,
  versionOf,
} from "./state-schema.ts";

export interface SqliteOptions {
  readonly logger: Logger;
  /** Milliseconds since 1970, for the name of a file that is put aside. */
  readonly wallMs: () => number;
  /** `statfsSync` of node:fs if not given. */
  readonly statfs?: (directory: string) => { readonly type: number };
  /** STATE_SCHEMA if not given. */
  readonly schema?: StateSchema;
}

export class SqliteConnection {
  readonly #directory: string;
  readonly #path: string;
  readonly #options: SqliteOptions;
  readonly #schema: StateSchema;
  #database: Database;

  /**
   * `directory`: its symbolic links are resolved, and no other user can write to it.
   * @throws NewerState, with the file untouched, when a newer program wrote it; StrangeFile when we did not make what stands
   * under one of its names. @throws SQLiteError or the system's error when it can be neither opened nor made, or not written.
   */
  constructor(directory: string, options: SqliteOptions) {
    this.#directory = directory;
    this.#path = join(directory, STATE_FILE_NAME);
    this.#options = options;
    this.#schema = options.schema ?? STATE_SCHEMA;
    this.#database = this.#openOrReplace();
  }

  /**
   * Runs `work` in a transaction that takes the write lock at its start (`BEGIN IMMEDIATE`), so that another writer cannot
   * make it fail half way. A damaged file is put aside, and `work` runs in a new one.
   * @throws SQLiteError when that is not possible: busy for too long, disk full, read-only. @throws NewerState when a newer
   * program has changed the tables since.
   */
  write(work: (database: Database) => void): void {
    const checked = (database: Database) => {
      refuseNewer(versionOf(database), this.#schema);
      work(database);
    };
    this.#repairing((database) =>
      patiently(STORE_ATTEMPTS, () => transact(database, () => checked(database))),
    );
  }

  /** Runs `work`, which only reads. @throws SQLiteError as `write`. */
  read<Result>(work: (database: Database) => Result): Result {
    return this.#repairing((database) => patiently(STORE_ATTEMPTS, () => work(database)));
  }

  close(): void {
    // Cached statements do not keep it open: the files -wal and -shm vanish with the last connection.
    this.#database.close();
  }

  #repairing<Result>(work: (database: Database) => Result): Result {
    try {
      return work(this.#database);
    } catch (error) {
      if (!isDamage(error)) throw error;
      closeQuietly(this.#database);
      this.#putAside(error);
      this.#database = this.#open();
      return work(this.#database);
    }
  }

  #openOrReplace(): Database {
    try {
      return this.#open();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#putAside(error);
      return this.#open();
    }
  }

  #open(): Database {
    this.#scan();
    const database = openStateDatabase(this.#path);
    try {
      patiently(STORE_OPEN_ATTEMPTS, () => this.#prepare(database));
      return database;
    } catch (error) {
      closeQuietly(database);
      throw error;
    }
  }

  /** Again when it looks wrong: another process may be writing to it. */
  #scan(): void {
    for (let attempt = 1; ; attempt++) {
      try {
        return scanStateFiles(this.#directory, (version) => refuseNewer(version, this.#schema));
      } catch (error) {
        if (attempt >= STORE_ATTEMPTS || !isDamage(error)) throw error;
        Bun.sleepSync(STORE_RETRY_MS);
      }
    }
  }

  #prepare(database: Database): void {
    database.run(`PRAGMA busy_timeout = ${STORE_BUSY_TIMEOUT_MS}`);
    transact(database, () => {
      checkContents(database);
      ensureSchema(database, this.#schema);
      // Also the proof that we may write: a file that is read-only to us opens, and refuses this.
      const tables: readonly StateTable[] = [
        "ports",
        "hashed_files",
        "metadata",
        "downloads",
        "destinations",
      ];
      for (const table of tables) prune(database, table);
    });
    // After the check, because this changes the file. A write-ahead log needs memory that all processes with the file open
    // share, which two machines do not.
    const { type } = (this.#options.statfs ?? statfsSync)(this.#directory);
    database.run(`PRAGMA journal_mode = ${isNetworkFileSystem(type) ? "DELETE" : "WAL"}`);
    database.run("PRAGMA synchronous = NORMAL");
    database.run(`PRAGMA wal_autocheckpoint = ${STORE_CHECKPOINT_PAGES}`);
  }

  /** Nothing is deleted: another program's file can be moved back. */
  #putAside(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const aside = `${this.#path}.corrupt-${this.#options.wallMs()}`;
    for (const suffix of [...STATE_FILE_SUFFIXES, ""]) {
      if (existsSync(this.#path + suffix)) renameSync(this.#path + suffix, aside + suffix);
    }
    this.#options.logger.warn(
      `${this.#path}: cannot be used (${reason}); it was moved to ${aside} and a new one was started`,
    );
  }
}

function transact(database: Database, work: () => void): void {
  database.run("BEGIN IMMEDIATE");
  try {
    work();
    database.run("COMMIT");
  } catch (error) {
    // Some errors (disk full, damage) roll back by themselves.
    if (database.inTransaction) database.run("ROLLBACK");
    throw error;
  }
}

/** Each try waits STORE_BUSY_TIMEOUT_MS at most for another process; some conflicts are refused without a wait. */
function patiently<Result>(attempts: number, work: () => Result): Result {
  for (let attempt = 1; ; attempt++) {
    try {
      return work();
    } catch (error) {
      if (attempt >= attempts || !isBusy(error)) throw error;
      Bun.sleepSync(STORE_RETRY_MS);
    }
  }
}

function isBusy(error: unknown): boolean {
  const code = error instanceof SQLiteError ? error.code : undefined;
  return code !== undefined && (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED"));
}

function isDamage(error: unknown): boolean {
  if (error instanceof OtherDatabase || error instanceof HostileState) return true;
  const code = error instanceof SQLiteError ? error.code : undefined;
  return code !== undefined && (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB");
}

function closeQuietly(database: Database): void {
  try {
    database.close();
  } catch {
    // SQLite may refuse to close a damaged file in order; its descriptor is closed either way.
  }
}
