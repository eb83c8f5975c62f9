// The tables of the state store and the marks by which a file is known to be ours. Knows SQL, not what it is asked for.
import type { Database } from "bun:sqlite";
import {
  MAX_STORED_DOWNLOADS,
  MAX_STORED_HASHED_FILES,
  MAX_STORED_METADATA,
  MAX_STORED_PORTS,
} from "./limits.ts";

/** "p2pf" as a big-endian integer, in the header of the file. */
const APPLICATION_ID = 0x70327066;
/** Raised with every change of the tables; a file of another version is put aside like a foreign one. */
const SCHEMA_VERSION = 3;

/** Inodes and the like are unsigned 64-bit numbers, kept as SQLite's signed ones. */
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
    PRIMARY KEY (info_hash, part_path)
  ) STRICT;
`;

const BOUNDS = {
  ports: MAX_STORED_PORTS,
  hashed_files: MAX_STORED_HASHED_FILES,
  metadata: MAX_STORED_METADATA,
  downloads: MAX_STORED_DOWNLOADS,
} as const;
export type StateTable = keyof typeof BOUNDS;

/** The file is a database, but not one that this program may write into. */
export class OtherDatabase extends Error {
  override readonly name = "OtherDatabase";
}

/** Makes the tables in a new file, or checks that they are ours. Inside a write transaction. @throws OtherDatabase */
export function ensureSchema(database: Database): void {
  const application = numberOf(database, "PRAGMA application_id");
  const version = numberOf(database, "PRAGMA user_version");
  const tables = numberOf(database, "SELECT count(*) FROM sqlite_schema");
  if (application === 0 && version === 0 && tables === 0) {
    database.run(TABLES);
    database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  } else if (application !== APPLICATION_ID) {
    throw new OtherDatabase("belongs to another program");
  } else if (version !== SCHEMA_VERSION) {
    throw new OtherDatabase(`has version ${version} instead of ${SCHEMA_VERSION}`);
  }
}

/** Keeps the latest rows of a table. An upsert by REPLACE gives its row the highest rowid, so that is the age. */
export function prune(database: Database, table: StateTable): void {
  database.run(
    `DELETE FROM ${table} WHERE rowid <= (SELECT rowid FROM ${table} ORDER BY rowid DESC LIMIT 1 OFFSET ${BOUNDS[table]})`,
  );
}

function numberOf(database: Database, sql: string): number {
  const row = database.query<Record<string, bigint>, []>(sql).get();
  return Number(Object.values(row ?? {})[0] ?? 0);
}
