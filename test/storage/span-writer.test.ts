import { describe, expect, test } from "bun:test";
import { closeSync, fstatSync, openSync, readFileSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { BLOCK_LENGTH } from "../../src/core/torrent/limits.ts";
import { WRITE_SPAN_LENGTH } from "../../src/storage/limits.ts";
import { DiskError } from "../../src/lib/errors.ts";
import { sha1 } from "../../src/lib/sha1.ts";
import { SpanWriter, type SpanWriterOptions } from "../../src/storage/span-writer.ts";
import { failureOf, printedSeed, StorageFixture } from "./storage-fixture.ts";
import { seededRandom } from "../helpers/seeded-random.ts";

const storage = new StorageFixture();

interface Fixture extends Disposable {
  readonly path: string;
  readonly fd: number;
  readonly writer: SpanWriter;
  readonly pressure: boolean[];
  readonly errors: DiskError[];
}

type Options = Pick<SpanWriterOptions, "maxSpans" | "spanLength"> & { folder?: string; stored?: number[] };

/** `stored`: whole spans are stored by another hand, which notes their positions. */
function fixture(size: number, { folder, stored, ...options }: Options = {}): Fixture {
  const path = join(folder ?? storage.folder(), "file");
  const fd = openSync(path, "w+");
  const pressure: boolean[] = [];
  const errors: DiskError[] = [];
  const writer = new SpanWriter({
    fd,
    path,
    size,
    onPressure: (paused) => pressure.push(paused),
    onError: (error) => errors.push(error),
    ...options,
    ...(stored !== undefined && {
      store: async (position: number, bytes: Uint8Array) => {
        stored.push(position);
        await new Promise((resolve) => setImmediate(resolve));
        writeSync(fd, bytes, 0, bytes.length, position);
        return sha1(bytes);
      },
    }),
  });
  return { path, fd, writer, pressure, errors, [Symbol.dispose]: () => closeSync(fd) };
}

describe("SpanWriter", () => {
  test("makes holes of zeros in what it writes itself, in the place of what was there", async () => {
    const size = 2 * WRITE_SPAN_LENGTH;
    using file = fixture(size);
    writeSync(file.fd, new Uint8Array(size).fill(7), 0, size, 0);
    const before = fstatSync(file.fd).blocks;
    const content = new Uint8Array(size);
    content.set([1, 2, 3], 4 * BLOCK_LENGTH);
    content.set([4], size - 1);
    for (let at = 0; at < size; at += BLOCK_LENGTH)
      file.writer.write(at, content.subarray(at, at + BLOCK_LENGTH));
    await file.writer.sync();
    expect(Buffer.compare(readFileSync(file.path), content)).toBe(0);
    // Two of its 32 steps of 64 KiB hold data.
    expect(before - fstatSync(file.fd).blocks).toBe((30 * 65_536) / 512);
    await file.writer.close();
  });

  test("agrees with a byte array after random blocks, duplicates and flushes in random order", async () => {
    const random = seededRandom(printedSeed("SpanWriter"));
    for (let round = 0; round < 12; round++) {
      const size = Math.floor(WRITE_SPAN_LENGTH * (2 + random() * 6)) + 1;
      const model = new Uint8Array(size);
      const maxSpans = 2 + Math.floor(random() * 5);
      const spanLength = WRITE_SPAN_LENGTH / 2 ** Math.floor(random() * 3);
      using file = fixture(size, { maxSpans, spanLength, ...(round % 2 === 1 && { stored: [] }) });
      for (let step = 0; step < 400; step++) {
        const block = Math.floor((random() * size) / BLOCK_LENGTH);
        // Mostly whole blocks, sometimes ranges that no client asks for, across spans.
        const aligned = random() < 0.8;
        const offset = aligned ? block * BLOCK_LENGTH : Math.floor(random() * size);
        const length = Math.min(size - offset, aligned ? BLOCK_LENGTH : 1 + Math.floor(random() * 100_000));
        const bytes = new Uint8Array(length).fill(Math.floor(random() * 255) + 1);
        model.set(bytes, offset);
        file.writer.write(offset, bytes);
        // The writer must have its own copy.
        bytes.fill(0);
        if (random() < 0.05) {
          const from = Math.floor(random() * size);
          const count = Math.min(size - from, Math.floor(random() * 2 * WRITE_SPAN_LENGTH));
          const expected = model.slice(from, from + count);
          const digest = await file.writer.flush(from, count);
          if (digest !== undefined) expect(digest).toEqual(sha1(expected));
          const onDisk = readFileSync(file.path).subarray(from, from + count);
          expect(Buffer.compare(pad(onDisk, count), expected)).toBe(0);
        } else if (random() < 0.1) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      await file.writer.sync();
      expect(file.writer.pendingBytes).toBe(0);
      expect(Buffer.compare(pad(readFileSync(file.path), size), model)).toBe(0);
      expect(file.errors).toEqual([]);
      await file.writer.close();
    }
  });

  test("writes a full span without being asked", async () => {
    using file = fixture(2 * WRITE_SPAN_LENGTH);
    const block = new Uint8Array(BLOCK_LENGTH).fill(7);
    for (let offset = 0; offset < WRITE_SPAN_LENGTH; offset += BLOCK_LENGTH) file.writer.write(offset, block);
    expect(file.writer.pendingBytes).toBe(WRITE_SPAN_LENGTH);
    while (file.writer.pendingBytes > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(readFileSync(file.path).every((byte) => byte === 7)).toBe(true);
    await file.writer.close();
  });

  test("has full spans stored, and answers with the digest of exactly one of them", async () => {
    const stored: number[] = [];
    const spanLength = 4 * BLOCK_LENGTH;
    const size = 3 * spanLength + BLOCK_LENGTH + 1;
    using file = fixture(size, { stored, spanLength });
    const content = new Uint8Array(size).map((_, index) => index % 251);
    const write = (from: number, to: number) => file.writer.write(from, content.subarray(from, to));
    write(0, 2 * spanLength);
    expect(await file.writer.flush(0, spanLength)).toEqual(sha1(content.subarray(0, spanLength)));
    // It is in the file already, and its digest is not kept.
    expect(await file.writer.flush(0, spanLength)).toBeUndefined();
    // The last span is shorter.
    write(3 * spanLength, size);
    expect(await file.writer.flush(3 * spanLength, size - 3 * spanLength)).toEqual(
      sha1(content.subarray(3 * spanLength)),
    );
    // One that is sealed half full goes its own way, and so does the rest of it.
    write(2 * spanLength, 3 * spanLength - BLOCK_LENGTH);
    expect(await file.writer.flush(2 * spanLength, spanLength)).toBeUndefined();
    write(3 * spanLength - BLOCK_LENGTH, 3 * spanLength);
    expect(await file.writer.flush(2 * spanLength, spanLength)).toBeUndefined();
    expect(stored).toEqual([0, spanLength, 3 * spanLength]);
    write(0, 2 * spanLength);
    expect(await file.writer.flush(0, 2 * spanLength)).toBeUndefined();
    expect(Buffer.compare(readFileSync(file.path), content)).toBe(0);
    await file.writer.close();
  });

  test("never takes the digest of a span for that of a range that is longer or shorter", async () => {
    const spanLength = 4 * BLOCK_LENGTH;
    using file = fixture(2 * spanLength, { stored: [], spanLength });
    const span = new Uint8Array(spanLength).fill(3);
    for (const [at, offset, length] of [
      [0, 0, 2 * spanLength],
      [1, 0, 2 * spanLength],
      [0, 0, BLOCK_LENGTH],
      [1, spanLength + 1, spanLength - 1],
    ] as const) {
      file.writer.write(at * spanLength, span);
      expect(await file.writer.flush(offset, length)).toBeUndefined();
    }
    await file.writer.close();
  });

  test("fails when a span cannot be stored", async () => {
    const path = join(storage.folder(), "file");
    const fd = openSync(path, "w+");
    const errors: DiskError[] = [];
    const writer = new SpanWriter({
      fd,
      path,
      size: WRITE_SPAN_LENGTH,
      onPressure: () => {},
      onError: (error) => errors.push(error),
      store: () => Promise.reject(Object.assign(new Error("no space"), { code: "ENOSPC" })),
    });
    writer.write(0, new Uint8Array(WRITE_SPAN_LENGTH));
    expect(await failureOf(writer.flush(0, WRITE_SPAN_LENGTH))).toBeInstanceOf(DiskError);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("the disk is full")]);
    await writer.close();
    closeSync(fd);
  });

  test("keeps the order of two writes to one place while the first is under way", async () => {
    using file = fixture(WRITE_SPAN_LENGTH);
    for (let round = 1; round <= 50; round++) {
      file.writer.write(0, new Uint8Array(WRITE_SPAN_LENGTH).fill(round));
      file.writer.write(BLOCK_LENGTH, new Uint8Array(BLOCK_LENGTH).fill(200));
      file.writer.write(BLOCK_LENGTH, new Uint8Array(BLOCK_LENGTH).fill(100 + round));
    }
    await file.writer.flush(0, WRITE_SPAN_LENGTH);
    const bytes = readFileSync(file.path);
    expect([bytes[0], bytes[BLOCK_LENGTH], bytes[2 * BLOCK_LENGTH]]).toEqual([50, 150, 50]);
    await file.writer.close();
  });

  test("tells of pressure once when its spans run out, and again when the disk has caught up", async () => {
    using file = fixture(64 * WRITE_SPAN_LENGTH, { maxSpans: 4 });
    const block = new Uint8Array(BLOCK_LENGTH).fill(9);
    for (let span = 0; span < 64; span++) file.writer.write(span * WRITE_SPAN_LENGTH, block);
    expect(file.pressure).toEqual([true]);
    while (file.pressure.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(file.pressure).toEqual([true, false]);
    await file.writer.flush(0, 64 * WRITE_SPAN_LENGTH);
    const bytes = readFileSync(file.path);
    for (let span = 0; span < 64; span++) expect(bytes[span * WRITE_SPAN_LENGTH]).toBe(9);
    await file.writer.close();
  });

  test("resolves a flush of a range that holds nothing at once", async () => {
    using file = fixture(4 * WRITE_SPAN_LENGTH);
    file.writer.write(0, new Uint8Array(BLOCK_LENGTH));
    await file.writer.flush(WRITE_SPAN_LENGTH, WRITE_SPAN_LENGTH);
    expect(file.writer.pendingBytes).toBe(BLOCK_LENGTH);
    await file.writer.close();
    expect(file.writer.pendingBytes).toBe(0);
  });

  test("C9, C10: tells of a full disk once, fails its flushes and drops what follows", async () => {
    const folder = storage.smallDisk(4 * WRITE_SPAN_LENGTH);
    if (folder === undefined) return;
    using file = fixture(32 * WRITE_SPAN_LENGTH, { folder });
    const span = new Uint8Array(WRITE_SPAN_LENGTH).fill(1);
    for (let index = 0; index < 16; index++) file.writer.write(index * WRITE_SPAN_LENGTH, span);
    file.writer.write(20 * WRITE_SPAN_LENGTH, new Uint8Array(BLOCK_LENGTH));
    const failure = await failureOf(file.writer.flush(0, 32 * WRITE_SPAN_LENGTH));
    expect(failure).toBeInstanceOf(DiskError);
    expect(failure.message).toContain("the disk is full");
    expect(failure.message).toContain(file.path);
    file.writer.write(0, span);
    expect(await failureOf(file.writer.sync())).toBeInstanceOf(DiskError);
    await file.writer.close();
    expect(file.errors).toHaveLength(1);
    expect(file.writer.pendingBytes).toBe(0);
    expect(statfsSync(folder).bavail).toBe(0);
  });

  test("never blocks the event loop for the length of its writes", async () => {
    using file = fixture(32 * WRITE_SPAN_LENGTH);
    const span = new Uint8Array(WRITE_SPAN_LENGTH).fill(3);
    let turns = 0;
    const count = () => {
      turns++;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    for (let index = 0; index < 32; index++) {
      file.writer.write(index * WRITE_SPAN_LENGTH, span);
      if (file.pressure.at(-1) === true) await file.writer.flush(0, 32 * WRITE_SPAN_LENGTH);
    }
    await file.writer.sync();
    clearImmediate(timer);
    expect(turns).toBeGreaterThan(10);
    await file.writer.close();
  });
});

/** A file that was not written to its end reads as zeros there. */
function pad(bytes: Uint8Array, length: number): Uint8Array {
  const padded = new Uint8Array(length);
  padded.set(bytes.subarray(0, length));
  return padded;
}
