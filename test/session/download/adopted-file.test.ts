import { describe, expect, spyOn, test } from "bun:test";
import { linkSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HashFailure } from "../../../src/hashing/hash-failure.ts";
import { partFileName } from "../../../src/storage/own-files.ts";
import { SourceFile } from "../../../src/storage/source-file.ts";
import { LocalFileFixture, useLocalFiles } from "../fixtures/local-file-fixture.ts";
import { CONTENT, METAINFO, PIECE_LENGTH, PIECES } from "../fixtures/small-torrent.ts";
import { promises, until } from "../../helpers/event-loop.ts";

useLocalFiles();

describe("a download's file that stands there already", () => {
  test("is hashed, taken as it is, and remembered", async () => {
    const fixture = new LocalFileFixture();
    writeFileSync(fixture.path, CONTENT);
    const file = await fixture.open();
    expect([file.existed, file.have.isFull, fixture.progress]).toEqual([true, true, [CONTENT.length]]);
    file.verified(PIECES[0]!);
    expect((await file.finish()).path).toBe(fixture.path);
    expect(await fixture.remembered()).toEqual(METAINFO.pieces);
    await file.close();
    expect([fixture.partPath, fixture.openCount]).toEqual([undefined, 0]);
  });

  test("P1: loses the hidden name that a kill between the last two steps left it", async () => {
    const fixture = new LocalFileFixture();
    writeFileSync(fixture.path, CONTENT);
    linkSync(fixture.path, join(fixture.directory, partFileName("model.bin", METAINFO.infoHash)));
    const file = await fixture.open();
    expect([file.existed, fixture.partPath]).toEqual([true, undefined]);
    await file.close();
  });

  test("is not hashed when the store knows it", async () => {
    const fixture = new LocalFileFixture();
    writeFileSync(fixture.path, CONTENT);
    for (let i = 0; i < 2; i++) await (await fixture.open()).close();
    expect(fixture.session.pool.ranges).toEqual([CONTENT.length]);
  });

  test("is not remembered when it changed while it was hashed", async () => {
    const fixture = new LocalFileFixture();
    writeFileSync(fixture.path, CONTENT);
    const hashing = Promise.withResolvers<void>();
    fixture.session.pool.held = hashing.promise;
    const opening = fixture.open();
    await until(() => fixture.session.pool.ranges.length === 1);
    utimesSync(fixture.path, 1, 1);
    hashing.resolve();
    const file = await opening;
    const finished = await file.finish();
    // A watch finds the change at its first look.
    expect(await finished.changed()).toBe(true);
    expect(fixture.session.store.hashedFile(finished.stamp, PIECE_LENGTH)).toBeUndefined();
    await file.close();
  });

  test("C12: with other content it is refused and left as it is", async () => {
    const fixture = new LocalFileFixture();
    writeFileSync(fixture.path, new Uint8Array(CONTENT.length));
    await expect(fixture.open()).rejects.toMatchObject({
      exitCode: 4,
      message: `${fixture.path}: already exists with other content; move it away or choose another --dir`,
    });
    expect([fixture.openCount, readdirSync(fixture.directory)]).toEqual([0, ["model.bin"]]);
  });

  test("that cannot be hashed is closed again", async () => {
    const fixture = new LocalFileFixture();
    writeFileSync(fixture.path, CONTENT);
    fixture.session.pool.failure = new HashFailure("x", "EIO", "no");
    await expect(fixture.open()).rejects.toMatchObject({ exitCode: 5 });
    expect(fixture.openCount).toBe(0);
  });

  test("is closed after all reads of it have ended", async () => {
    const fixture = new LocalFileFixture();
    writeFileSync(fixture.path, CONTENT);
    const file = await fixture.open();
    const read = Promise.withResolvers<void>();
    const close = file.content.close.bind(file.content);
    file.content.close = async () => {
      await read.promise;
      await close();
    };
    using closing = spyOn(SourceFile.prototype, "close");
    const closed = file.close();
    await promises();
    expect([closing.mock.calls, fixture.openCount]).toEqual([[], 1]);
    read.resolve();
    await closed;
    expect(fixture.openCount).toBe(0);
  });
});
