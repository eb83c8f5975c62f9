import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { infoHashOf } from "../../src/core/torrent/ids.ts";
import { MAX_STORED_PORTS } from "../../src/storage/limits.ts";
import { silentLogger } from "../helpers/silent-logger.ts";
import { SqliteStore } from "../../src/storage/sqlite-store.ts";
import { runSql } from "./state-versions.ts";
import { RecordingLogger, StorageFixture, wallMs } from "./storage-fixture.ts";
import { hash, record, stamp } from "./stored-records.ts";

const fixture = new StorageFixture();
const FIXTURE = join(import.meta.dir, "fixtures/insert-rows.ts");

describe("SqliteStore", () => {
  test("keeps records across runs in one hidden file", () => {
    const folder = fixture.folder();
    const first = new SqliteStore(folder, { logger: silentLogger, wallMs });
    first.saveDownload(record(1));
    first.close();
    expect(readdirSync(folder)).toEqual([".p2pfile.db"]);
    const second = new SqliteStore(folder, { logger: silentLogger, wallMs });
    expect(second.download(hash(1), "/data/ä 1")).toEqual(record(1));
    second.close();
  });

  test("uses a write-ahead log and marks the file as its own", () => {
    const folder = fixture.folder();
    const store = new SqliteStore(folder, { logger: silentLogger, wallMs });
    const database = new Database(join(folder, ".p2pfile.db"));
    expect(database.query("PRAGMA journal_mode").values()).toEqual([["wal"]]);
    expect(database.query("PRAGMA application_id").values()).toEqual([[0x70327066]]);
    database.close();
    store.close();
  });

  test.each([
    ["a disk (ext4)", 0xef53, "wal"],
    ["NFS", 0x6969, "delete"],
    ["CIFS, as a negative number", 0xff534d42 | 0, "delete"],
    ["Lustre", 0x0bd00bd0, "delete"],
  ])("has, on %s, the journal for it", (_, type, journal) => {
    const folder = fixture.folder();
    const store = new SqliteStore(folder, { logger: silentLogger, wallMs, statfs: () => ({ type }) });
    store.rememberPort(hash(1), 5);
    expect(store.portOf(hash(1))).toBe(5);
    const database = new Database(join(folder, ".p2pfile.db"));
    expect(database.query("PRAGMA journal_mode").values()).toEqual([[journal]]);
    database.close();
    store.close();
  });

  const others: readonly [string, (path: string) => void][] = [
    ["is no database", (path) => writeFileSync(path, "x".repeat(10_000))],
    [
      "is the database of another program",
      (path) => runSql(path, "CREATE TABLE t (a); PRAGMA user_version = 1"),
    ],
  ];
  test.each(others)("X4: puts a file aside that %s, with one warning", (_, make) => {
    const folder = fixture.folder();
    const path = join(folder, ".p2pfile.db");
    make(path);
    const before = readFileSync(path);
    const logger = new RecordingLogger();
    const store = new SqliteStore(folder, { logger, wallMs });
    store.rememberPort(hash(1), 5);
    expect(store.portOf(hash(1))).toBe(5);
    store.close();
    expect(logger.warnings).toHaveLength(1);
    expect(readFileSync(join(folder, `.p2pfile.db.corrupt-${wallMs()}`))).toEqual(before);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test("X4: starts a new file when the old one is damaged, found at once or in the middle of a run", () => {
    for (const whileOpen of [false, true]) {
      const folder = fixture.folder();
      const filled = new SqliteStore(folder, { logger: silentLogger, wallMs });
      for (let number = 0; number < 200; number++) {
        filled.saveDownload(record(number, { bitfield: new Uint8Array(32_768) }));
      }
      filled.close();
      const logger = new RecordingLogger();
      const opened = whileOpen ? new SqliteStore(folder, { logger, wallMs }) : undefined;
      // The header and the schema stay; every table is noise.
      const bytes = readFileSync(join(folder, ".p2pfile.db"));
      bytes.fill(0xa5, 4096);
      writeFileSync(join(folder, ".p2pfile.db"), bytes);
      const store = opened ?? new SqliteStore(folder, { logger, wallMs });
      for (let number = 0; number < 200; number++) store.download(hash(number), `/data/ä ${number}`);
      store.saveDownload(record(7));
      expect(store.download(hash(7), "/data/ä 7")).toEqual(record(7));
      store.close();
      expect(logger.warnings).toHaveLength(1);
      expect(readdirSync(folder).filter((name) => name.includes("corrupt"))).not.toEqual([]);
    }
  });

  test("X4: does not believe a bitfield, hashes or metadata whose check sum is wrong", () => {
    const folder = fixture.folder();
    const store = new SqliteStore(folder, { logger: silentLogger, wallMs });
    store.saveDownload(record(1));
    store.rememberHashedFile({ stamp: stamp(1), pieceLength: 4, pieces: new Uint8Array(20) });
    store.rememberMetadata(hash(1), new TextEncoder().encode("1"));
    runSql(
      join(folder, ".p2pfile.db"),
      "UPDATE downloads SET bitfield = x'ffffff'; UPDATE hashed_files SET pieces = x'01'; UPDATE metadata SET info = x'02'",
    );
    expect(store.download(hash(1), "/data/ä 1")).toBeUndefined();
    expect(store.hashedFile(stamp(1), 4)).toBeUndefined();
    expect(store.metadata(hash(1))).toBeUndefined();
    store.close();
  });

  test("X2: gives up on a write after a bounded wait for another process, and goes on", () => {
    const folder = fixture.folder();
    const logger = new RecordingLogger();
    const store = new SqliteStore(folder, { logger, wallMs });
    const other = new Database(join(folder, ".p2pfile.db"));
    other.run("BEGIN IMMEDIATE");
    const start = performance.now();
    store.rememberPort(hash(1), 1);
    store.rememberPort(hash(1), 1);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(store.portOf(hash(1))).toBeUndefined();
    other.run("ROLLBACK");
    other.close();
    expect(logger.warnings).toHaveLength(1);
    store.rememberPort(hash(1), 2);
    expect(store.portOf(hash(1))).toBe(2);
    store.close();
  });

  test("X2: serves eight processes that start and write at once, without a warning", async () => {
    const folder = fixture.folder();
    const children = Array.from({ length: 8 }, (_, index) =>
      Bun.spawn([process.execPath, FIXTURE, folder, String(index * 100), "50"], { stdout: "pipe" }),
    );
    const outputs = await Promise.all(children.map((child) => new Response(child.stdout).text()));
    for (const output of outputs) expect(output.trim().split("\n").slice(-1)).toEqual(["end"]);
    expect(outputs.join("")).not.toContain("warning");
    const database = new Database(join(folder, ".p2pfile.db"));
    expect(database.query("SELECT count(*) FROM ports").values()).toEqual([[400]]);
    database.close();
  }, 30_000);

  test("P1: keeps every acknowledged row when its process is killed while inserting", async () => {
    const folder = fixture.folder();
    for (let round = 0; round < 3; round++) {
      const child = Bun.spawn([process.execPath, FIXTURE, folder, "0", "1000000"], { stdout: "pipe" });
      const reader = child.stdout.getReader();
      let text = "";
      while (text.split("\n").length < 300) {
        const { done, value } = await reader.read();
        if (done) break;
        text += new TextDecoder().decode(value);
      }
      child.kill("SIGKILL");
      await child.exited;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        text += new TextDecoder().decode(value);
      }
      const last = Number(text.slice(0, text.lastIndexOf("\n")).split("\n").at(-1));
      expect(last).toBeGreaterThan(200);
      const logger = new RecordingLogger();
      const store = new SqliteStore(folder, { logger, wallMs });
      const first = Math.max(0, last - MAX_STORED_PORTS + 10);
      for (let number = first; number <= last; number++) {
        expect(store.portOf(infoHashOf(Uint8Array.fromHex(number.toString(16).padStart(40, "0"))))).toBe(
          number,
        );
      }
      store.close();
      expect(logger.warnings).toEqual([]);
    }
  }, 30_000);
});
