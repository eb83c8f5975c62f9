import { describe, expect, test } from "bun:test";
import { Geometry } from "../../src/core/torrent/geometry.ts";
import { type PieceIndex, infoHashOf, pieceIndex } from "../../src/core/torrent/ids.ts";
import { RESUME_SYNC_LENGTH, RESUME_SYNC_MS } from "../../src/storage/limits.ts";
import { DiskError } from "../../src/lib/errors.ts";
import { MemoryStore } from "../../src/storage/memory-store.ts";
import { type JournaledFile, ResumeJournal } from "../../src/storage/resume-journal.ts";
import type { StateStore } from "../../src/storage/state-store.ts";
import type { ByteRange } from "../../src/storage/written-ranges.ts";

const infoHash = infoHashOf(new Uint8Array(20).fill(1));
/** Four make a record. */
const PIECE_LENGTH = RESUME_SYNC_LENGTH / 4;
const geometry = new Geometry(20 * PIECE_LENGTH + 5, PIECE_LENGTH);
const ALL = Array.from({ length: 21 }, (_, index) => index);

/** A part file whose syncs end when the test says so. */
class SlowFile implements JournaledFile {
  readonly path = "/data/.x.p2pfile-part";
  readonly inode: bigint;
  readonly size: number;
  readonly existed: boolean;
  ranges: readonly ByteRange[] = [];
  readonly syncs: { finish(): void; fail(error: Error): void }[] = [];

  constructor(existed: boolean, inode = 9n, size = geometry.length) {
    this.existed = existed;
    this.inode = inode;
    this.size = size;
  }

  written(): readonly ByteRange[] {
    return this.ranges;
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.syncs.push({ finish: () => resolve(), fail: reject });
    });
  }
}

function journal(store: StateStore, part: JournaledFile, bootId = "boot 1") {
  const errors: DiskError[] = [];
  const onError = (error: DiskError) => errors.push(error);
  return Object.assign(new ResumeJournal({ store, part, infoHash, geometry, bootId, onError }), { errors });
}

function restored(store: StateStore, part: JournaledFile, bootId = "boot 1") {
  const { trusted, recheck } = journal(store, part, bootId).restore();
  const pieces: number[] = [];
  trusted.forEachSet((index) => pieces.push(index));
  return { trusted: pieces, recheck: recheck.map(Number) };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** The state after an earlier run that verified these pieces; `end` is how it ended. */
async function earlierRun(pieces: readonly number[], end: "clean" | "killed"): Promise<StateStore> {
  const store = new MemoryStore();
  const part = new SlowFile(false);
  const first = journal(store, part);
  first.restore();
  for (const piece of pieces) first.verified(pieceIndex(piece), 0);
  if (end === "killed") first.tick(RESUME_SYNC_MS);
  const closing = end === "clean" ? first.close() : undefined;
  for (let turn = 0; turn < 10; turn++) {
    part.syncs.shift()?.finish();
    await settle();
  }
  await closing;
  return store;
}

describe("ResumeJournal.restore", () => {
  test("trusts nothing and has nothing to check in a new part file, whatever the store remembers", async () => {
    const store = await earlierRun([1, 2], "clean");
    expect(restored(store, new SlowFile(false))).toEqual({ trusted: [], recheck: [] });
    // The old bits are gone for good: the inode may be the same by chance.
    expect(restored(store, new SlowFile(true))).toEqual({ trusted: [], recheck: [] });
  });

  test.each(["clean", "killed"] as const)(
    "P1, P3: trusts the recorded pieces within one boot (%s)",
    async (end) => {
      const store = await earlierRun([0, 3, 20], end);
      expect(restored(store, new SlowFile(true))).toEqual({ trusted: [0, 3, 20], recheck: [] });
    },
  );

  test.each(["clean", "killed"] as const)(
    "P3: checks the recorded pieces after a reboot (%s)",
    async (end) => {
      const store = await earlierRun([0, 3, 20], end);
      expect(restored(store, new SlowFile(true), "boot 2")).toEqual({ trusted: [], recheck: [0, 3, 20] });
    },
  );

  test.each([
    ["inode", new SlowFile(true, 10n)],
    ["size", new SlowFile(true, 9n, 5)],
  ])("checks everything when the part file has another %s", async (_, part) => {
    expect(restored(await earlierRun([1], "clean"), part)).toEqual({ trusted: [], recheck: ALL });
  });

  test("checks everything in a part file of which there is no record", () => {
    expect(restored(new MemoryStore(), new SlowFile(true))).toEqual({ trusted: [], recheck: ALL });
  });

  test.each([
    ["boot 1", [1, 2], [5, 6, 20]],
    ["boot 2", [], [1, 2, 5, 6, 20]],
  ])("C9, P1: also checks what stands in the file and in no record (%s)", async (boot, trusted, recheck) => {
    const store = await earlierRun([1, 2], "killed");
    const part = new SlowFile(true);
    part.ranges = [
      { start: PIECE_LENGTH, end: 2 * PIECE_LENGTH },
      { start: 4 * PIECE_LENGTH + 1, end: 8 * PIECE_LENGTH - 1 },
      { start: 19 * PIECE_LENGTH + 4096, end: geometry.length },
    ];
    expect(restored(store, part, boot)).toEqual({ trusted, recheck });
  });

  test("still checks what a stopped recheck did not reach", async () => {
    const store = await earlierRun([0, 3, 20], "killed");
    const part = new SlowFile(true);
    const second = journal(store, part, "boot 2");
    second.restore();
    second.verified(pieceIndex(0), 0);
    second.refuted(pieceIndex(3));
    const closing = second.close();
    await settle();
    part.syncs[0]?.finish();
    await closing;
    expect(restored(store, new SlowFile(true), "boot 2")).toEqual({ trusted: [], recheck: [0, 20] });
  });

  test("trusts what a finished recheck found right", async () => {
    const store = await earlierRun([0, 3], "killed");
    const part = new SlowFile(true);
    const second = journal(store, part, "boot 2");
    second.restore();
    second.verified(pieceIndex(0), 0);
    second.refuted(pieceIndex(3));
    const closing = second.close();
    await settle();
    part.syncs[0]?.finish();
    await closing;
    expect(restored(store, new SlowFile(true), "boot 2")).toEqual({ trusted: [0], recheck: [] });
  });
});

describe("ResumeJournal", () => {
  test("P3: records a piece after the sync that followed it, and not before", async () => {
    const store = new MemoryStore();
    const part = new SlowFile(false);
    const writing = journal(store, part);
    writing.restore();
    writing.verified(pieceIndex(1), 0);
    writing.tick(RESUME_SYNC_MS - 1);
    expect(part.syncs).toHaveLength(0);
    writing.tick(RESUME_SYNC_MS);
    expect(part.syncs).toHaveLength(1);
    // Verified during the sync, so possibly not covered by it.
    writing.verified(pieceIndex(2), RESUME_SYNC_MS + 1);
    expect(restored(store, new SlowFile(true)).trusted).toEqual([]);
    part.syncs[0]?.finish();
    await settle();
    expect(restored(store, new SlowFile(true)).trusted).toEqual([1]);
    writing.tick(2 * RESUME_SYNC_MS + 1);
    part.syncs[1]?.finish();
    await settle();
    expect(restored(store, new SlowFile(true)).trusted).toEqual([1, 2]);
  });

  test("P1: commits as soon as enough bytes have gathered, one sync at a time", async () => {
    const part = new SlowFile(false);
    const writing = journal(new MemoryStore(), part);
    writing.restore();
    const enough = RESUME_SYNC_LENGTH / PIECE_LENGTH;
    for (let piece = 0; piece < enough - 1; piece++) writing.verified(pieceIndex(piece), 0);
    expect(part.syncs).toHaveLength(0);
    for (let piece = enough - 1; piece < 3 * enough; piece++) writing.verified(pieceIndex(piece), 0);
    expect(part.syncs).toHaveLength(1);
    part.syncs[0]?.finish();
    await settle();
    writing.tick(1);
    expect(part.syncs).toHaveLength(2);
  });

  test("syncs nothing while nothing is new", () => {
    const part = new SlowFile(false);
    const idle = journal(new MemoryStore(), part);
    idle.restore();
    idle.tick(10 * RESUME_SYNC_MS);
    expect(part.syncs).toHaveLength(0);
  });

  test("P7: stops recording for good at a failed sync, and says so once", async () => {
    const store = new MemoryStore();
    const part = new SlowFile(false);
    const writing = journal(store, part);
    writing.restore();
    writing.verified(pieceIndex(1), 0);
    writing.tick(RESUME_SYNC_MS);
    part.syncs[0]?.fail(Object.assign(new Error("EIO"), { code: "EIO" }));
    await settle();
    writing.verified(pieceIndex(2), RESUME_SYNC_MS);
    writing.tick(3 * RESUME_SYNC_MS);
    await writing.close();
    expect(part.syncs).toHaveLength(1);
    expect(writing.errors).toHaveLength(1);
    expect(writing.errors[0]).toBeInstanceOf(DiskError);
    expect(restored(store, new SlowFile(true)).trusted).toEqual([]);
  });

  test("forgets the download when it is complete, after a sync under way", async () => {
    const store = new MemoryStore();
    const part = new SlowFile(false);
    const writing = journal(store, part);
    writing.restore();
    writing.verified(pieceIndex(1), 0);
    writing.tick(RESUME_SYNC_MS);
    const forgetting = writing.forget();
    part.syncs[0]?.finish();
    await forgetting;
    expect(store.download(infoHash, part.path)).toBeUndefined();
    const late: PieceIndex = pieceIndex(3);
    writing.verified(late, 10 * RESUME_SYNC_MS);
    await writing.close();
    expect(part.syncs).toHaveLength(1);
  });
});
