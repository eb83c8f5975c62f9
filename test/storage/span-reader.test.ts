import { describe, expect, test } from "bun:test";
import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { BLOCK_LENGTH } from "../../src/core/torrent/limits.ts";
import { READ_SPAN_LENGTH } from "../../src/storage/limits.ts";
import { DiskError, IntegrityError } from "../../src/lib/errors.ts";
import { SpanReader } from "../../src/storage/span-reader.ts";
import { failureOf, printedSeed, StorageFixture } from "./storage-fixture.ts";
import { seededRandom } from "../helpers/seeded-random.ts";

const storage = new StorageFixture();

interface Fixture extends Disposable {
  readonly path: string;
  readonly fd: number;
  readonly content: Uint8Array;
  readonly reader: SpanReader;
}

function fixture(size: number, maxSpans?: number): Fixture {
  const path = join(storage.folder(), "file");
  const content = new Uint8Array(size);
  const words = new Uint32Array(content.buffer, 0, Math.floor(size / 4));
  for (let index = 0; index < words.length; index++) words[index] = index * 2654435761;
  writeFileSync(path, content);
  const fd = openSync(path, "r+");
  const reader = new SpanReader({ fd, path, size, ...(maxSpans === undefined ? {} : { maxSpans }) });
  return { path, fd, content, reader, [Symbol.dispose]: () => closeSync(fd) };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("SpanReader", () => {
  test("gives the bytes of any range from any number of readers at once", async () => {
    const random = seededRandom(printedSeed("SpanReader"));
    const size = 40 * READ_SPAN_LENGTH + 12_345;
    using file = fixture(size, 12);
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        for (let step = 0; step < 30; step++) {
          const length = 1 + Math.floor(random() * (random() < 0.5 ? BLOCK_LENGTH : READ_SPAN_LENGTH));
          const offset = Math.floor(random() * (size - length));
          let bytes = file.reader.cached(offset, length);
          while (bytes === undefined) {
            await file.reader.load(offset, length);
            bytes = file.reader.cached(offset, length);
          }
          expect(Buffer.compare(bytes, file.content.subarray(offset, offset + length))).toBe(0);
        }
      }),
    );
    await file.reader.close();
  });

  test("has a range that was loaded, alone and across two spans", async () => {
    using file = fixture(3 * READ_SPAN_LENGTH);
    expect(file.reader.cached(0, BLOCK_LENGTH)).toBeUndefined();
    const offset = READ_SPAN_LENGTH - 100;
    await file.reader.load(offset, BLOCK_LENGTH);
    expect(file.reader.cached(offset, BLOCK_LENGTH)).toEqual(
      file.content.slice(offset, offset + BLOCK_LENGTH),
    );
    expect(file.reader.cached(0, 10)).toEqual(file.content.slice(0, 10));
    await file.reader.close();
  });

  test("reads ahead of one who reads in order, and not of others", async () => {
    using file = fixture(16 * READ_SPAN_LENGTH);
    await file.reader.load(4 * READ_SPAN_LENGTH, 10);
    for (let wait = 0; wait < 20; wait++) await turn();
    expect(file.reader.cached(5 * READ_SPAN_LENGTH, 10)).toBeUndefined();
    await file.reader.load(5 * READ_SPAN_LENGTH, 10);
    for (let span = 6; span < 16; span++) {
      let bytes = file.reader.cached(span * READ_SPAN_LENGTH, 10);
      for (let wait = 0; bytes === undefined && wait < 100_000; wait++) {
        await turn();
        bytes = file.reader.cached(span * READ_SPAN_LENGTH, 10);
      }
      expect(bytes).toEqual(file.content.slice(span * READ_SPAN_LENGTH, span * READ_SPAN_LENGTH + 10));
    }
    await file.reader.close();
  });

  test("keeps the spans used last", async () => {
    using file = fixture(40 * READ_SPAN_LENGTH, 4);
    await file.reader.load(0, 1);
    for (const span of [10, 20, 30, 38, 12]) {
      await file.reader.load(span * READ_SPAN_LENGTH, 1);
      expect(file.reader.cached(0, 1)).toBeDefined();
    }
    expect(file.reader.cached(10 * READ_SPAN_LENGTH, 1)).toBeUndefined();
    await file.reader.close();
  });

  test("reads again what was forgotten, also while it was being read", async () => {
    using file = fixture(2 * READ_SPAN_LENGTH);
    await file.reader.load(0, 4);
    const loading = file.reader.load(READ_SPAN_LENGTH, 4);
    writeSync(file.fd, new Uint8Array([1, 2, 3, 4]), 0, 4, 0);
    writeSync(file.fd, new Uint8Array([5, 6, 7, 8]), 0, 4, READ_SPAN_LENGTH);
    file.reader.forget(0, 2 * READ_SPAN_LENGTH);
    expect(file.reader.cached(0, 4)).toBeUndefined();
    await loading;
    expect(file.reader.cached(READ_SPAN_LENGTH, 4)).toEqual(new Uint8Array([5, 6, 7, 8]));
    await file.reader.load(0, 4);
    expect(file.reader.cached(0, 4)).toEqual(new Uint8Array([1, 2, 3, 4]));
    await file.reader.close();
  });

  test("C8: says that a file was cut instead of inventing bytes, and reads it when it is whole again", async () => {
    using file = fixture(4 * READ_SPAN_LENGTH);
    truncateSync(file.path, 2 * READ_SPAN_LENGTH + 5);
    const failure = await failureOf(file.reader.load(2 * READ_SPAN_LENGTH, 4));
    expect(failure).toBeInstanceOf(IntegrityError);
    expect(failure.message).toContain(file.path);
    expect(file.reader.cached(2 * READ_SPAN_LENGTH, 4)).toBeUndefined();
    writeFileSync(file.path, file.content);
    await file.reader.load(2 * READ_SPAN_LENGTH, 4);
    expect(file.reader.cached(2 * READ_SPAN_LENGTH, 4)).toBeDefined();
    await file.reader.close();
  });

  test("lets go of its descriptor when closed: nothing is under way, and later loads fail", async () => {
    using file = fixture(64 * READ_SPAN_LENGTH, 4);
    let done = 0;
    let failed = 0;
    for (let span = 0; span < 64; span++) {
      file.reader
        .load(span * READ_SPAN_LENGTH, 1)
        .catch(() => failed++)
        .finally(() => done++);
    }
    await file.reader.close();
    // Enough for the promises to run on, not for a read to end.
    for (let step = 0; step < 10; step++) await Promise.resolve();
    expect(done).toBe(64);
    expect(failed).toBeGreaterThan(0);
    expect(await failureOf(file.reader.load(0, 1))).toBeInstanceOf(DiskError);
    expect(file.reader.cached(0, 1)).toBeUndefined();
  });
});
