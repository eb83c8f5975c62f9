import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskError } from "../../../src/lib/errors.ts";
import { sha1 } from "../../../src/lib/sha1.ts";
import { KiB, MiB } from "../../../src/lib/units.ts";
import type { LoadResult } from "../../../src/session/file/file-content.ts";
import { SpanContent } from "../../../src/session/file/span-content.ts";
import { digestsOf } from "../fixtures/fake-content.ts";
import { FakePool } from "../fixtures/fake-resources.ts";
import { promises, until } from "../../helpers/event-loop.ts";

const folder = mkdtempSync(join(tmpdir(), "p2pfile-content-"));
const opened: number[] = [];
afterAll(() => {
  for (const fd of opened) closeSync(fd);
  rmSync(folder, { recursive: true });
});

const SIZE = 2 * MiB + 5;
const CONTENT = crypto.getRandomValues(new Uint8Array(64 * KiB));
let files = 0;

class Fixture {
  readonly path = join(folder, String(files++));
  readonly pool = new FakePool();
  readonly content: SpanContent;
  readonly pressure: boolean[] = [];
  readonly errors: DiskError[] = [];

  /** `pieceLength`: of a part file that is written to; undefined: the file is complete. */
  constructor(pieceLength?: number) {
    writeFileSync(this.path, new Uint8Array(SIZE));
    const fd = openSync(this.path, "r+");
    opened.push(fd);
    this.content = new SpanContent({
      file: { fd, path: this.path },
      size: SIZE,
      pool: this.pool,
      readSpans: 4,
      ...(pieceLength !== undefined && {
        writing: {
          pieceLength,
          spans: 4,
          onPressure: (paused) => this.pressure.push(paused),
          onError: (error) => this.errors.push(error),
        },
      }),
    });
  }

  load(offset: number, length: number): Promise<LoadResult> {
    return new Promise((resolve) => this.content.onLoaded(offset, length, resolve));
  }

  /** Another program writes to the file. */
  change(offset: number, bytes: Uint8Array): void {
    const fd = openSync(this.path, "r+");
    writeSync(fd, bytes, 0, bytes.length, offset);
    closeSync(fd);
  }
}

describe("SpanContent", () => {
  test("has bytes in memory once they were loaded", async () => {
    const fixture = new Fixture();
    const { content } = fixture;
    expect(content.cached(0, 10)).toBeUndefined();
    expect([await fixture.load(0, 10), content.cached(0, 10)]).toEqual([
      { type: "loaded" },
      new Uint8Array(10),
    ]);
    await content.close();
  });

  test("C8: while it is suspended it has nothing, loads nothing, and answers in a later turn", async () => {
    const fixture = new Fixture();
    const { content } = fixture;
    await fixture.load(0, 10);
    content.suspend();
    expect(content.cached(0, 10)).toBeUndefined();
    let answer: LoadResult | undefined;
    content.onLoaded(0, 10, (result) => (answer = result));
    expect(answer).toBeUndefined();
    await Promise.resolve();
    expect(answer).toEqual({ type: "suspended" });
    expect(await fixture.load(MiB, 10)).toEqual({ type: "suspended" });
    content.resume();
    expect([content.cached(0, 10), content.cached(MiB, 10)]).toEqual([new Uint8Array(10), undefined]);
    await content.close();
  });

  test("C8: a load that was under way when it was suspended is answered with that", async () => {
    const fixture = new Fixture();
    const load = fixture.load(0, 10);
    fixture.content.suspend();
    expect(await load).toEqual({ type: "suspended" });
    await fixture.content.close();
  });

  test("says what a load fails with", async () => {
    const fixture = new Fixture();
    await fixture.content.close();
    expect(await fixture.load(0, 10)).toMatchObject({ type: "failed", error: expect.any(DiskError) });
  });

  test("what changed in the file is read anew after it was forgotten, and not before", async () => {
    const fixture = new Fixture();
    await fixture.load(0, 4);
    fixture.change(0, CONTENT.subarray(0, 4));
    expect(fixture.content.cached(0, 4)).toEqual(new Uint8Array(4));
    fixture.content.forget(0, 4);
    expect(fixture.content.cached(0, 4)).toBeUndefined();
    await fixture.load(0, 4);
    expect(fixture.content.cached(0, 4)).toEqual(CONTENT.slice(0, 4));
    await fixture.content.close();
  });

  test("a piece of a span is hashed on its way to the file", async () => {
    const { content, pool, path } = new Fixture(64 * KiB);
    content.write(64 * KiB, CONTENT);
    expect(await content.digest(64 * KiB, 64 * KiB)).toEqual(sha1(CONTENT));
    expect([pool.stored, pool.exclusive]).toEqual([[64 * KiB], []]);
    expect(readFileSync(path).subarray(64 * KiB, 128 * KiB)).toEqual(Buffer.from(CONTENT));
    await content.close();
  });

  test("a piece longer than a span is hashed from the file, which is its own until it is published", async () => {
    const { content, pool } = new Fixture(2 * MiB);
    const piece = new Uint8Array(2 * MiB).fill(3);
    content.write(0, piece);
    expect(await content.digest(0, 2 * MiB)).toEqual(sha1(piece));
    content.publish();
    await content.digest(0, 2 * MiB);
    await content.hash({ offset: 0, length: SIZE, pieceLength: MiB });
    expect([pool.stored, pool.exclusive]).toEqual([[], [true, false, false]]);
    await content.close();
  });

  test("a complete file is never taken for its own", async () => {
    const { content, pool } = new Fixture();
    const digests = await content.hash({ offset: 5, length: 2 * MiB, pieceLength: MiB });
    expect(digests).toEqual(digestsOf(new Uint8Array(2 * MiB), MiB));
    expect(pool.exclusive).toEqual([false]);
    expect(() => content.write(0, CONTENT)).toThrow("a complete file is not written to");
    await content.flush();
    await content.close();
  });

  test("flush brings what was written to the file", async () => {
    const { content, path } = new Fixture(64 * KiB);
    content.write(7, CONTENT.subarray(0, 100));
    await content.flush();
    content.write(0, CONTENT.subarray(0, 1));
    await content.flush();
    expect(readFileSync(path)[0]).toBe(CONTENT[0]);
    expect(readFileSync(path).subarray(7, 107)).toEqual(Buffer.from(CONTENT.subarray(0, 100)));
    await content.close();
  });

  test("waits when it is closed for what is on its way to the file", async () => {
    const { content, pool } = new Fixture(64 * KiB);
    const stored = Promise.withResolvers<Uint8Array>();
    pool.storePiece = () => stored.promise;
    content.write(0, CONTENT);
    const closed = content.close();
    await promises();
    expect(Bun.peek.status(closed)).toBe("pending");
    stored.resolve(sha1(CONTENT));
    await closed;
  });

  test("buffers as many bytes as it was given spans, whatever the length of a piece", async () => {
    const { content, pool, pressure } = new Fixture(64 * KiB);
    const stored = Promise.withResolvers<Uint8Array>();
    pool.storePiece = () => stored.promise;
    // Of the file, which is shorter than its buffers, every piece waits twice.
    const write = (count: number) => {
      for (let piece = 0; piece < count; piece++) content.write((piece % 32) * 64 * KiB, CONTENT);
    };
    write(63);
    expect(pressure).toEqual([]);
    write(1);
    expect(pressure).toEqual([true]);
    stored.resolve(sha1(CONTENT));
    await content.close();
  });

  test("P8: a disk that fails is reported once", async () => {
    const { content, pool, errors } = new Fixture(64 * KiB);
    pool.failure = Object.assign(new Error("no space"), { code: "ENOSPC" });
    content.write(0, CONTENT);
    await until(() => errors.length > 0);
    await expect(content.digest(0, 64 * KiB)).rejects.toBeInstanceOf(DiskError);
    expect(errors).toHaveLength(1);
    await content.close();
  });

  test("once closed nothing is hashed: the number of the descriptor may be another file's", async () => {
    const { content, pool } = new Fixture(64 * KiB);
    await content.close();
    await expect(content.digest(0, 64 * KiB)).rejects.toThrow("is closed");
    await expect(content.hash({ offset: 0, length: 1, pieceLength: 1 })).rejects.toThrow("is closed");
    expect(pool.exclusive).toEqual([]);
  });
});
