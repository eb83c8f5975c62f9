// State files of every version, as SQL: the tables of that version and the same records in it, with the check sums that the
// program of that version wrote.
import { Database } from "bun:sqlite";
import { hash, record, stamp } from "./stored-records.ts";

/** What each of the files below holds. */
export const RECORDS = {
  ports: [
    { infoHash: hash(1), port: 42_071 },
    { infoHash: hash(2), port: 42_072 },
  ],
  hashedFile: { stamp: stamp(1), pieceLength: 1_048_576, pieces: new Uint8Array(40).fill(0x61) },
  metadata: { infoHash: hash(1), info: new TextEncoder().encode("1") },
  download: record(1),
} as const;

const FIRST = "356a192b7913b04c54574d18c28d46e6395428ab";
const SECOND = "da4b9237bacccdf19c0760cab7aec4a8359010b0";
const FILE = `-1, -9223372036854775807, 1048576, 17592186044415, 1795223434335995886, 1795223434335995887, x'${"61".repeat(40)}'`;
const DOWNLOAD = `'${FIRST}', '/data/ä 1', -2, 17592186044416, x'018000'`;

const SAME_IN_ALL = `
  PRAGMA application_id = 0x70327066;
  CREATE TABLE hashed_files (
    dev INTEGER NOT NULL, inode INTEGER NOT NULL, piece_length INTEGER NOT NULL, size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, pieces BLOB NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (dev, inode, piece_length)
  ) STRICT;
  CREATE TABLE metadata (info_hash TEXT PRIMARY KEY, info BLOB NOT NULL) STRICT;
  INSERT INTO metadata VALUES ('${FIRST}', x'31');
`;
const DOWNLOADS_WITH_CLEAN = `
  CREATE TABLE downloads (
    info_hash TEXT NOT NULL, part_path TEXT NOT NULL, part_inode INTEGER NOT NULL, size INTEGER NOT NULL,
    bitfield BLOB NOT NULL, crc INTEGER NOT NULL, boot_id TEXT NOT NULL, clean INTEGER NOT NULL,
    PRIMARY KEY (info_hash, part_path)
  ) STRICT;
`;
const DOWNLOADS = `
  CREATE TABLE downloads (
    info_hash TEXT NOT NULL, part_path TEXT NOT NULL, part_inode INTEGER NOT NULL, size INTEGER NOT NULL,
    bitfield BLOB NOT NULL, crc INTEGER NOT NULL, boot_id TEXT NOT NULL,
    PRIMARY KEY (info_hash, part_path)
  ) STRICT;
  INSERT INTO downloads VALUES (${DOWNLOAD}, 2572889355, '0f5b');
`;
const PORTS_WITH_CHECKSUM = `
  CREATE TABLE ports (info_hash TEXT PRIMARY KEY, port INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT;
  INSERT INTO ports VALUES ('${FIRST}', 42071, 1178993235), ('${SECOND}', 42072, 3484078829);
  INSERT INTO hashed_files VALUES (${FILE}, 3452057512);
`;
const DESTINATIONS = `
  CREATE TABLE destinations (directory TEXT PRIMARY KEY, id TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
`;

/** By version. */
export const STATE_FILES: ReadonlyMap<number, string> = new Map([
  [
    1,
    `${SAME_IN_ALL} ${DOWNLOADS_WITH_CLEAN}
    CREATE TABLE ports (info_hash TEXT PRIMARY KEY, port INTEGER NOT NULL) STRICT;
    INSERT INTO ports VALUES ('${FIRST}', 42071), ('${SECOND}', 42072);
    INSERT INTO hashed_files VALUES (${FILE}, 3378219557);
    INSERT INTO downloads VALUES (${DOWNLOAD}, 3305122670, '0f5b', 1);
    PRAGMA user_version = 1;`,
  ],
  [
    2,
    `${SAME_IN_ALL} ${PORTS_WITH_CHECKSUM} ${DOWNLOADS_WITH_CLEAN}
    INSERT INTO downloads VALUES (${DOWNLOAD}, 3329140228, '0f5b', 1);
    PRAGMA user_version = 2;`,
  ],
  [
    3,
    `${SAME_IN_ALL} ${PORTS_WITH_CHECKSUM} ${DOWNLOADS}
    PRAGMA user_version = 3;`,
  ],
  [
    4,
    `${SAME_IN_ALL} ${PORTS_WITH_CHECKSUM} ${DOWNLOADS} ${DESTINATIONS}
    PRAGMA user_version = 4;`,
  ],
  [
    5,
    `${SAME_IN_ALL} ${PORTS_WITH_CHECKSUM} ${DESTINATIONS}
    CREATE TABLE downloads (
      info_hash TEXT NOT NULL, part_path TEXT NOT NULL, part_inode INTEGER NOT NULL, size INTEGER NOT NULL,
      bitfield BLOB NOT NULL, crc INTEGER NOT NULL, boot_id TEXT NOT NULL,
      mtime_ns INTEGER NOT NULL DEFAULT 0, ctime_ns INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (info_hash, part_path)
    ) STRICT;
    INSERT INTO downloads VALUES (${DOWNLOAD}, 3364892175, '0f5b', 0, 0);
    PRAGMA user_version = 5;`,
  ],
]);

/** Makes the state file of that version, with `more` SQL, in the journal mode that it has been used in. */
export function makeStateFile(path: string, version: number, more = "", journal = "wal"): void {
  const tables = STATE_FILES.get(version);
  if (tables === undefined) throw new Error(`no state file of version ${version}`);
  runSql(path, `PRAGMA journal_mode = ${journal}; ${tables} ${more}`);
}

export function runSql(path: string, sql: string): void {
  const database = new Database(path, { create: true, readwrite: true });
  database.run(sql);
  database.close();
}

/** @returns every row of what the SQL selects. */
export function rowsOf(path: string, sql: string): unknown[][] {
  const database = new Database(path, { readwrite: true });
  const rows = database.query(sql).values();
  database.close();
  return rows;
}
