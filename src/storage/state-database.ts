// Opens the state file with SQLite as data that is not to be believed: no symbolic link is followed, nothing in the schema is
// run, every page is checked before it is used. Reads integers as bigints. Does not make the file.
import { constants, Database, type SQLQueryBindings } from "bun:sqlite";

const OPEN_FLAGS = constants.SQLITE_OPEN_READWRITE | constants.SQLITE_OPEN_NOFOLLOW;

/** The flags of the opening leave no room for the option that makes integers bigints: each statement gets it. */
class StateDatabase extends Database {
  override query<Row, Bindings extends SQLQueryBindings | SQLQueryBindings[]>(
    sql: string,
  ): ReturnType<typeof Database.prototype.query<Row, Bindings>> {
    return super.query<Row, Bindings>(sql).safeIntegers(true);
  }
}

/** `path`: its directory is resolved. @throws SQLiteError */
export function openStateDatabase(path: string): Database {
  const database = new StateDatabase(path, OPEN_FLAGS);
  // Functions and virtual tables named by a schema are refused; a damaged page is found before it is gone through.
  database.run("PRAGMA trusted_schema = OFF");
  database.run("PRAGMA cell_size_check = ON");
  return database;
}
