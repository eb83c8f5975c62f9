// Pools, files and dying workers for the tests of HashPool. Pools are closed after each test, files are gone after all.
import { afterAll, afterEach, expect } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HASH_JOB_LENGTH, HASH_WINDOW_LENGTH } from "../../src/hashing/limits.ts";
import { HashFailure } from "../../src/hashing/hash-failure.ts";
import { HashPool, type HashPoolOptions } from "../../src/hashing/hash-pool.ts";
import type { OpenFile } from "../../src/hashing/messages.ts";
import { concatBytes } from "../../src/lib/bytes.ts";
import { MiB } from "../../src/lib/units.ts";

/** Of one test file. */
export function poolFixture() {
  const folder = mkdtempSync(join(tmpdir(), "p2pfile-pool-"));
  const open: HashPool[] = [];

  const descriptors: number[] = [];
  afterAll(() => {
    for (const fd of descriptors) closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  });

  function opened(path: string, flags: string): OpenFile {
    const fd = openSync(path, flags);
    descriptors.push(fd);
    return { path, fd };
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((pool) => pool.close()));
  });

  function poolOf(options: Partial<HashPoolOptions> = {}): HashPool {
    const pool = new HashPool({ workers: 2, io: "map", ...options });
    open.push(pool);
    return pool;
  }

  function pathOf(bytes: Uint8Array, name: string): string {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  /** The pool is given it open for reading alone, as a served file is: the kernel leases no other. */
  const fileOf = (bytes: Uint8Array, name = "data", flags = "r"): OpenFile =>
    opened(pathOf(bytes, name), flags);

  return { folder, poolOf, fileOf, pathOf };
}

export function digestsOf(bytes: Uint8Array, pieceLength: number): Uint8Array {
  const digests: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceLength) {
    digests.push(
      createHash("sha1")
        .update(bytes.subarray(at, at + pieceLength))
        .digest(),
    );
  }
  return concatBytes(digests);
}

export async function failureOf(promise: Promise<unknown>): Promise<HashFailure> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(HashFailure);
  return error as HashFailure;
}

/** The first `deaths` workers die of their first job; the real one comes after them. */
export function spawnDying(deaths: number): { readonly spawn: () => Worker; readonly started: () => number } {
  let started = 0;
  const real = new URL("../../workers/hash-worker.ts", import.meta.url).href;
  const dying = URL.createObjectURL(
    new Blob([`self.onmessage = () => { throw new Error("struck by lightning"); };`], {
      type: "text/javascript",
    }),
  );
  return { spawn: () => new Worker(started++ < deaths ? dying : real), started: () => started };
}

/** Several jobs, the last of them neither a whole window nor a whole piece. */
export const bytes = randomBytes(2 * HASH_JOB_LENGTH + HASH_WINDOW_LENGTH + 3 * MiB + 17);
