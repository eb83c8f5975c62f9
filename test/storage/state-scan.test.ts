import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { copyFileSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAX_JOURNAL_LENGTH, MAX_STATE_ROWS } from "../../src/storage/limits.ts";
import { MemoryStore } from "../../src/storage/memory-store.ts";
import { openStateStore } from "../../src/storage/open-store.ts";
import { SqliteStore } from "../../src/storage/sqlite-store.ts";
import { isPlainEntry } from "../../src/storage/state-page.ts";
import { RecordingLogger, StorageFixture, wallMs } from "./storage-fixture.ts";
import { makeStateFile, runSql, STATE_FILES } from "./state-versions.ts";
import { hash } from "./stored-records.ts";

const fixture = new StorageFixture();
const VERSION = STATE_FILES.size;
const ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c";
/** For the opening and a write. Generous, for a machine that does other things: an endless statement takes for ever. */
const SOON_MS = 1_000;

/** Opens the store of a folder and writes to it. */
function use(folder: string) {
  const logger = new RecordingLogger();
  const before = performance.now();
  const store = openStateStore(folder, { logger, wallMs });
  store.rememberPort(hash(1), 5);
  const took = performance.now() - before;
  const port = store.portOf(hash(1));
  store.close();
  return { store, port, took, warnings: logger.warnings, names: readdirSync(folder) };
}

function expectPutAside(folder: string): void {
  const { store, port, took, warnings, names } = use(folder);
  expect(store).toBeInstanceOf(SqliteStore);
  expect(port).toBe(5);
  expect(took).toBeLessThan(SOON_MS);
  expect(warnings).toHaveLength(1);
  expect(names).toContain(`.p2pfile.db.corrupt-${wallMs()}`);
}

describe("a state file with the right marks is put aside before a statement runs", () => {
  const hostile: [string, string][] = [
    ["a trigger", `CREATE TRIGGER t AFTER INSERT ON ports BEGIN SELECT (${ENDLESS}); END`],
    ["a trigger on a deletion", `CREATE TRIGGER t BEFORE DELETE ON metadata BEGIN SELECT (${ENDLESS}); END`],
    [
      "a view in place of a table",
      `ALTER TABLE ports RENAME TO p; CREATE VIEW ports AS SELECT * FROM p WHERE (${ENDLESS}) > 0`,
    ],
    ["another table", "CREATE TABLE more (a)"],
    ["a virtual table", "CREATE VIRTUAL TABLE more USING fts5(a)"],
    ["an index over an expression", "CREATE INDEX i ON ports (hex(zeroblob(100000000)))"],
    [
      "an index of its own name",
      "CREATE UNIQUE INDEX i ON ports (port) WHERE length(zeroblob(900000000)) > 0",
    ],
    [
      "a check in a table",
      "DROP TABLE ports; CREATE TABLE ports (info_hash TEXT PRIMARY KEY, port INTEGER NOT NULL CHECK (length(hex(zeroblob(400000000))) > 0), crc INTEGER NOT NULL) STRICT",
    ],
    ["a generated column", "ALTER TABLE ports ADD COLUMN more TEXT AS (hex(zeroblob(400000000))) VIRTUAL"],
    ["a huge value", `INSERT INTO metadata VALUES ('x', zeroblob(40000000))`],
    ["a huge text", `INSERT INTO metadata VALUES (hex(zeroblob(20000000)), x'00')`],
    [
      "rows without end",
      `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT ${MAX_STATE_ROWS + 9}) INSERT INTO ports SELECT x, 1, 1 FROM c`,
    ],
    [
      "a schema of many pages",
      Array.from({ length: 300 }, (_, index) => `CREATE TABLE more${index} (a TEXT)`).join(";"),
    ],
  ];
  test.each(hostile)("X4: %s", (_, sql) => {
    const folder = fixture.folder();
    makeStateFile(join(folder, ".p2pfile.db"), VERSION, `${sql};`, "delete");
    expectPutAside(folder);
  });

  test("X4: a trigger that is in its log alone", () => {
    const folder = fixture.folder();
    const source = join(fixture.folder(), "state.db");
    makeStateFile(source, VERSION);
    const open = new Database(source);
    open.run("PRAGMA wal_autocheckpoint = 0");
    open.run(`CREATE TRIGGER t AFTER INSERT ON ports BEGIN SELECT (${ENDLESS}); END`);
    for (const suffix of ["", "-wal"]) copyFileSync(source + suffix, join(folder, `.p2pfile.db${suffix}`));
    open.close();
    expectPutAside(folder);
  });

  test("X4: a text encoding that its tables do not have", () => {
    const folder = fixture.folder();
    const path = join(folder, ".p2pfile.db");
    runSql(path, `PRAGMA encoding = 'UTF-16'; ${STATE_FILES.get(VERSION)}`);
    expectPutAside(folder);
  });

  test("X4: a journal that names another file, or that is too long", () => {
    const target = join(fixture.folder(), "victim");
    writeFileSync(target, "x");
    for (const long of [false, true]) {
      const folder = fixture.folder();
      const path = join(folder, ".p2pfile.db");
      makeStateFile(path, VERSION, "", "delete");
      const magic = Buffer.from("d9d505f920a163d7", "hex");
      writeFileSync(`${path}-journal`, Buffer.concat([magic, Buffer.alloc(504), Buffer.from(target), magic]));
      if (long) truncateSync(`${path}-journal`, MAX_JOURNAL_LENGTH + 1);
      expectPutAside(folder);
      expect(readFileSync(target, "utf8")).toBe("x");
    }
  });
});

describe("a file that we did not make", () => {
  const names = [".p2pfile.db", ".p2pfile.db-journal", ".p2pfile.db-wal", ".p2pfile.db-shm"];
  test.each(names)("C13: under the name %s is left alone, and the state lives in memory", (name) => {
    for (const plant of [
      (path: string) => Bun.spawnSync(["mkfifo", path]),
      (path: string) => symlinkSync(join(fixture.path, "elsewhere"), path),
    ]) {
      const folder = fixture.folder();
      if (name !== ".p2pfile.db") makeStateFile(join(folder, ".p2pfile.db"), VERSION);
      const before = readdirSync(folder);
      plant(join(folder, name));
      const { store, took, warnings, names: after } = use(folder);
      expect(store).toBeInstanceOf(MemoryStore);
      expect(took).toBeLessThan(SOON_MS);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(`${join(folder, name)} is not a regular file`);
      expect(after.toSorted()).toEqual([...before, name].toSorted());
      expect(readdirSync(fixture.path)).not.toContain("elsewhere");
    }
  });
});

describe("isPlainEntry", () => {
  test("X4: passes the tables of every version, and no other text", () => {
    for (const [version, sql] of STATE_FILES) {
      const path = join(fixture.folder(), "state.db");
      runSql(path, sql);
      const database = new Database(path);
      const rows = database
        .query<{ type: string; name: string; sql: string }, []>("SELECT type, name, sql FROM sqlite_schema")
        .all();
      database.close();
      expect(rows).toHaveLength(version < 4 ? 8 : 10);
      for (const row of rows) {
        expect(isPlainEntry(row)).toBe(true);
        expect(isPlainEntry({ ...row, name: "other" })).toBe(false);
        expect(isPlainEntry({ ...row, type: "trigger" })).toBe(false);
        expect(isPlainEntry({ ...row, sql: `${row.sql} ` })).toBe(false);
      }
    }
  });
});
