import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { silentLogger } from "../helpers/silent-logger.ts";
import { MemoryStore } from "../../src/storage/memory-store.ts";
import { openStateStore } from "../../src/storage/open-store.ts";
import { SqliteStore } from "../../src/storage/sqlite-store.ts";
import { type MigrationStep, MIGRATIONS } from "../../src/storage/state-migrations.ts";
import { STATE_SCHEMA } from "../../src/storage/state-schema.ts";
import type { StateStore } from "../../src/storage/state-store.ts";
import { makeStateFile, RECORDS, rowsOf, runSql, STATE_FILES } from "./state-versions.ts";
import { RecordingLogger, StorageFixture, wallMs } from "./storage-fixture.ts";
import { hash } from "./stored-records.ts";

const fixture = new StorageFixture();
const FIXTURE = join(import.meta.dir, "fixtures/migrate-state.ts");
const CURRENT = STATE_FILES.size;
const TABLES = ["ports", "hashed_files", "metadata", "downloads", "destinations"] as const;

function knownTo(store: StateStore): unknown {
  const { ports, hashedFile, metadata, download } = RECORDS;
  return {
    ports: ports.map(({ infoHash }) => ({ infoHash, port: store.portOf(infoHash) })),
    hashedFile: store.hashedFile(hashedFile.stamp, hashedFile.pieceLength),
    metadata: { infoHash: metadata.infoHash, info: store.metadata(metadata.infoHash) },
    download: store.download(download.infoHash, download.partPath),
  };
}

/** Of each table: its columns with their types, and the key. Without defaults, which a step gives to rows that are there. */
function columnsOf(path: string): unknown {
  return TABLES.map((table) =>
    rowsOf(path, `SELECT name, type, "notnull", pk FROM pragma_table_info('${table}') ORDER BY name`),
  );
}

/** A folder with the state file of that version. */
function folderWith(version: number, more = "", journal = "wal"): { folder: string; path: string } {
  const folder = fixture.folder();
  const path = join(folder, ".p2pfile.db");
  makeStateFile(path, version, more, journal);
  return { folder, path };
}

describe("the steps from version to version", () => {
  test("lead to the version after the last one", () => {
    expect([MIGRATIONS.length + 1, [...STATE_FILES.keys()]]).toEqual([CURRENT, [1, 2, 3, 4, 5]]);
  });

  test.each([...STATE_FILES.keys()])(
    "X4: a file of version %d keeps every record, without a warning",
    (version) => {
      const { folder, path } = folderWith(version);
      const logger = new RecordingLogger();
      for (let run = 0; run < 2; run++) {
        const store = new SqliteStore(folder, { logger, wallMs });
        expect(knownTo(store)).toEqual(RECORDS);
        store.close();
      }
      expect([logger.warnings, readdirSync(folder)]).toEqual([[], [".p2pfile.db"]]);
      expect(rowsOf(path, "PRAGMA user_version")).toEqual([[CURRENT]]);
      expect(rowsOf(path, "PRAGMA integrity_check")).toEqual([["ok"]]);
    },
  );

  test("lead to the tables of a new file", () => {
    const empty = fixture.folder();
    new SqliteStore(empty, { logger: silentLogger, wallMs }).close();
    for (const version of STATE_FILES.keys()) {
      const { folder, path } = folderWith(version);
      new SqliteStore(folder, { logger: silentLogger, wallMs }).close();
      expect(columnsOf(path)).toEqual(columnsOf(join(empty, ".p2pfile.db")));
    }
  });

  test("leave a file that can be written like a new one, oldest rows first to go", () => {
    const { folder } = folderWith(1);
    const store = new SqliteStore(folder, { logger: silentLogger, wallMs });
    for (let number = 3; number <= 1025; number++) store.rememberPort(hash(number), number);
    expect([store.portOf(hash(1)), store.portOf(hash(2)), store.portOf(hash(1025))]).toEqual([
      undefined,
      42_072,
      1025,
    ]);
    store.saveDownload({ ...RECORDS.download, bootId: "another" });
    expect(store.download(hash(1), "/data/ä 1")?.bootId).toBe("another");
    store.close();
  });

  test.each([1, 2])("X4: do not make a damaged record of version %d valid", (version) => {
    const { folder } = folderWith(
      version,
      "UPDATE downloads SET bitfield = x'ffffff'; UPDATE hashed_files SET pieces = x'01';",
    );
    const store = new SqliteStore(folder, { logger: silentLogger, wallMs });
    const { hashedFile, download } = RECORDS;
    expect(store.download(download.infoHash, download.partPath)).toBeUndefined();
    expect(store.hashedFile(hashedFile.stamp, hashedFile.pieceLength)).toBeUndefined();
    expect(store.portOf(hash(1))).toBe(42_071);
    store.close();
  });

  test("a file that is not what its version says is put aside with one warning", () => {
    for (const more of ["DROP TABLE downloads;", "PRAGMA user_version = -1;"]) {
      const { folder, path } = folderWith(1, more);
      const before = readFileSync(path);
      const logger = new RecordingLogger();
      const store = new SqliteStore(folder, { logger, wallMs });
      store.rememberPort(hash(1), 5);
      expect(store.portOf(hash(1))).toBe(5);
      store.close();
      expect(logger.warnings).toHaveLength(1);
      const aside = readdirSync(folder).filter((name) => name.includes("corrupt"));
      expect(aside.map((name) => readFileSync(join(folder, name)))).toEqual([before]);
    }
  });
});

describe("a step that is added", () => {
  const withStep = (step: MigrationStep) => ({
    logger: silentLogger,
    wallMs,
    schema: { ...STATE_SCHEMA, steps: [...STATE_SCHEMA.steps, step] },
  });

  test("runs once, after all others", () => {
    const { folder, path } = folderWith(1);
    const columns: unknown[] = [];
    const step: MigrationStep = (database) =>
      void columns.push(database.query("SELECT name FROM pragma_table_info('downloads')").values().flat());
    for (let run = 0; run < 2; run++) new SqliteStore(folder, withStep(step)).close();
    expect(columns).toHaveLength(1);
    expect(columns[0]).not.toContain("clean");
    expect(rowsOf(path, "PRAGMA user_version")).toEqual([[CURRENT + 1]]);
  });

  test("that fails leaves the file as it was, of its old version", () => {
    const { folder, path } = folderWith(1);
    const dump = () => rowsOf(path, "SELECT * FROM ports, hashed_files, metadata, downloads");
    const before = dump();
    const step: MigrationStep = (database) => {
      database.run("DELETE FROM ports");
      throw new RangeError("a bug of the step");
    };
    const warned = new RecordingLogger();
    const store = openStateStore(folder, { ...withStep(step), logger: warned });
    expect(store).toBeInstanceOf(MemoryStore);
    expect(warned.warnings).toHaveLength(1);
    expect([dump(), rowsOf(path, "PRAGMA user_version")]).toEqual([before, [[1]]]);
  });

  test.each(["wal", "delete"])(
    "P1: that is killed half way leaves the state file intact in its old version (journal %s)",
    async (journal) => {
      const { folder, path } = folderWith(1, "", journal);
      const child = Bun.spawn([process.execPath, FIXTURE, folder, "die"], { stdout: "pipe" });
      expect([await child.exited, child.signalCode]).toEqual([137, "SIGKILL"]);
      expect(readdirSync(folder).filter((name) => /-(?:wal|journal)$/.test(name))).toHaveLength(1);
      expect(rowsOf(path, "PRAGMA user_version")).toEqual([[1]]);
      const logger = new RecordingLogger();
      const store = new SqliteStore(folder, { logger, wallMs });
      expect(knownTo(store)).toEqual(RECORDS);
      store.close();
      expect(logger.warnings).toEqual([]);
    },
  );

  test("X2: takes the state file to its version in one of the processes that start at once", async () => {
    const { folder, path } = folderWith(1);
    const children = Array.from({ length: 4 }, () =>
      Bun.spawn([process.execPath, FIXTURE, folder, "mark"], { stdout: "pipe" }),
    );
    const outputs = await Promise.all(children.map((child) => new Response(child.stdout).text()));
    expect(outputs).toEqual(Array.from({ length: 4 }, () => "kept\n"));
    expect(rowsOf(path, "SELECT mark FROM metadata")).toEqual([[0]]);
    expect(rowsOf(path, "PRAGMA user_version")).toEqual([[CURRENT + 1]]);
  }, 30_000);
});

describe("a file of a newer program", () => {
  const NEWER = `ALTER TABLE ports ADD COLUMN more TEXT; PRAGMA user_version = ${CURRENT + 1};`;

  test("X4: a newer file is kept byte for byte, with one warning that names it, and the state lives in memory", () => {
    const { folder, path } = folderWith(CURRENT, NEWER);
    const before = readFileSync(path);
    const logger = new RecordingLogger();
    const store = openStateStore(folder, { logger, wallMs });
    store.rememberPort(hash(1), 5);
    expect([store.portOf(hash(1)), store.portOf(hash(2))]).toEqual([5, undefined]);
    store.close();
    expect(store).toBeInstanceOf(MemoryStore);
    expect(readdirSync(folder)).toEqual([".p2pfile.db"]);
    expect(readFileSync(path)).toEqual(before);
    expect(logger.warnings).toEqual([expect.stringContaining(`${path} was written by a newer p2pfile`)]);
  });

  test("a newer file is not opened either while its latest changes are in the log alone", () => {
    const { folder, path } = folderWith(CURRENT, NEWER);
    const script = `
      import { Database } from "bun:sqlite";
      const database = new Database(${JSON.stringify(path)});
      database.run("UPDATE ports SET port = 7");
      process.kill(process.pid, "SIGKILL");
    `;
    Bun.spawnSync([process.execPath, "-e", script]);
    const files = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]);
    const before = files();
    expect(before.map(([name]) => name)).toContain(".p2pfile.db-wal");
    openStateStore(folder, { logger: silentLogger, wallMs }).close();
    expect(files()).toEqual(before);
  });

  test("a newer file is recognised when the log alone has its version", () => {
    const { folder, path } = folderWith(CURRENT);
    const script = `
      import { Database } from "bun:sqlite";
      const database = new Database(${JSON.stringify(path)});
      database.run(${JSON.stringify(NEWER)});
      process.kill(process.pid, "SIGKILL");
    `;
    Bun.spawnSync([process.execPath, "-e", script]);
    const logger = new RecordingLogger();
    const store = openStateStore(folder, { logger, wallMs });
    store.close();
    expect(store).toBeInstanceOf(MemoryStore);
    expect(logger.warnings).toHaveLength(1);
    expect(rowsOf(path, "SELECT port, more FROM ports")).toEqual([
      [42_071, null],
      [42_072, null],
    ]);
  });

  test("X4: a newer file is not written to by a process that opened it before", () => {
    const { folder, path } = folderWith(CURRENT);
    const logger = new RecordingLogger();
    const store = openStateStore(folder, { logger, wallMs });
    runSql(path, `PRAGMA user_version = ${CURRENT + 1}`);
    store.rememberPort(hash(1), 5);
    store.rememberPort(hash(1), 6);
    expect(store.portOf(hash(1))).toBe(42_071);
    store.close();
    expect(logger.warnings).toHaveLength(1);
    expect(rowsOf(path, "SELECT port FROM ports")).toEqual([[42_071], [42_072]]);
  });
});
