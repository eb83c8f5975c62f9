import { describe, expect, test } from "bun:test";
import { createMetainfo } from "../../../src/core/format/metainfo.ts";
import { HashFailure } from "../../../src/hashing/hash-failure.ts";
import { seededFileFailure, servedFileFailure } from "../../../src/session/file/content-failure.ts";
import { ContentWatch, type WatchedFile } from "../../../src/session/file/content-watch.ts";
import { SOURCE_CHECK_MS } from "../../../src/session/file/limits.ts";
import { sameStamp } from "../../../src/storage/file-stamp.ts";
import type { FileStamp } from "../../../src/storage/state-store.ts";
import { digestsOf, FakeContent } from "../fixtures/fake-content.ts";
import { promises } from "../../helpers/event-loop.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

const PIECE_LENGTH = 16_384;
const CONTENT = new Uint8Array(40_000).fill(7);
const METAINFO = createMetainfo("model.bin", 40_000, PIECE_LENGTH, digestsOf(CONTENT, PIECE_LENGTH));

/** A file of which the test says what it is at present. */
class FakeFile implements WatchedFile {
  readonly path = "/data/model.bin";
  present: FileStamp = { dev: 1n, inode: 2n, size: 40_000, mtimeNs: 3n, ctimeNs: 4n };
  stamp = this.present;
  inPlace = true;
  failure: Error | undefined;
  looks = 0;

  async changed(): Promise<boolean> {
    this.looks++;
    if (this.failure !== undefined) throw this.failure;
    return !sameStamp(this.stamp, this.present);
  }

  async presentStamp(): Promise<FileStamp> {
    return this.present;
  }

  adoptStamp(stamp: FileStamp): void {
    this.stamp = stamp;
  }

  async isInPlace(): Promise<boolean> {
    return this.inPlace;
  }

  touch(): void {
    this.present = { ...this.present, ctimeNs: this.present.ctimeNs + 1n };
  }
}

class Fixture {
  readonly clock = new VirtualClock();
  readonly file = new FakeFile();
  readonly content = new FakeContent(CONTENT.slice());
  readonly log: string[] = [];
  readonly failures: unknown[] = [];
  readonly watch: ContentWatch;

  constructor(failure = servedFileFailure) {
    this.watch = new ContentWatch({
      file: this.file,
      content: this.content,
      metainfo: METAINFO,
      clock: this.clock,
      logger: {
        debug() {},
        info: (message) => this.log.push(`info: ${message}`),
        warn: (message) => this.log.push(`warn: ${message}`),
      },
      failure,
      onFailure: (error) => this.failures.push(error),
    });
  }
}

describe("ContentWatch", () => {
  test("looks at the file every second, and reads nothing of one that is what it was", async () => {
    const { clock, file, content, failures } = new Fixture();
    await clock.pass(SOURCE_CHECK_MS - 1);
    expect(file.looks).toBe(0);
    await clock.pass(5 * SOURCE_CHECK_MS + 1);
    expect([file.looks, content.calls, failures]).toEqual([6, [], []]);
  });

  test("C8: a changed stamp suspends the content until all of it has been hashed again", async () => {
    const { clock, file, content, log } = new Fixture();
    const hashed = Promise.withResolvers<Uint8Array>();
    content.hashing = () => hashed.promise;
    content.memory.set(0, new Uint8Array(16));
    file.touch();
    await clock.pass(SOURCE_CHECK_MS);
    expect([content.isSuspended, content.calls]).toEqual([true, ["suspend", "hash 0 40000"]]);
    // Nothing more is started while it lasts.
    await clock.pass(5 * SOURCE_CHECK_MS);
    expect([content.isSuspended, content.calls.length]).toEqual([true, 2]);
    hashed.resolve(METAINFO.pieces);
    await promises();
    expect([content.isSuspended, content.calls]).toEqual([
      false,
      ["suspend", "hash 0 40000", "forget 0 40000", "resume"],
    ]);
    expect(log).toEqual(["info: /data/model.bin: was touched; its content is the same"]);
    await clock.pass(SOURCE_CHECK_MS);
    expect(content.calls).toHaveLength(4);
  });

  test("C8: what was read before the change is not sent after it", async () => {
    const { clock, file, content } = new Fixture();
    content.memory.set(0, new Uint8Array(16));
    file.touch();
    await clock.pass(SOURCE_CHECK_MS);
    expect([content.isSuspended, content.memory.size]).toEqual([false, 0]);
  });

  test("C8: other content ends the sharing, and leaves it suspended", async () => {
    const { clock, file, content, failures } = new Fixture();
    content.disk[39_999] = 0;
    file.touch();
    await clock.pass(10 * SOURCE_CHECK_MS);
    expect([content.isSuspended, content.calls]).toEqual([true, ["suspend", "hash 0 40000"]]);
    expect(failures).toMatchObject([
      {
        exitCode: 7,
        message: "/data/model.bin: changed while it was being shared; serve it again when it is finished",
      },
    ]);
    expect(clock.timerCount).toBe(0);
  });

  test("C8: another size is other content, and is not hashed", async () => {
    const { clock, file, content, failures } = new Fixture(seededFileFailure);
    file.present = { ...file.present, size: 39_999 };
    await clock.pass(SOURCE_CHECK_MS);
    expect(content.calls).toEqual(["suspend"]);
    expect(failures).toMatchObject([{ exitCode: 7, message: expect.stringContaining("its seeding ends") }]);
  });

  test("a change during the hashing is found at the next look", async () => {
    const { clock, file, content } = new Fixture();
    const hashed = Promise.withResolvers<Uint8Array>();
    content.hashing = () => hashed.promise;
    file.touch();
    await clock.pass(SOURCE_CHECK_MS);
    file.touch();
    content.hashing = undefined;
    hashed.resolve(METAINFO.pieces);
    await promises();
    await clock.pass(SOURCE_CHECK_MS);
    expect(content.calls.filter((call) => call === "hash 0 40000")).toHaveLength(2);
    expect(sameStamp(file.stamp, file.present)).toBe(true);
  });

  test("a removed or replaced file goes on as long as it is open, with a warning", async () => {
    const { clock, file, content, log } = new Fixture();
    file.touch();
    file.inPlace = false;
    await clock.pass(SOURCE_CHECK_MS);
    expect(content.isSuspended).toBe(false);
    expect(log).toEqual([
      "warn: /data/model.bin: was removed or replaced; what it was goes on being served until the end",
    ]);
  });

  test.each([
    ["ESHORT", servedFileFailure, 7, /changed while it was being shared/],
    ["EIO", servedFileFailure, 3, /cannot be read \(EIO\)/],
    ["EWORKER", servedFileFailure, 5, /cannot hash/],
    ["ESHORT", seededFileFailure, 7, /changed while it was being seeded/],
    ["EIO", seededFileFailure, 5, /cannot hash.*check the disk/],
  ] as const)(
    "hashing that fails with %s ends the sharing (%p: %d)",
    async (code, failure, exitCode, words) => {
      const { clock, file, content, failures } = new Fixture(failure);
      content.hashing = () => Promise.reject(new HashFailure("/data/model.bin", code, "no"));
      file.touch();
      await clock.pass(3 * SOURCE_CHECK_MS);
      expect(failures).toMatchObject([{ exitCode, message: expect.stringMatching(words) }]);
      expect(content.isSuspended).toBe(true);
    },
  );

  test("an error of the system is passed on as it is", async () => {
    const { clock, file, failures } = new Fixture();
    file.failure = new Error("EIO: i/o error, fstat");
    await clock.pass(SOURCE_CHECK_MS);
    expect(failures).toEqual([file.failure]);
  });

  test("once closed it ends a hashing under way, reports nothing and looks no more", async () => {
    const { clock, file, content, failures, log, watch } = new Fixture();
    content.hash = ({ signal }) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    file.touch();
    await clock.pass(SOURCE_CHECK_MS);
    await watch.close();
    await clock.pass(5 * SOURCE_CHECK_MS);
    expect([file.looks, failures, log, clock.timerCount]).toEqual([1, [], [], 0]);
    expect(content.isSuspended).toBe(true);
  });

  test("closed while it looks it does nothing more", async () => {
    const { clock, file, content, failures, watch } = new Fixture();
    const looked = Promise.withResolvers<boolean>();
    file.changed = () => looked.promise;
    await clock.pass(SOURCE_CHECK_MS);
    const closed = watch.close();
    looked.resolve(true);
    await closed;
    expect([content.calls, failures]).toEqual([[], []]);
  });

  test("closed, it waits for a hashing that ends all the same, and leaves the content suspended", async () => {
    const { clock, file, content, failures, watch } = new Fixture();
    const hashed = Promise.withResolvers<Uint8Array>();
    content.hashing = () => hashed.promise;
    file.touch();
    await clock.pass(SOURCE_CHECK_MS);
    const closed = watch.close();
    await promises();
    expect(Bun.peek.status(closed)).toBe("pending");
    hashed.resolve(METAINFO.pieces);
    await closed;
    expect([content.isSuspended, failures]).toEqual([true, []]);
  });
});
