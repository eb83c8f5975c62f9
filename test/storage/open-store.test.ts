import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLogger } from "../helpers/silent-logger.ts";
import { MemoryStore } from "../../src/storage/memory-store.ts";
import { openStateStore } from "../../src/storage/open-store.ts";
import { SqliteStore } from "../../src/storage/sqlite-store.ts";
import { RecordingLogger, StorageFixture, wallMs } from "./storage-fixture.ts";
import { hash, record, stamp } from "./stored-records.ts";

const fixture = new StorageFixture();

describe("openStateStore", () => {
  test("keeps the state in SQLite where it can", () => {
    const folder = fixture.folder();
    const store = openStateStore(folder, { logger: silentLogger, wallMs });
    expect(store).toBeInstanceOf(SqliteStore);
    store.close();
    expect(existsSync(join(folder, ".p2pfile.db"))).toBe(true);
  });

  test.each(["/proc", "/nowhere/at/all"])("C14: falls back to memory with one warning in %s", (folder) => {
    const logger = new RecordingLogger();
    const store = openStateStore(folder, { logger, wallMs });
    store.rememberPort(hash(1), 5);
    expect(store.portOf(hash(1))).toBe(5);
    store.close();
    expect(store).toBeInstanceOf(MemoryStore);
    expect(logger.warnings).toHaveLength(1);
    expect(logger.warnings[0]).toContain(folder);
  });

  test("C10: falls back to memory with one warning when the file system became read-only", () => {
    const disk = fixture.smallDisk(8 << 20);
    if (disk === undefined) return;
    const before = openStateStore(disk, { logger: silentLogger, wallMs });
    before.rememberPort(hash(1), 5);
    before.close();
    expect(Bun.spawnSync(["mount", "-o", "remount,ro", disk]).success).toBe(true);
    const logger = new RecordingLogger();
    const store = openStateStore(disk, { logger, wallMs });
    expect(store).toBeInstanceOf(MemoryStore);
    expect(logger.warnings).toHaveLength(1);
    store.close();
  });

  test("C13: keeps the state in a directory of its own where other users can write", () => {
    const folder = fixture.folder();
    chmodSync(folder, 0o1777);
    symlinkSync(join(folder, "elsewhere"), join(folder, ".p2pfile.db"));
    const logger = new RecordingLogger();
    const store = openStateStore(folder, { logger, wallMs });
    expect(store).toBeInstanceOf(SqliteStore);
    store.close();
    const own = `.p2pfile-${process.geteuid?.()}`;
    expect(readdirSync(folder).toSorted()).toEqual([own, ".p2pfile.db"].toSorted());
    expect(readdirSync(join(folder, own))).toEqual([".p2pfile.db"]);
    expect(logger.warnings).toEqual([]);
  });

  test("C13: no other user can read the file, also one that an earlier build made, and so lock it", () => {
    const folder = fixture.folder();
    const path = join(folder, ".p2pfile.db");
    for (let run = 0; run < 2; run++) {
      const store = openStateStore(folder, { logger: silentLogger, wallMs });
      store.rememberPort(hash(1), 5);
      for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
      store.close();
      chmodSync(path, 0o644);
    }
  });

  test("C13: falls back to memory with one warning where a file was planted under its directory's name", () => {
    const folder = fixture.folder();
    chmodSync(folder, 0o1777);
    const own = join(folder, `.p2pfile-${process.geteuid?.()}`);
    writeFileSync(own, "");
    const logger = new RecordingLogger();
    expect(openStateStore(folder, { logger, wallMs })).toBeInstanceOf(MemoryStore);
    expect(logger.warnings).toHaveLength(1);
    expect(logger.warnings[0]).toStartWith(`${own} is not a directory: nothing is remembered`);
  });

  test("C13: falls back to memory with one warning when the file belongs to another user", () => {
    if (process.getuid?.() !== 0) return;
    const folder = fixture.folder();
    openStateStore(folder, { logger: silentLogger, wallMs }).close();
    chownSync(join(folder, ".p2pfile.db"), 65_534, 65_534);
    const logger = new RecordingLogger();
    expect(openStateStore(folder, { logger, wallMs })).toBeInstanceOf(MemoryStore);
    expect(logger.warnings).toHaveLength(1);
    expect(logger.warnings[0]).toContain("belongs to another user");
  });

  test("C9: goes on when the disk is full, with one warning", () => {
    const disk = fixture.smallDisk(1 << 20);
    if (disk === undefined) return;
    const logger = new RecordingLogger();
    const store = openStateStore(disk, { logger, wallMs });
    store.saveDownload(record(1));
    for (let number = 0; number < 10; number++) {
      store.rememberHashedFile({ stamp: stamp(number), pieceLength: 4, pieces: new Uint8Array(500_000) });
    }
    expect(store.download(hash(1), "/data/ä 1")).toEqual(record(1));
    expect(logger.warnings).toHaveLength(1);
    store.close();
  });
});
