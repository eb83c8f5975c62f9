import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type InfoHash, infoHashOf } from "../../src/core/ids.ts";
import {
  MAX_STORED_DOWNLOADS,
  MAX_STORED_HASHED_FILES,
  MAX_STORED_METADATA,
  MAX_STORED_PORTS,
} from "../../src/core/limits.ts";
import { silentLogger } from "../../src/lib/logger.ts";
import { sha1 } from "../../src/lib/sha1.ts";
import { MemoryStore } from "../../src/storage/memory-store.ts";
import { openStateStore } from "../../src/storage/open-store.ts";
import { SqliteStore } from "../../src/storage/sqlite-store.ts";
import type { DownloadRecord, FileStamp, StateStore } from "../../src/storage/state-store.ts";
import { RecordingLogger, StorageBed } from "./storage-bed.ts";

const bed = new StorageBed();
const FIXTURE = join(import.meta.dir, "fixtures/insert-rows.ts");

function hash(number: number): InfoHash {
  return infoHashOf(sha1(new TextEncoder().encode(String(number))));
}

function stamp(number: number): FileStamp {
  return {
    dev: 2n ** 64n - 1n,
    inode: 2n ** 63n + BigInt(number),
    size: 2 ** 44 - number,
    mtimeNs: 1_795_223_434_335_995_886n,
    ctimeNs: 1_795_223_434_335_995_887n,
  };
}

function record(number: number, more: Partial<DownloadRecord> = {}): DownloadRecord {
  return {
    infoHash: hash(number),
    partPath: `/data/ä ${number}`,
    partInode: 2n ** 64n - 1n - BigInt(number),
    size: 2 ** 44,
    bitfield: new Uint8Array([number & 255, 0x80, 0]),
    bootId: "0f5b",
    clean: false,
    ...more,
  };
}

const stores: readonly [string, () => StateStore][] = [
  ["SqliteStore", () => new SqliteStore(bed.folder(), silentLogger)],
  ["MemoryStore", () => new MemoryStore()],
];

describe.each(stores)("%s", (_, open) => {
  test("gives back what it was told, and undefined for the rest", () => {
    const store = open();
    expect([store.portOf(hash(1)), store.metadata(hash(1)), store.hashedFile(stamp(1), 4)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(store.download(hash(1), "/data/ä 1")).toBeUndefined();
    store.rememberPort(hash(1), 42_071);
    store.rememberPort(hash(1), 42_072);
    expect(store.portOf(hash(1))).toBe(42_072);
    const info = new TextEncoder().encode("1");
    store.rememberMetadata(hash(1), info);
    expect(store.metadata(hash(1))).toEqual(info);
    const file = { stamp: stamp(1), pieceLength: 1 << 20, pieces: new Uint8Array(40).fill(9) };
    store.rememberHashedFile(file);
    expect(store.hashedFile(stamp(1), 1 << 20)).toEqual(file);
    store.saveDownload(record(1));
    expect(store.download(hash(1), "/data/ä 1")).toEqual(record(1));
    store.close();
  });

  test("knows a hashed file only by all of its stamp and the same piece length", () => {
    const store = open();
    const pieces = new Uint8Array(20);
    store.rememberHashedFile({ stamp: stamp(1), pieceLength: 4, pieces });
    const others: Partial<FileStamp>[] = [
      { dev: 1n },
      { inode: 1n },
      { size: 1 },
      { mtimeNs: stamp(1).mtimeNs + 1n },
      { ctimeNs: stamp(1).ctimeNs + 1n },
    ];
    for (const other of others) expect(store.hashedFile({ ...stamp(1), ...other }, 4)).toBeUndefined();
    expect(store.hashedFile(stamp(1), 8)).toBeUndefined();
    store.rememberHashedFile({ stamp: { ...stamp(1), size: 5 }, pieceLength: 4, pieces });
    expect(store.hashedFile(stamp(1), 4)).toBeUndefined();
    store.close();
  });

  test("keeps one record per download and part file, the last one, until it is forgotten", () => {
    const store = open();
    store.saveDownload(record(1));
    store.saveDownload(record(1, { partPath: "/other", clean: true }));
    store.saveDownload(record(1, { bitfield: new Uint8Array([255, 255, 255]), clean: true }));
    expect(store.download(hash(1), "/data/ä 1")?.bitfield).toEqual(new Uint8Array([255, 255, 255]));
    expect(store.download(hash(1), "/other")?.clean).toBe(true);
    store.forgetDownload(hash(1), "/other");
    expect(store.download(hash(1), "/other")).toBeUndefined();
    expect(store.download(hash(1), "/data/ä 1")).toBeDefined();
    store.close();
  });

  test("is not changed by what the caller does to its arrays afterwards", () => {
    const store = open();
    const bitfield = new Uint8Array([1]);
    store.saveDownload(record(1, { bitfield }));
    bitfield[0] = 2;
    const found = store.download(hash(1), "/data/ä 1");
    expect(found?.bitfield).toEqual(new Uint8Array([1]));
    found?.bitfield.fill(3);
    expect(store.download(hash(1), "/data/ä 1")?.bitfield).toEqual(new Uint8Array([1]));
    store.close();
  });

  test("keeps the latest of each kind and no more", () => {
    const store = open();
    const pieces = new Uint8Array(20);
    for (let number = 0; number <= MAX_STORED_PORTS; number++)
      store.rememberPort(hash(number), 1000 + number);
    for (let number = 0; number <= MAX_STORED_HASHED_FILES; number++) {
      store.rememberHashedFile({ stamp: stamp(number), pieceLength: 4, pieces });
    }
    for (let number = 0; number <= MAX_STORED_METADATA; number++) {
      store.rememberMetadata(hash(number), new TextEncoder().encode(String(number)));
    }
    for (let number = 0; number < MAX_STORED_DOWNLOADS; number++) store.saveDownload(record(number));
    // Saved again, so it is not the oldest any more.
    store.saveDownload(record(0));
    store.saveDownload(record(MAX_STORED_DOWNLOADS));
    expect([store.portOf(hash(0)), store.portOf(hash(1))]).toEqual([undefined, 1001]);
    expect(store.hashedFile(stamp(0), 4)).toBeUndefined();
    expect(store.hashedFile(stamp(1), 4)).toBeDefined();
    expect(store.metadata(hash(0))).toBeUndefined();
    expect(store.metadata(hash(1))).toBeDefined();
    expect(store.download(hash(1), "/data/ä 1")).toBeUndefined();
    expect(store.download(hash(0), "/data/ä 0")).toBeDefined();
    expect(store.download(hash(2), "/data/ä 2")).toBeDefined();
    store.close();
  });
});

describe("SqliteStore", () => {
  test("remembers across runs in one hidden file", () => {
    const folder = bed.folder();
    const first = new SqliteStore(folder, silentLogger);
    first.saveDownload(record(1));
    first.close();
    expect(readdirSync(folder)).toEqual([".p2pfile.db"]);
    const second = new SqliteStore(folder, silentLogger);
    expect(second.download(hash(1), "/data/ä 1")).toEqual(record(1));
    second.close();
  });

  test("uses a write-ahead log and marks the file as its own", () => {
    const folder = bed.folder();
    const store = new SqliteStore(folder, silentLogger);
    const database = new Database(join(folder, ".p2pfile.db"));
    expect(database.query("PRAGMA journal_mode").values()).toEqual([["wal"]]);
    expect(database.query("PRAGMA application_id").values()).toEqual([[0x70327066]]);
    database.close();
    store.close();
  });

  const foreign: readonly [string, (path: string) => void][] = [
    ["is no database", (path) => writeFileSync(path, "x".repeat(10_000))],
    [
      "is the database of another program",
      (path) => makeDatabase(path, "CREATE TABLE t (a); PRAGMA user_version = 1"),
    ],
    [
      "was written by another version",
      (path) => {
        makeDatabase(path, "PRAGMA application_id = 0x70327066");
        makeDatabase(path, "PRAGMA user_version = 99");
      },
    ],
  ];
  test.each(foreign)("X4: puts a file aside that %s, with one warning", (_, make) => {
    const folder = bed.folder();
    const path = join(folder, ".p2pfile.db");
    make(path);
    const before = readFileSync(path);
    const logger = new RecordingLogger();
    const store = new SqliteStore(folder, logger);
    store.rememberPort(hash(1), 5);
    expect(store.portOf(hash(1))).toBe(5);
    store.close();
    expect(logger.warnings).toHaveLength(1);
    const aside = readdirSync(folder).filter((name) => name.startsWith(".p2pfile.db.corrupt-"));
    expect(aside).toHaveLength(1);
    expect(readFileSync(join(folder, aside[0] ?? ""))).toEqual(before);
  });

  test("X4: starts anew when the file is damaged, found at once or in the middle of a run", () => {
    for (const whileOpen of [false, true]) {
      const folder = bed.folder();
      const filled = new SqliteStore(folder, silentLogger);
      for (let number = 0; number < 200; number++) {
        filled.saveDownload(record(number, { bitfield: new Uint8Array(32_768) }));
      }
      filled.close();
      const logger = new RecordingLogger();
      const opened = whileOpen ? new SqliteStore(folder, logger) : undefined;
      // The header and the schema stay; every table is noise.
      const bytes = readFileSync(join(folder, ".p2pfile.db"));
      bytes.fill(0xa5, 4096);
      writeFileSync(join(folder, ".p2pfile.db"), bytes);
      const store = opened ?? new SqliteStore(folder, logger);
      for (let number = 0; number < 200; number++) store.download(hash(number), `/data/ä ${number}`);
      store.saveDownload(record(7));
      expect(store.download(hash(7), "/data/ä 7")).toEqual(record(7));
      store.close();
      expect(logger.warnings).toHaveLength(1);
      expect(readdirSync(folder).filter((name) => name.includes("corrupt"))).not.toEqual([]);
    }
  });

  test("X4: does not believe a bitfield, hashes or metadata whose check sum is wrong", () => {
    const folder = bed.folder();
    const store = new SqliteStore(folder, silentLogger);
    store.saveDownload(record(1));
    store.rememberHashedFile({ stamp: stamp(1), pieceLength: 4, pieces: new Uint8Array(20) });
    store.rememberMetadata(hash(1), new TextEncoder().encode("1"));
    makeDatabase(
      join(folder, ".p2pfile.db"),
      "UPDATE downloads SET bitfield = x'ffffff'; UPDATE hashed_files SET pieces = x'01'; UPDATE metadata SET info = x'02'",
    );
    expect(store.download(hash(1), "/data/ä 1")).toBeUndefined();
    expect(store.hashedFile(stamp(1), 4)).toBeUndefined();
    expect(store.metadata(hash(1))).toBeUndefined();
    store.close();
  });

  test("X2: gives up on a write after a bounded wait for another process, and goes on", () => {
    const folder = bed.folder();
    const logger = new RecordingLogger();
    const store = new SqliteStore(folder, logger);
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
    const folder = bed.folder();
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
    const folder = bed.folder();
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
      const store = new SqliteStore(folder, logger);
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

describe("openStateStore", () => {
  test("keeps the state in SQLite where it can", () => {
    const folder = bed.folder();
    const store = openStateStore(folder, silentLogger);
    expect(store).toBeInstanceOf(SqliteStore);
    store.close();
    expect(existsSync(join(folder, ".p2pfile.db"))).toBe(true);
  });

  test.each(["/proc", "/nowhere/at/all"])("C14: falls back to memory with one warning in %s", (folder) => {
    const logger = new RecordingLogger();
    const store = openStateStore(folder, logger);
    store.rememberPort(hash(1), 5);
    expect(store.portOf(hash(1))).toBe(5);
    store.close();
    expect(store).toBeInstanceOf(MemoryStore);
    expect(logger.warnings).toHaveLength(1);
    expect(logger.warnings[0]).toContain(folder);
  });

  test("C10: falls back to memory with one warning when the file system became read-only", () => {
    const disk = bed.smallDisk(8 << 20);
    if (disk === undefined) return;
    const before = openStateStore(disk, silentLogger);
    before.rememberPort(hash(1), 5);
    before.close();
    expect(Bun.spawnSync(["mount", "-o", "remount,ro", disk]).success).toBe(true);
    const logger = new RecordingLogger();
    const store = openStateStore(disk, logger);
    expect(store).toBeInstanceOf(MemoryStore);
    expect(logger.warnings).toHaveLength(1);
    store.close();
  });

  test("falls back to memory with one warning when the file belongs to another user", () => {
    const folder = bed.folder();
    openStateStore(folder, silentLogger).close();
    for (const path of [bed.path, folder]) chmodSync(path, 0o777);
    const script = `
      import { openStateStore } from ${JSON.stringify(join(import.meta.dir, "../../src/storage/open-store.ts"))};
      if (process.getuid() === 0) process.setuid(65534);
      let warnings = 0;
      const logger = { debug() {}, info() {}, warn() { warnings++; } };
      console.log(openStateStore(${JSON.stringify(folder)}, logger).constructor.name, warnings);
    `;
    chmodSync(join(folder, ".p2pfile.db"), 0o444);
    const { stdout } = Bun.spawnSync([process.execPath, "-e", script]);
    expect(stdout.toString()).toBe("MemoryStore 1\n");
  });

  test("C9: goes on when the disk is full, and says so once", () => {
    const disk = bed.smallDisk(1 << 20);
    if (disk === undefined) return;
    const logger = new RecordingLogger();
    const store = openStateStore(disk, logger);
    store.saveDownload(record(1));
    for (let number = 0; number < 10; number++) {
      store.rememberHashedFile({ stamp: stamp(number), pieceLength: 4, pieces: new Uint8Array(500_000) });
    }
    expect(store.download(hash(1), "/data/ä 1")).toEqual(record(1));
    expect(logger.warnings).toHaveLength(1);
    store.close();
  });
});

function makeDatabase(path: string, sql: string): void {
  const database = new Database(path, { create: true, readwrite: true });
  database.run(sql);
  database.close();
}
