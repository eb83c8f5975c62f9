import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HASH_JOB_LENGTH, HASH_WINDOW_LENGTH } from "../../src/core/limits.ts";
import { HashFailure } from "../../src/hashing/hash-failure.ts";
import { HashPool, type HashPoolOptions } from "../../src/hashing/hash-pool.ts";
import { concatBytes, toHex } from "../../src/lib/bytes.ts";
import { KiB, MiB } from "../../src/lib/units.ts";

const folder = mkdtempSync(join(tmpdir(), "p2pfile-pool-"));
const open: HashPool[] = [];

afterAll(() => rmSync(folder, { recursive: true, force: true }));

afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.close()));
});

function poolOf(options: Partial<HashPoolOptions> = {}): HashPool {
  const pool = new HashPool({ workers: 2, io: "map", ...options });
  open.push(pool);
  return pool;
}

function fileOf(bytes: Uint8Array, name = "data"): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function digestsOf(bytes: Uint8Array, pieceLength: number): Uint8Array {
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

async function failureOf(promise: Promise<unknown>): Promise<HashFailure> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(HashFailure);
  return error as HashFailure;
}

/** The first `deaths` workers die of their first job; the real one comes after them. */
function spawnDying(deaths: number): { readonly spawn: () => Worker; readonly started: () => number } {
  let started = 0;
  const real = new URL("../../workers/hash-worker.ts", import.meta.url).href;
  const dying = URL.createObjectURL(
    new Blob([`self.onmessage = () => { throw new Error("struck by lightning"); };`], {
      type: "text/javascript",
    }),
  );
  return { spawn: () => new Worker(started++ < deaths ? dying : real), started: () => started };
}

const bytes = randomBytes(2 * HASH_JOB_LENGTH + HASH_WINDOW_LENGTH + 3 * MiB + 17);

function shared(content: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = new Uint8Array(new SharedArrayBuffer(content.length));
  copy.set(content);
  return copy;
}

describe("HashPool.storePiece", () => {
  test("puts the bytes into the file and answers with their digest", async () => {
    const pool = poolOf();
    const path = fileOf(new Uint8Array(4 * MiB), "stored");
    const fd = openSync(path, "r+");
    try {
      for (const [offset, length] of [
        [0, 1],
        [16 * KiB, 64 * KiB],
        [MiB, MiB],
        [3 * MiB - 5, 64 * KiB + 1],
      ] as const) {
        const content = bytes.subarray(offset, offset + length);
        const digest = await pool.storePiece(path, fd, offset, shared(content));
        expect(toHex(digest)).toBe(toHex(digestsOf(content, length)));
        const stored = readFileSync(path).subarray(offset, offset + length);
        expect(Buffer.compare(stored, content)).toBe(0);
      }
      expect(readFileSync(path).length).toBe(4 * MiB);
    } finally {
      closeSync(fd);
    }
  });

  test("writes nothing but its own bytes of a longer buffer", async () => {
    const path = fileOf(new Uint8Array(64 * KiB), "stored-part");
    const fd = openSync(path, "r+");
    const buffer = shared(bytes.subarray(0, 64 * KiB));
    await poolOf().storePiece(path, fd, 100, buffer.subarray(1000, 1020));
    closeSync(fd);
    const expected = new Uint8Array(64 * KiB);
    expected.set(bytes.subarray(1000, 1020), 100);
    expect(Buffer.compare(readFileSync(path), expected)).toBe(0);
  });

  test("fails with the system's code when the file cannot be written", async () => {
    const path = fileOf(new Uint8Array(10), "stored-never");
    const fd = openSync(path, "r");
    const failure = await failureOf(poolOf().storePiece(path, fd, 0, shared(bytes.subarray(0, 10))));
    closeSync(fd);
    expect(failure.code).toBe("EBADF");
  });

  test("stores a piece again when its worker died", async () => {
    const { spawn } = spawnDying(1);
    const path = fileOf(new Uint8Array(MiB), "stored-again");
    const fd = openSync(path, "r+");
    const content = bytes.subarray(0, MiB);
    const digest = await poolOf({ spawn }).storePiece(path, fd, 0, shared(content));
    closeSync(fd);
    expect(toHex(digest)).toBe(toHex(digestsOf(content, MiB)));
    expect(Buffer.compare(readFileSync(path), content)).toBe(0);
  });
});

describe.each(["map", "pread"] as const)("HashPool with io %s", (io) => {
  const lengths = [
    1,
    19,
    16 * KiB - 1,
    16 * KiB,
    16 * KiB + 1,
    256 * KiB - 1,
    256 * KiB,
    256 * KiB + 1,
    MiB,
    3 * MiB + 5,
    HASH_JOB_LENGTH - 1,
    HASH_JOB_LENGTH,
    HASH_JOB_LENGTH + 1,
    bytes.length,
  ];

  test("gives the digests of node:crypto for lengths around every edge", async () => {
    const pool = poolOf({ io });
    for (const length of lengths) {
      const content = bytes.subarray(0, length);
      const path = fileOf(content, `edge-${io}`);
      for (const pieceLength of [256 * KiB, MiB]) {
        const digests = await pool.hashRange({ path, offset: 0, length, pieceLength });
        expect(toHex(digests)).toBe(toHex(digestsOf(content, pieceLength)));
      }
    }
  });

  test("hashes pieces longer than a window and longer than a job", async () => {
    const path = fileOf(bytes, `long-${io}`);
    const pieceLength = HASH_WINDOW_LENGTH + 16 * KiB;
    const digests = await poolOf({ io }).hashRange({ path, offset: 0, length: bytes.length, pieceLength });
    expect(toHex(digests)).toBe(toHex(digestsOf(bytes, pieceLength)));
  });

  test("hashes single pieces at any offset, of our own file as of others", async () => {
    const pool = poolOf({ io });
    const path = fileOf(bytes, `piece-${io}`);
    for (const [offset, length] of [
      [0, 1],
      [16 * KiB, MiB],
      [5 * MiB - 16 * KiB, 2 * MiB],
      [4097, 70_001],
    ] as const) {
      const wanted = toHex(digestsOf(bytes.subarray(offset, offset + length), length));
      expect(toHex(await pool.hashPiece(path, offset, length))).toBe(wanted);
      expect(toHex(await pool.hashPiece(path, offset, length, true))).toBe(wanted);
    }
  });

  test("reports progress that only grows and ends with the whole length", async () => {
    const path = fileOf(bytes, `progress-${io}`);
    const seen: number[] = [];
    const onProgress = (done: number) => seen.push(done);
    await poolOf({ io }).hashRange({ path, offset: 0, length: bytes.length, pieceLength: MiB, onProgress });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)).toBe(bytes.length);
  });

  test("answers ESHORT for a file that is shorter than asked, and goes on with the next", async () => {
    const pool = poolOf({ io });
    const path = fileOf(bytes.subarray(0, 2 * MiB), `short-${io}`);
    const asked = { path, offset: 0, length: 3 * MiB, pieceLength: MiB };
    expect((await failureOf(pool.hashRange(asked))).code).toBe("ESHORT");
    expect((await failureOf(pool.hashPiece(path, 5 * MiB, MiB))).code).toBe("ESHORT");
    expect((await pool.hashPiece(path, 0, MiB)).length).toBe(20);
  });

  test("does not take a replaced file for the old one", async () => {
    const pool = poolOf({ io, workers: 1 });
    const path = fileOf(bytes.subarray(0, MiB), `replaced-${io}`);
    const before = await pool.hashPiece(path, 0, MiB);
    rmSync(path);
    fileOf(bytes.subarray(MiB, 2 * MiB), `replaced-${io}`);
    expect(toHex(await pool.hashPiece(path, 0, MiB))).not.toBe(toHex(before));
  });
});

describe("HashPool", () => {
  test("P8: names the file and the system's code when it cannot be read", async () => {
    const pool = poolOf();
    const missing = await failureOf(pool.hashPiece(join(folder, "missing"), 0, 1));
    expect([missing.code, missing.path]).toEqual(["ENOENT", join(folder, "missing")]);
    expect((await failureOf(pool.hashPiece(folder, 0, 1))).code).toBe("EISDIR");
    expect(missing.message).not.toContain("\n");
  });

  test("puts a received piece ahead of a range", async () => {
    const path = fileOf(bytes, "ahead");
    const pool = poolOf({ workers: 1 });
    let rangeDone = false;
    const range = pool.hashRange({ path, offset: 0, length: bytes.length, pieceLength: MiB }).then(() => {
      rangeDone = true;
    });
    await pool.hashPiece(path, 0, MiB);
    expect(rangeDone).toBe(false);
    await range;
  });

  test("hashes many ranges at once", async () => {
    const path = fileOf(bytes, "many");
    const pool = poolOf();
    const length = 9 * MiB;
    const offsets = Array.from({ length: 20 }, (_, i) => i * MiB);
    const all = await Promise.all(
      offsets.map((offset) => pool.hashRange({ path, offset, length, pieceLength: MiB })),
    );
    for (const [i, digests] of all.entries()) {
      const at = offsets[i]!;
      expect(toHex(digests)).toBe(toHex(digestsOf(bytes.subarray(at, at + length), MiB)));
    }
  });

  test("stops at an aborted signal with its reason, before and during the work", async () => {
    const path = fileOf(bytes, "abort");
    const pool = poolOf({ workers: 1 });
    const asked = { path, offset: 0, length: bytes.length, pieceLength: MiB };
    const early = AbortSignal.abort(new Error("too early"));
    await expect(pool.hashRange({ ...asked, signal: early })).rejects.toThrow("too early");
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = (done: number) => {
      seen.push(done);
      controller.abort(new Error("enough"));
    };
    await expect(pool.hashRange({ ...asked, signal: controller.signal, onProgress })).rejects.toThrow(
      "enough",
    );
    await pool.hashRange(asked);
    expect(seen).toHaveLength(1);
  });

  test("P5: starts a dead worker once more and repeats its jobs", async () => {
    const path = fileOf(bytes, "crash");
    const { spawn, started } = spawnDying(1);
    const pool = poolOf({ workers: 1, spawn });
    const digests = await pool.hashRange({ path, offset: 0, length: bytes.length, pieceLength: MiB });
    expect(toHex(digests)).toBe(toHex(digestsOf(bytes, MiB)));
    expect(started()).toBe(2);
  });

  test("P5: fails everything when its workers die again, and what comes later", async () => {
    const path = fileOf(bytes, "crash-again");
    const { spawn, started } = spawnDying(100);
    const pool = poolOf({ workers: 2, spawn });
    const asked = { path, offset: 0, length: bytes.length, pieceLength: MiB };
    const failures = await Promise.all([
      failureOf(pool.hashRange(asked)),
      ...Array.from({ length: 9 }, () => failureOf(pool.hashPiece(path, 0, MiB))),
    ]);
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(["EWORKER"]));
    expect(failures[0].message).toContain("struck by lightning");
    expect((await failureOf(pool.hashPiece(path, 0, MiB))).code).toBe("EWORKER");
    expect(started()).toBe(4);
  });

  test("fails when the worker cannot even be loaded", async () => {
    const pool = poolOf({ spawn: () => new Worker(new URL("./no-such-worker.ts", import.meta.url).href) });
    expect((await failureOf(pool.hashPiece(fileOf(bytes, "unloaded"), 0, MiB))).code).toBe("EWORKER");
  });

  test("goes on with the second worker when the first died for good", async () => {
    const path = fileOf(bytes, "half-dead");
    const { spawn } = spawnDying(2);
    const pool = poolOf({ workers: 2, spawn });
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => pool.hashPiece(path, 0, MiB)));
    expect(results.filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(16);
    expect(toHex(await pool.hashPiece(path, 0, MiB))).toBe(toHex(digestsOf(bytes.subarray(0, MiB), MiB)));
  });

  test("fails what is under way with ECANCELED when it is closed, and refuses new work", async () => {
    const path = fileOf(bytes, "closed");
    const pool = poolOf();
    const asked = { path, offset: 0, length: bytes.length, pieceLength: MiB };
    const pending = [failureOf(pool.hashRange(asked)), failureOf(pool.hashPiece(path, 0, MiB))];
    await pool.close();
    for (const failure of await Promise.all(pending)) expect(failure.code).toBe("ECANCELED");
    expect((await failureOf(pool.hashRange(asked))).code).toBe("ECANCELED");
  });

  test("P6, C7: survives a file that is truncated again and again while it is hashed", async () => {
    const path = fileOf(bytes, "truncated");
    const pool = poolOf();
    const length = 16 * MiB;
    let failed = 0;
    for (let i = 0; i < 40; i++) {
      truncateSync(path, bytes.length);
      const hashing = pool
        .hashRange({ path, offset: 0, length, pieceLength: MiB })
        .catch((error: HashFailure) => {
          expect(error.code).toBe("ESHORT");
          failed++;
        });
      await new Promise((resolve) => setTimeout(resolve, i / 10));
      truncateSync(path, i * 100 * KiB);
      await hashing;
    }
    expect(failed).toBeGreaterThan(0);
  });

  test("keeps the process alive while it hashes, and lets it end when it is idle", async () => {
    const path = fileOf(bytes, "alive");
    const module = JSON.stringify(new URL("../../src/hashing/hash-pool.ts", import.meta.url).pathname);
    const script = `
      import { HashPool } from ${module};
      const pool = new HashPool({ workers: 2, io: "map" });
      pool.hashRange({ path: ${JSON.stringify(path)}, offset: 0, length: ${bytes.length}, pieceLength: ${MiB} })
        .then((digests) => console.log(digests.length));`;
    const scriptPath = fileOf(new TextEncoder().encode(script), "alive.ts");
    const child = Bun.spawn([process.execPath, scriptPath], { stdout: "pipe", timeout: 10_000 });
    expect(await new Response(child.stdout).text()).toBe(`${Math.ceil(bytes.length / MiB) * 20}\n`);
    expect(await child.exited).toBe(0);
  });
});
