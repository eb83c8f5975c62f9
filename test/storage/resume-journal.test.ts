import { describe, expect, test } from "bun:test";
import { Bitfield } from "../../src/core/torrent/bitfield.ts";
import { Geometry } from "../../src/core/torrent/geometry.ts";
import { type PieceIndex, infoHashOf, pieceIndex } from "../../src/core/torrent/ids.ts";
import { RESUME_SYNC_LENGTH, RESUME_SYNC_MS } from "../../src/storage/limits.ts";
import { DiskError } from "../../src/lib/errors.ts";
import { MemoryStore } from "../../src/storage/memory-store.ts";
import { type JournaledFile, ResumeJournal } from "../../src/storage/resume-journal.ts";
import type { FileTimes, StateStore } from "../../src/storage/state-store.ts";
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
  times: FileTimes = { mtimeNs: 5n, ctimeNs: 6n };
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

  presentTimes(): Promise<FileTimes> {
    return Promise.resolve(this.times);
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

function failedSync(): Error {
  return Object.assign(new Error("EIO"), { code: "EIO" });
}

/** The pieces of the record. */
function recorded(store: StateStore): number[] {
  const pieces: number[] = [];
  const bitfield = store.download(infoHash, new SlowFile(true).path)?.bitfield ?? new Uint8Array(0);
  Bitfield.parse(bitfield, geometry.pieceCount)?.forEachSet((index) => pieces.push(index));
  return pieces;
}

const NEVER = new Promise<void>(() => {});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** What close and forget promise, with every sync ended at once. */
async function ended(part: SlowFile, ending: Promise<void>): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await settle();
    part.syncs.shift()?.finish();
  }
  expect(Bun.peek.status(ending)).toBe("fulfilled");
}

/** The state after an earlier run that verified these pieces; `end` is how it ended. */
async function earlierRun(pieces: readonly number[], end: "clean" | "killed"): Promise<StateStore> {
  const store = new MemoryStore();
  const part = new SlowFile(false);
  const first = journal(store, part);
  first.restore();
  for (const piece of pieces) first.verified(pieceIndex(piece), 0);
  if (end === "killed") first.tick(RESUME_SYNC_MS);
  const closing = end === "clean" ? first.close(NEVER) : undefined;
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

  test("P3: trusts the recorded pieces after an orderly end within one boot, once", async () => {
    const store = await earlierRun([0, 3, 20], "clean");
    expect(restored(store, new SlowFile(true))).toEqual({ trusted: [0, 3, 20], recheck: [] });
    // That run was killed before it wrote a byte.
    expect(restored(store, new SlowFile(true))).toEqual({ trusted: [], recheck: [0, 3, 20] });
  });

  test("P1: checks the recorded pieces after a kill", async () => {
    const store = await earlierRun([0, 3, 20], "killed");
    expect(restored(store, new SlowFile(true))).toEqual({ trusted: [], recheck: [0, 3, 20] });
  });

  test.each([{ mtimeNs: 4n }, { ctimeNs: 7n }])(
    "P3: checks the recorded pieces of a part file with other times (%p)",
    async (other) => {
      const part = new SlowFile(true);
      part.times = { ...part.times, ...other };
      const store = await earlierRun([0, 3, 20], "clean");
      expect(restored(store, part)).toEqual({ trusted: [], recheck: [0, 3, 20] });
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
    const store = await earlierRun([1, 2], "clean");
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
    const closing = second.close(NEVER);
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
    const closing = second.close(NEVER);
    await settle();
    part.syncs[0]?.finish();
    await closing;
    expect(restored(store, new SlowFile(true), "boot 2")).toEqual({ trusted: [0], recheck: [] });
  });
});

describe("ResumeJournal after a run that found less than it was to check", () => {
  test("P1: what a check refuted last is checked no more, though no piece is unsaved by then", async () => {
    const store = await earlierRun([0, 1, 2, 3, 4], "clean");
    const part = new SlowFile(true);
    const second = journal(store, part, "boot 2");
    second.restore();
    for (const piece of [0, 1, 2, 3]) second.verified(pieceIndex(piece), 0);
    part.syncs.shift()?.finish();
    await settle();
    second.refuted(pieceIndex(4));
    await ended(part, second.close(NEVER));
    expect(restored(store, new SlowFile(true), "boot 2")).toEqual({ trusted: [0, 1, 2, 3], recheck: [] });
  });

  test("a part file without a record that holds nothing right is checked once, not in every run", async () => {
    const store = new MemoryStore();
    const part = new SlowFile(true);
    const first = journal(store, part);
    for (const piece of first.restore().recheck) first.refuted(piece);
    await ended(part, first.close(NEVER));
    expect(restored(store, new SlowFile(true))).toEqual({ trusted: [], recheck: [] });
  });

  test("P1: a third run trusts what the first verified and what the second added", async () => {
    const store = await earlierRun([0, 3], "clean");
    const part = new SlowFile(true);
    const second = journal(store, part);
    second.restore();
    second.verified(pieceIndex(5), 0);
    await ended(part, second.close(NEVER));
    expect(restored(store, new SlowFile(true))).toEqual({ trusted: [0, 3, 5], recheck: [] });
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
    expect(recorded(store)).toEqual([]);
    part.syncs[0]?.finish();
    await settle();
    expect(recorded(store)).toEqual([1]);
    writing.tick(2 * RESUME_SYNC_MS + 1);
    part.syncs[1]?.finish();
    await settle();
    expect(recorded(store)).toEqual([1, 2]);
  });

  test("P1: commits as soon as enough bytes have gathered, one sync at a time", async () => {
    const part = new SlowFile(false);
    const writing = journal(new MemoryStore(), part);
    writing.restore();
    const enough = RESUME_SYNC_LENGTH / PIECE_LENGTH;
    for (let piece = 0; piece < enough - 1; piece++) writing.verified(pieceIndex(piece), 0);
    expect(part.syncs).toHaveLength(0);
    writing.verified(pieceIndex(enough - 1), 0);
    expect(part.syncs).toHaveLength(1);
    for (let piece = enough; piece < 3 * enough; piece++) writing.verified(pieceIndex(piece), 0);
    expect(part.syncs).toHaveLength(1);
    part.syncs[0]?.finish();
    await settle();
    writing.tick(1);
    expect(part.syncs).toHaveLength(2);
  });

  test("P2: does not wait for a disk that is late at the end, and records nothing after it", async () => {
    const store = await earlierRun([0], "clean");
    const part = new SlowFile(true);
    const writing = journal(store, part);
    writing.restore();
    writing.verified(pieceIndex(1), 0);
    await writing.close(Promise.resolve());
    part.syncs[0]?.finish();
    await settle();
    expect(recorded(store)).toEqual([0]);
    expect(restored(store, new SlowFile(true))).toEqual({ trusted: [], recheck: [0] });
  });

  test("syncs nothing while nothing is new", () => {
    const part = new SlowFile(false);
    const idle = journal(new MemoryStore(), part);
    idle.restore();
    idle.tick(10 * RESUME_SYNC_MS);
    expect(part.syncs).toHaveLength(0);
  });

  test("commits no more when what was new is recorded", async () => {
    const part = new SlowFile(false);
    const writing = journal(new MemoryStore(), part);
    writing.restore();
    writing.verified(pieceIndex(1), 0);
    writing.tick(RESUME_SYNC_MS);
    part.syncs[0]?.finish();
    await settle();
    writing.tick(10 * RESUME_SYNC_MS);
    // Known already: nothing new.
    writing.verified(pieceIndex(1), 10 * RESUME_SYNC_MS);
    writing.tick(20 * RESUME_SYNC_MS);
    expect(part.syncs).toHaveLength(1);
  });

  test("P1: counts the time from the first piece that is not recorded, not from the start nor from the last", () => {
    const part = new SlowFile(false);
    const writing = journal(new MemoryStore(), part);
    writing.restore();
    const first = 3 * RESUME_SYNC_MS;
    writing.verified(pieceIndex(1), first);
    expect(part.syncs).toHaveLength(0);
    writing.verified(pieceIndex(2), first + RESUME_SYNC_MS - 1);
    expect(part.syncs).toHaveLength(0);
    writing.tick(first + RESUME_SYNC_MS);
    expect(part.syncs).toHaveLength(1);
  });

  test("P7: a piece that came during a failed sync is not recorded by a later one, which the system calls good", async () => {
    const store = new MemoryStore();
    const part = new SlowFile(false);
    const writing = journal(store, part);
    writing.restore();
    writing.verified(pieceIndex(1), 0);
    writing.tick(RESUME_SYNC_MS);
    writing.verified(pieceIndex(2), RESUME_SYNC_MS);
    part.syncs[0]?.fail(failedSync());
    await settle();
    writing.tick(9 * RESUME_SYNC_MS);
    await writing.close(NEVER);
    expect([part.syncs.length, writing.errors.length]).toEqual([1, 1]);
    expect(restored(store, new SlowFile(true)).trusted).toEqual([]);
  });

  test("P3: its end waits for the sync under way, then syncs and records what came during it", async () => {
    const store = new MemoryStore();
    const part = new SlowFile(false);
    const writing = journal(store, part);
    writing.restore();
    writing.verified(pieceIndex(1), 0);
    writing.tick(RESUME_SYNC_MS);
    writing.verified(pieceIndex(2), RESUME_SYNC_MS);
    const closing = writing.close(NEVER);
    await settle();
    expect(part.syncs).toHaveLength(1);
    part.syncs[0]?.finish();
    await settle();
    expect([part.syncs.length, Bun.peek.status(closing)]).toEqual([2, "pending"]);
    part.syncs[1]?.finish();
    await closing;
    expect(restored(store, new SlowFile(true)).trusted).toEqual([1, 2]);
  });

  test("after its end it syncs no more: the descriptor may be another file's", async () => {
    const part = new SlowFile(false);
    const writing = journal(new MemoryStore(), part);
    writing.restore();
    writing.verified(pieceIndex(0), 0);
    const closing = writing.close(NEVER);
    await settle();
    part.syncs[0]?.finish();
    await closing;
    writing.verified(pieceIndex(1), 0);
    writing.tick(RESUME_SYNC_MS);
    await writing.close(NEVER);
    expect(part.syncs).toHaveLength(1);
  });

  test("a finished download leaves no record, whatever was still to be recorded", async () => {
    const store = new MemoryStore();
    const part = new SlowFile(false);
    const writing = journal(store, part);
    writing.restore();
    writing.verified(pieceIndex(1), 0);
    await writing.forget();
    writing.tick(10 * RESUME_SYNC_MS);
    expect(part.syncs).toHaveLength(0);
    expect(store.download(infoHash, part.path)).toBeUndefined();
  });

  test("P7: stops recording for good at a failed sync, and says so once", async () => {
    const store = new MemoryStore();
    const part = new SlowFile(false);
    const writing = journal(store, part);
    writing.restore();
    writing.verified(pieceIndex(1), 0);
    writing.tick(RESUME_SYNC_MS);
    part.syncs[0]?.fail(failedSync());
    await settle();
    writing.verified(pieceIndex(2), RESUME_SYNC_MS);
    writing.tick(3 * RESUME_SYNC_MS);
    await writing.close(NEVER);
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
    await writing.close(NEVER);
    expect(part.syncs).toHaveLength(1);
  });
});
