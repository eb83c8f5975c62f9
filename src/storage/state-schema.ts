// The tables of the state store, and the marks of the file: that it is ours, and its version. Does not know what the tables
// are used for.
import { type Database, SQLiteError } from "bun:sqlite";
import {
  MAX_STORED_DESTINATIONS,
  MAX_STORED_DOWNLOADS,
  MAX_STORED_HASHED_FILES,
  MAX_STORED_METADATA,
  MAX_STORED_PORTS,
} from "./limits.ts";
import { present } from "../lib/assert.ts";
import { MIGRATIONS, type MigrationStep } from "./state-migrations.ts";
import { APPLICATION_ID } from "./state-header.ts";

/** The tables of this version, and the steps to them from every older one. */
export interface StateSchema {
  /** SQL that makes them in a new file. */
  readonly tables: string;
  /** One more with every change of `tables`: `[0]` takes a file of version 1 to version 2. */
  readonly steps: readonly MigrationStep[];
}

/** Device and inode numbers are unsigned and have 64 bits; SQLite's integers are signed. */
const TABLES = `
  CREATE TABLE ports (
    info_hash TEXT PRIMARY KEY,
    port INTEGER NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE hashed_files (
    dev INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    piece_length INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    pieces BLOB NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (dev, inode, piece_length)
  ) STRICT;
  CREATE TABLE metadata (
    info_hash TEXT PRIMARY KEY,
    info BLOB NOT NULL
  ) STRICT;
  CREATE TABLE downloads (
    info_hash TEXT NOT NULL,
    part_path TEXT NOT NULL,
    part_inode INTEGER NOT NULL,
    size INTEGER NOT NULL,
    bitfield BLOB NOT NULL,
    crc INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    mtime_ns INTEGER NOT NULL DEFAULT 0,
    ctime_ns INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (info_hash, part_path)
  ) STRICT;
  CREATE TABLE destinations (
    directory TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT;
`;

export const STATE_SCHEMA: StateSchema = { tables: TABLES, steps: MIGRATIONS };

const BOUNDS = {
  ports: MAX_STORED_PORTS,
  hashed_files: MAX_STORED_HASHED_FILES,
  metadata: MAX_STORED_METADATA,
  downloads: MAX_STORED_DOWNLOADS,
  destinations: MAX_STORED_DESTINATIONS,
} as const;
export type StateTable = keyof typeof BOUNDS;

/** The file is a database that this program may not write to. */
export class OtherDatabase extends Error {
  override readonly name = "OtherDatabase";
}

/** The file is a state file of a newer version. */
export class NewerState extends Error {
  override readonly name = "NewerState";

  constructor(version: number, known: number) {
    super(`its version is ${version}, and this p2pfile knows ${known} and those before`);
  }
}

/**
 * Makes the tables in a new file, or migrates those of an older version. Runs inside a write transaction: a crash leaves the
 * old version, and of two processes one migrates.
 * @throws OtherDatabase when the file belongs to another program or its tables do not fit its version; NewerState.
 */
export function ensureSchema(database: Database, schema: StateSchema): void {
  const application = numberOf(database, "PRAGMA application_id");
  const version = versionOf(database);
  const tables = numberOf(database, "SELECT count(*) FROM sqlite_schema");
  if (application === 0 && version === 0 && tables === 0) {
    database.run(schema.tables);
    database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.run(`PRAGMA user_version = ${currentVersion(schema)}`);
    return;
  }
  if (application !== APPLICATION_ID) throw new OtherDatabase("belongs to another program");
  if (version < 1) throw new OtherDatabase(`has version ${version}, and the first is 1`);
  refuseNewer(version, schema);
  migrate(database, schema, version);
}

/** @throws NewerState when the version is newer than the schema. */
export function refuseNewer(version: number, schema: StateSchema): void {
  const known = currentVersion(schema);
  if (version > known) throw new NewerState(version, known);
}

/** The version of the file's tables. */
export function versionOf(database: Database): number {
  return numberOf(database, "PRAGMA user_version");
}

function currentVersion({ steps }: StateSchema): number {
  return steps.length + 1;
}

function migrate(database: Database, { steps }: StateSchema, version: number): void {
  for (const [at, step] of steps.entries()) {
    const from = at + 1;
    if (from < version) continue;
    try {
      step(database);
    } catch (error) {
      if (!isUnfit(error)) throw error;
      throw new OtherDatabase(`has not the tables of version ${from}: ${error.message}`);
    }
    database.run(`PRAGMA user_version = ${from + 1}`);
  }
}

/** The tables do not fit the step, as opposed to a full disk or a busy file. */
function isUnfit(error: unknown): error is SQLiteError {
  const code = error instanceof SQLiteError ? (error.code ?? "") : "";
  return /^SQLITE_(?:ERROR|CONSTRAINT|MISMATCH)/.test(code);
}

/** Keeps the latest rows of a table. An upsert by REPLACE gives its row the highest rowid, so that is the age. */
export function prune(database: Database, table: StateTable): void {
  database.run(
    `DELETE FROM ${table} WHERE rowid <= (SELECT rowid FROM ${table} ORDER BY rowid DESC LIMIT 1 OFFSET ${BOUNDS[table]})`,
  );
}

function numberOf(database: Database, sql: string): number {
  const row = present(database.query<Record<string, bigint>, []>(sql).get() ?? undefined);
  return Number(present(Object.values(row)[0]));
}
