// What a state file holds, looked at before any row is read or changed: its tables, how many rows they have, and how long their
// values are, which SQLite tells without reading them.
import type { Database } from "bun:sqlite";
import { MAX_STATE_LENGTH, MAX_STATE_ROWS, MAX_STATE_VALUE_LENGTH } from "./limits.ts";
import { isPlainEntry } from "./state-page.ts";
import { HostileState } from "./state-scan.ts";

/** The columns that may be long. The lengths of numbers are bounded by their type. */
const LONG_COLUMNS = {
  ports: ["info_hash"],
  hashed_files: ["pieces"],
  metadata: ["info_hash", "info"],
  downloads: ["info_hash", "part_path", "bitfield", "boot_id"],
  destinations: ["directory", "id"],
} as const;

/** Runs inside the transaction that opens the file. @throws HostileState */
export function checkContents(database: Database): void {
  const entries = database.query<{ type: unknown; name: unknown; sql: unknown }, []>(
    "SELECT type, name, sql FROM sqlite_schema",
  );
  const tables = new Set<unknown>();
  for (const entry of entries.all()) {
    if (!isPlainEntry(entry)) throw new HostileState("it holds more than the tables of a state file");
    if (entry.type === "table") tables.add(entry.name);
  }
  let total = 0;
  for (const [table, columns] of Object.entries(LONG_COLUMNS)) {
    if (tables.has(table)) total += lengthOf(database, table, columns);
  }
  if (total > MAX_STATE_LENGTH) throw new HostileState(`its rows have ${total} bytes`);
}

/** Bytes of the table's long values. */
function lengthOf(database: Database, table: string, columns: readonly string[]): number {
  const lengths = columns.map((column) => `octet_length(${column})`).join(", ");
  // A damaged tree of pages may have rows without end.
  const rows = database.query(`SELECT ${lengths} FROM ${table} LIMIT ${MAX_STATE_ROWS + 1}`).values();
  if (rows.length > MAX_STATE_ROWS) throw new HostileState(`its table ${table} has too many rows`);
  let total = 0;
  for (const length of rows.flat()) {
    const bytes = typeof length === "bigint" ? Number(length) : 0;
    if (bytes > MAX_STATE_VALUE_LENGTH)
      throw new HostileState(`a value in its table ${table} has ${bytes} bytes`);
    total += bytes;
  }
  return total;
}
