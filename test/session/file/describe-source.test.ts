import { describe, expect, test } from "bun:test";
import { HashFailure } from "../../../src/hashing/hash-failure.ts";
import type { HashRangeOptions } from "../../../src/hashing/hash-range.ts";
import { MAX_SERVABLE_LENGTH, pieceLengthFor } from "../../../src/core/torrent/piece-length.ts";
import { describeSource, type DescribableFile } from "../../../src/session/file/describe-source.ts";
import { MemoryStore } from "../../../src/storage/memory-store.ts";

const stamp = { dev: 1n, inode: 2n, size: 9, mtimeNs: 3n, ctimeNs: 4n };
const DIGEST = new Uint8Array(20).fill(7);

function sourceOf(changes: Partial<DescribableFile> = {}): DescribableFile {
  const file = { path: "/data/disk.img", name: "disk.img", fd: 3, size: 9, stamp };
  return { ...file, changed: () => Promise.resolve(false), ...changes };
}

class Described {
  readonly store = new MemoryStore();
  readonly asked: HashRangeOptions[] = [];
  readonly progress: number[] = [];

  describe(source: DescribableFile, hashed: () => Promise<Uint8Array> = () => Promise.resolve(DIGEST)) {
    const pool = {
      hashRange: (range: HashRangeOptions) => {
        this.asked.push(range);
        range.onProgress?.(range.length);
        return hashed();
      },
    };
    const { signal } = new AbortController();
    const onProgress = (done: number) => this.progress.push(done);
    return describeSource(source, { store: this.store, pool, signal, onProgress });
  }
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

describe("describeSource", () => {
  test("hashes all of the open file once, and answers from the store after that", async () => {
    const described = new Described();
    const first = await described.describe(sourceOf());
    expect([first.cached, first.metainfo.pieces, first.metainfo.name]).toEqual([false, DIGEST, "disk.img"]);
    expect(described.asked).toMatchObject([{ fd: 3, offset: 0, length: 9, pieceLength: pieceLengthFor(9) }]);
    expect(described.progress).toEqual([9]);
    const second = await described.describe(sourceOf());
    expect([second.cached, second.metainfo.infoHash]).toEqual([true, first.metainfo.infoHash]);
    expect(described.asked).toHaveLength(1);
  });

  test("X4: a file of which the store has another number of hashes is hashed", async () => {
    const described = new Described();
    described.store.rememberHashedFile({
      stamp,
      pieceLength: pieceLengthFor(9),
      pieces: new Uint8Array(40),
    });
    const { cached, metainfo } = await described.describe(sourceOf());
    expect([cached, metainfo.pieces]).toEqual([false, DIGEST]);
  });

  test("a file with another stamp is hashed again", async () => {
    const described = new Described();
    await described.describe(sourceOf());
    const touched = sourceOf({ stamp: { ...stamp, ctimeNs: 5n } });
    expect((await described.describe(touched)).cached).toBe(false);
  });

  test("C7: a file that changed while it was hashed has no metainfo and is not remembered", async () => {
    const described = new Described();
    const changing = sourceOf({ changed: () => Promise.resolve(true) });
    expect(await failureOf(described.describe(changing))).toMatchObject({
      exitCode: 7,
      message: "/data/disk.img: changed while it was being shared; serve it again when it is finished",
    });
    expect(described.store.hashedFile(stamp, pieceLengthFor(9))).toBeUndefined();
  });

  test.each([
    ["a name that is no name elsewhere", { name: "a\nb" }, /its name .*rename it or serve a link/],
    [
      "a size beyond all pieces",
      { size: MAX_SERVABLE_LENGTH + 1 },
      /is larger than the .* that can be shared/,
    ],
  ])("%s is refused before anything is hashed", async (_, changes, message) => {
    const described = new Described();
    const failure = await failureOf(described.describe(sourceOf(changes)));
    expect(failure).toMatchObject({ exitCode: 3, message: expect.stringMatching(message) });
    expect(described.asked).toEqual([]);
  });

  test.each([
    ["ESHORT", 7, "/data/disk.img: changed while it was being shared; serve it again when it is finished"],
    ["EIO", 3, "/data/disk.img: cannot be read (EIO); check the file and its disk"],
    ["EWORKER", 5, "cannot hash /data/disk.img: the worker said why; run the same command again"],
  ])("hashing that fails with %s ends with %d and one line", async (code, exitCode, message) => {
    const failing = () => Promise.reject(new HashFailure("/data/disk.img", code, "the worker said why"));
    const failure = await failureOf(new Described().describe(sourceOf(), failing));
    expect(failure).toMatchObject({ exitCode, message });
  });

  test("an aborted hashing ends with its own reason", async () => {
    const reason = new Error("stopped");
    expect(await failureOf(new Described().describe(sourceOf(), () => Promise.reject(reason)))).toBe(reason);
  });
});
