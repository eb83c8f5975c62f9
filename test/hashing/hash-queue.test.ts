import { describe, expect, test } from "bun:test";
import { HASH_JOB_LENGTH, MAX_QUEUED_PIECES, MAX_QUEUED_RANGES } from "../../src/hashing/limits.ts";
import { HashFailure } from "../../src/hashing/hash-failure.ts";
import type { HashJob } from "../../src/hashing/hash-job.ts";
import { HashQueue } from "../../src/hashing/hash-queue.ts";
import { HashRange } from "../../src/hashing/hash-range.ts";
import { MiB } from "../../src/lib/units.ts";

function jobOf(path: string, changes: Partial<HashJob> = {}): HashJob {
  const request = {
    type: "hash",
    path,
    fd: 0,
    offset: 0,
    length: 1,
    pieceLength: 1,
    io: "map",
    exclusive: false,
    windowLength: MiB,
  } as const;
  return { request, wanted: () => true, onHashed: () => {}, onFailed: () => {}, ...changes };
}

function rangeOf(path: string, jobs: number): HashRange {
  const range = new HashRange(
    { path, fd: 0, offset: 0, length: jobs * HASH_JOB_LENGTH, pieceLength: MiB },
    "map",
    MiB,
  );
  range.digests.catch(() => {});
  return range;
}

function pathsOf(queue: HashQueue): string[] {
  const paths: string[] = [];
  for (let job = queue.next(); job !== undefined; job = queue.next()) paths.push(job.request.path);
  return paths;
}

describe("HashQueue", () => {
  test("gives jobs of dead workers first, then pieces in order, then the ranges in turn", () => {
    const queue = new HashQueue();
    queue.addRange(rangeOf("/range-a", 2));
    queue.addRange(rangeOf("/range-b", 1));
    for (const path of ["/1", "/2", "/3"]) queue.addPiece(jobOf(path));
    queue.putBack([jobOf("/again")]);
    expect(pathsOf(queue)).toEqual(["/again", "/1", "/2", "/3", "/range-a", "/range-b", "/range-a"]);
  });

  test("passes over jobs whose result is of no use", () => {
    const queue = new HashQueue();
    const failed = rangeOf("/failed", 3);
    queue.addRange(failed);
    const taken = queue.next();
    failed.fail(new Error("aborted"));
    queue.putBack([...(taken === undefined ? [] : [taken]), jobOf("/unwanted", { wanted: () => false })]);
    queue.addPiece(jobOf("/wanted"));
    expect(pathsOf(queue)).toEqual(["/wanted"]);
  });

  test("refuses more pieces and ranges than it may hold, and takes more once some were given out", () => {
    const queue = new HashQueue();
    for (let i = 0; i < MAX_QUEUED_PIECES; i++) queue.addPiece(jobOf("/piece"));
    expect(() => queue.addPiece(jobOf("/piece"))).toThrow("too many pieces");
    queue.next();
    queue.addPiece(jobOf("/piece"));
    for (let i = 0; i < MAX_QUEUED_RANGES; i++) queue.addRange(rangeOf("/range", 1));
    expect(() => queue.addRange(rangeOf("/range", 1))).toThrow("too many files");
  });

  test("fails everything that waits, each once, and is empty then", async () => {
    const queue = new HashQueue();
    const failures: HashFailure[] = [];
    const onFailed = (failure: HashFailure) => failures.push(failure);
    for (const path of ["/given", "/1", "/2", "/3"]) queue.addPiece(jobOf(path, { onFailed }));
    queue.next();
    const range = rangeOf("/range", 2);
    queue.addRange(range);
    queue.failAll((path) => new HashFailure(path, "ECANCELED", "stopped"));
    expect(failures.map(({ path }) => path)).toEqual(["/1", "/2", "/3"]);
    await expect(range.digests).rejects.toThrow("cannot hash /range: stopped");
    expect(queue.next()).toBeUndefined();
  });
});
