// The steps from each version of the state file to the next. A released step is never changed: it knows the tables and check
// sums of its two versions, not the current ones. Rows keep their rowid, which is their age.
import type { Database } from "bun:sqlite";
import { rowChecksum } from "./state-checksum.ts";

/** Runs inside the transaction of all steps, on a connection that reads integers as bigints. */
export type MigrationStep = (database: Database) => void;

/** `[0]` takes a file of version 1 to version 2, and so on. */
export const MIGRATIONS: readonly MigrationStep[] = [checkWholeRows, dropClean, addDestinations, addTimes];

/** 1 to 2: the check sum covers the whole row, and ports have one; in version 1 it covers pieces and bitfield alone. */
function checkWholeRows(database: Database): void {
  database.run("ALTER TABLE ports ADD COLUMN crc INTEGER NOT NULL DEFAULT 0");
  eachRow(database, "ports", "info_hash, port", ([infoHash, port]) => rowChecksum([infoHash, port]));
  const file = "dev, inode, piece_length, size, mtime_ns, ctime_ns, pieces, crc";
  eachRow(database, "hashed_files", file, (row) => {
    const [pieces, crc] = row.slice(6);
    return isIntact(pieces, crc) ? rowChecksum(row.slice(0, 7)) : undefined;
  });
  const download = "info_hash, part_path, part_inode, size, bitfield, boot_id, clean, crc";
  eachRow(database, "downloads", download, (row) => {
    return isIntact(row[4], row[7]) ? rowChecksum(row.slice(0, 7)) : undefined;
  });
}

/** 2 to 3: a download has no `clean`, which says whether the run that wrote it ended in order. */
function dropClean(database: Database): void {
  const download = "info_hash, part_path, part_inode, size, bitfield, boot_id, clean, crc";
  eachRow(database, "downloads", download, (row) => {
    return rowChecksum(row.slice(0, 7)) === row[7] ? rowChecksum(row.slice(0, 6)) : undefined;
  });
  database.run("ALTER TABLE downloads DROP COLUMN clean");
}

/** 3 to 4: the ids of the directories that files are downloaded to. */
function addDestinations(database: Database): void {
  database.run(
    "CREATE TABLE destinations (directory TEXT PRIMARY KEY, id TEXT NOT NULL, crc INTEGER NOT NULL) STRICT",
  );
}

/** 4 to 5: a download has the times of its part file at an orderly end; 0: none, so its pieces are checked. */
function addTimes(database: Database): void {
  const download = "info_hash, part_path, part_inode, size, bitfield, boot_id, crc";
  for (const column of ["mtime_ns", "ctime_ns"])
    database.run(`ALTER TABLE downloads ADD COLUMN ${column} INTEGER NOT NULL DEFAULT 0`);
  eachRow(database, "downloads", download, (row) => {
    return rowChecksum(row.slice(0, 6)) === row[6] ? rowChecksum([...row.slice(0, 6), 0n, 0n]) : undefined;
  });
}

/** Writes the check sum that `checksumOf` gives for each row; a row for which it gives none is damaged, and deleted. */
function eachRow(
  database: Database,
  table: string,
  columns: string,
  checksumOf: (row: readonly unknown[]) => bigint | undefined,
): void {
  // Row by row: the hashes of all files together may be 10 MiB.
  for (const [rowid] of database.query(`SELECT rowid FROM ${table}`).values()) {
    if (typeof rowid !== "bigint") continue;
    const [row] = database.query(`SELECT ${columns} FROM ${table} WHERE rowid = ?`).values(rowid);
    const crc = row === undefined ? undefined : checksumOf(row);
    if (crc === undefined) database.query(`DELETE FROM ${table} WHERE rowid = ?`).run(rowid);
    else database.query(`UPDATE ${table} SET crc = ? WHERE rowid = ?`).run(crc, rowid);
  }
}

function isIntact(bytes: unknown, crc: unknown): boolean {
  return bytes instanceof Uint8Array && BigInt(Bun.hash.crc32(bytes)) === crc;
}
