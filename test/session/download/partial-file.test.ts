import { describe, expect, spyOn, test } from "bun:test";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import type { LocalFile } from "../../../src/session/download/local-file-types.ts";
import { createMetainfo } from "../../../src/core/format/metainfo.ts";
import { HashFailure } from "../../../src/hashing/hash-failure.ts";
import { RESUME_TICK_MS } from "../../../src/session/download/limits.ts";
import { openLocalFile } from "../../../src/session/download/local-file.ts";
import { stampOf } from "../../../src/storage/file-stamp.ts";
import { RESUME_SYNC_MS } from "../../../src/storage/limits.ts";
import { PartFile } from "../../../src/storage/part-file.ts";
import { LocalFileFixture, receive, useLocalFiles } from "../fixtures/local-file-fixture.ts";
import { CONTENT, METAINFO, PIECE_LENGTH, PIECES } from "../fixtures/small-torrent.ts";
import { promises, until } from "../../helpers/event-loop.ts";

useLocalFiles();

/** Hashes what the file may hold, as a download does. */
function check(file: LocalFile): Promise<void> {
  return file.check((piece, isRight) => {
    if (!isRight) return;
    file.have.set(piece);
    file.verified(piece);
  });
}

/** Changes a byte. */
function writeAt(path: string, position: number): void {
  const fd = openSync(path, "r+");
  writeSync(fd, Uint8Array.of(CONTENT[position]! ^ 1), 0, 1, position);
  closeSync(fd);
}

describe("a download's file that is not there", () => {
  test("grows under a hidden name, and stands under its own when it is finished", async () => {
    const fixture = new LocalFileFixture();
    const file = await fixture.open();
    expect([file.existed, file.have.isEmpty, fixture.session.pool.preparedTimes]).toEqual([false, true, 1]);
    await receive(file);
    const partPath = fixture.partPath!;
    expect([existsSync(fixture.path), existsSync(partPath)]).toEqual([false, true]);
    expect(fixture.session.store.download(METAINFO.infoHash, partPath)).toBeDefined();
    const { path, stamp } = await file.finish();
    expect(path).toBe(fixture.path);
    expect(stamp).toEqual(await stampOf(fixture.path));
    expect(readFileSync(fixture.path)).toEqual(Buffer.from(CONTENT));
    expect(fixture.session.store.download(METAINFO.infoHash, partPath)).toBeUndefined();
    await file.close();
    expect([fixture.partPath, fixture.openCount, fixture.session.clock.timerCount]).toEqual([
      undefined,
      0,
      0,
    ]);
  });

  test("has all that was written in it when it gets its name, and is not mapped as its own from then on", async () => {
    const fixture = new LocalFileFixture();
    const file = await fixture.open();
    await receive(file);
    const range = { offset: 0, length: 1, pieceLength: 1 };
    await file.content.hash(range);
    file.content.write(5, new Uint8Array(3));
    await file.finish();
    expect([...readFileSync(fixture.path).subarray(5, 8)]).toEqual([0, 0, 0]);
    await file.content.hash(range);
    expect(fixture.session.pool.exclusive).toEqual([true, false]);
    await file.close();
  });

  test("is remembered as hashed once it is finished: every digest was just compared", async () => {
    const fixture = new LocalFileFixture();
    const file = await fixture.open();
    await receive(file);
    await file.finish();
    expect(await fixture.remembered()).toEqual(METAINFO.pieces);
    await file.close();
    expect(await fixture.remembered()).toEqual(METAINFO.pieces);
  });

  test("is not remembered when another process wrote to it before it had its name", async () => {
    const fixture = new LocalFileFixture();
    const file = await fixture.open();
    await receive(file);
    const finishing = file.finish();
    await until(() => existsSync(fixture.path));
    // The clock of a file's times is a coarse one.
    utimesSync(fixture.path, 1, statSync(fixture.path).mtimeMs / 1000 + 1);
    const finished = await finishing;
    expect(await fixture.remembered()).toBeUndefined();
    expect(await finished.changed()).toBe(true);
    expect(fixture.session.store.hashedFile(finished.stamp, PIECE_LENGTH)).toBeUndefined();
    await file.close();
  });

  test("is found again by the next run, which trusts the recorded pieces and remembers nothing of them", async () => {
    const fixture = new LocalFileFixture();
    const first = await fixture.open();
    await receive(first, PIECES.slice(0, 2));
    await first.close();
    expect([existsSync(fixture.path), fixture.openCount]).toEqual([false, 0]);
    const second = await fixture.open();
    expect(PIECES.map((piece) => second.have.get(piece))).toEqual([true, true, false]);
    expect(fixture.session.pool.ranges).toEqual([]);
    await receive(second, PIECES.slice(2));
    await second.finish();
    // Two digests were compared by an earlier run, and another program may have written since.
    expect(await fixture.remembered()).toBeUndefined();
    await second.close();
  });

  test("what no record speaks of is hashed, right pieces are kept, and the finished file is remembered", async () => {
    const fixture = new LocalFileFixture();
    await (await fixture.open()).close();
    const part = fixture.partPath!;
    expect(fixture.session.store.download(METAINFO.infoHash, part)).toBeDefined();
    fixture.session.store.forgetDownload(METAINFO.infoHash, part);
    const fd = openSync(part, "r+");
    writeSync(fd, CONTENT.subarray(0, PIECE_LENGTH + 9), 0);
    closeSync(fd);
    const file = await fixture.open();
    expect([file.have.isEmpty, file.unchecked.isFull]).toEqual([true, true]);
    await check(file);
    expect(PIECES.map((piece) => file.have.get(piece))).toEqual([true, false, false]);
    expect(fixture.progress).toEqual([CONTENT.length]);
    await receive(file, PIECES.slice(1));
    await file.finish();
    expect(await fixture.remembered()).toEqual(METAINFO.pieces);
    await file.close();
  });

  test("what was hashed and right is trusted by the run after", async () => {
    const fixture = new LocalFileFixture();
    await (await fixture.open()).close();
    const part = fixture.partPath!;
    fixture.session.store.forgetDownload(METAINFO.infoHash, part);
    writeFileSync(part, CONTENT.subarray(0, 2 * PIECE_LENGTH), { flag: "r+" });
    const second = await fixture.open();
    await check(second);
    await second.close();
    const { ranges } = fixture.session.pool;
    expect(ranges.splice(0)).toEqual([CONTENT.length]);
    const third = await fixture.open();
    await check(third);
    expect(PIECES.map((piece) => third.have.get(piece))).toEqual([true, true, false]);
    // Some file systems count reserved space as written once it was read.
    for (const length of ranges) expect(length).toBe(PIECE_LENGTH);
    await third.close();
  });

  test.each(["finished", "closed"])("is not synced and %s before its last write has ended", async (how) => {
    const fixture = new LocalFileFixture();
    const file = await fixture.open();
    const stored = Promise.withResolvers<Uint8Array>();
    fixture.session.pool.storePiece = () => stored.promise;
    using finishing = spyOn(PartFile.prototype, "finish");
    using syncing = spyOn(PartFile.prototype, "sync");
    file.content.write(0, CONTENT.subarray(0, PIECE_LENGTH));
    const ending = how === "finished" ? file.finish() : file.close();
    await promises();
    expect([finishing.mock.calls, syncing.mock.calls]).toEqual([[], []]);
    stored.resolve(new Uint8Array(20));
    await ending;
    expect(syncing).toHaveBeenCalledTimes(1);
    expect(existsSync(fixture.path)).toBe(how === "finished");
    await file.close();
  });

  const changes: [string, (part: string) => void][] = [
    ["a write", (part) => writeAt(part, 5)],
    ["a touch", (part) => utimesSync(part, 1, 1)],
    ["a copy over it", (part) => writeFileSync(part, readFileSync(part))],
  ];
  test.each(changes)(
    "P3: after %s nothing that the record names is had before it was hashed",
    async (_, change) => {
      const fixture = new LocalFileFixture();
      const first = await fixture.open();
      await receive(first, PIECES.slice(0, 2));
      await first.close();
      change(fixture.partPath!);
      const file = await fixture.open();
      expect([file.have.isEmpty, file.unchecked.count >= 2]).toEqual([true, true]);
      await check(file);
      expect(file.have.get(1)).toBe(true);
      expect(file.have.get(0)).toBe(readFileSync(fixture.partPath!)[5] === CONTENT[5]);
      await file.close();
    },
  );

  test("closed while it is checked, it ends the check and leaves no descriptor", async () => {
    const fixture = new LocalFileFixture();
    await (await fixture.open()).close();
    fixture.session.store.forgetDownload(METAINFO.infoHash, fixture.partPath!);
    fixture.session.pool.held = new Promise(() => {});
    const file = await fixture.open();
    const checking = check(file);
    await file.close();
    await checking;
    expect([fixture.openCount, file.have.isEmpty]).toEqual([0, true]);
  });

  test("that cannot be checked says so", async () => {
    const fixture = new LocalFileFixture();
    await (await fixture.open()).close();
    fixture.session.store.forgetDownload(METAINFO.infoHash, fixture.partPath!);
    fixture.session.pool.failure = new HashFailure("x", "EIO", "no");
    const file = await fixture.open();
    await expect(check(file)).rejects.toMatchObject({ exitCode: 5 });
    await file.close();
    expect([fixture.openCount, fixture.session.clock.timerCount]).toEqual([0, 0]);
  });

  test("records what is verified while it grows", async () => {
    const fixture = new LocalFileFixture();
    const file = await fixture.open();
    await receive(file, PIECES.slice(0, 1));
    const recorded = () => fixture.session.store.download(METAINFO.infoHash, fixture.partPath!)?.bitfield[0];
    expect(recorded()).toBe(0);
    await fixture.session.clock.pass(RESUME_SYNC_MS + RESUME_TICK_MS);
    await until(() => recorded() === 0b1000_0000);
    await file.close();
  });

  test("P8: a disk that fails is reported", async () => {
    const fixture = new LocalFileFixture();
    const file = await fixture.open();
    fixture.session.pool.failure = Object.assign(new Error("no space"), { code: "ENOSPC" });
    file.content.write(0, CONTENT.subarray(0, PIECE_LENGTH));
    await until(() => fixture.failures.length > 0);
    expect(fixture.failures).toMatchObject([{ exitCode: 5 }]);
    await file.close();
  });

  test("a disk that is behind is reported, and when it has caught up", async () => {
    const fixture = new LocalFileFixture();
    const file = await fixture.open();
    const large = createMetainfo("large.bin", 40 << 20, 1 << 20, new Uint8Array(40 * 20));
    const other = await openLocalFile({
      metainfo: large,
      directory: fixture.directory,
      resources: fixture.session.resources(),
      onProgress() {},
      onPressure: (paused) => fixture.pressure.push(paused),
      onFailure: (error) => fixture.failures.push(error),
    });
    for (let piece = 0; piece < 20; piece++) other.content.write(piece << 20, new Uint8Array(1 << 20));
    expect(fixture.pressure).toEqual([true]);
    await until(() => fixture.pressure.length === 2);
    expect([fixture.pressure, fixture.failures]).toEqual([[true, false], []]);
    await other.close();
    await file.close();
  });
});
