// What every state store does.
import { describe, expect, test } from "bun:test";
import {
  MAX_STORED_DOWNLOADS,
  MAX_STORED_HASHED_FILES,
  MAX_STORED_METADATA,
  MAX_STORED_PORTS,
} from "../../src/storage/limits.ts";
import { silentLogger } from "../helpers/silent-logger.ts";
import { MemoryStore } from "../../src/storage/memory-store.ts";
import { SqliteStore } from "../../src/storage/sqlite-store.ts";
import type { FileStamp, StateStore } from "../../src/storage/state-store.ts";
import { StorageFixture, wallMs } from "./storage-fixture.ts";
import { hash, record, stamp } from "./stored-records.ts";

const fixture = new StorageFixture();

const stores: readonly [string, () => StateStore][] = [
  ["SqliteStore", () => new SqliteStore(fixture.folder(), { logger: silentLogger, wallMs })],
  ["MemoryStore", () => new MemoryStore()],
];

describe.each(stores)("%s", (_, open) => {
  test("gives back what was stored, and undefined for the rest", () => {
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
    store.rememberDestination("/data/ä 1", "00ff");
    expect([store.destinationId("/data/ä 1"), store.destinationId("/data")]).toEqual(["00ff", undefined]);
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
    store.saveDownload(record(1, { partPath: "/other", bootId: "other" }));
    store.saveDownload(record(1, { bitfield: new Uint8Array([255, 255, 255]) }));
    expect(store.download(hash(1), "/data/ä 1")?.bitfield).toEqual(new Uint8Array([255, 255, 255]));
    expect(store.download(hash(1), "/other")?.bootId).toBe("other");
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
    // Saved again: the oldest is another.
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
