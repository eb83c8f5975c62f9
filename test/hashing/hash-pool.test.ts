import { describe, expect, test } from "bun:test";
import { closeSync, openSync, truncateSync } from "node:fs";
import { HASH_JOBS_IN_FLIGHT } from "../../src/hashing/limits.ts";
import type { HashFailure } from "../../src/hashing/hash-failure.ts";
import { spawnHashWorker } from "../../src/hashing/spawn.ts";
import { toHex } from "../../src/lib/bytes.ts";
import { KiB, MiB } from "../../src/lib/units.ts";
import { bytes, digestsOf, failureOf, poolFixture, spawnDying } from "./pool-fixture.ts";

const { folder, poolOf, fileOf, pathOf } = poolFixture();

describe("HashPool", () => {
  test("P8: names the file and the system's code when it cannot be read", async () => {
    const pool = poolOf();
    const closed = await failureOf(pool.hashPiece({ path: "/data/closed", fd: 1_000_000 }, 0, 1));
    expect([closed.code, closed.path]).toEqual(["EBADF", "/data/closed"]);
    expect(closed.message).not.toContain("\n");
    const fd = openSync(folder, "r");
    expect((await failureOf(pool.hashPiece({ path: folder, fd }, 0, 1))).code).toBe("EISDIR");
    closeSync(fd);
  });

  test("puts a received piece ahead of a range", async () => {
    const file = fileOf(bytes, "ahead");
    const pool = poolOf({ workers: 1 });
    let rangeDone = false;
    const range = pool.hashRange({ ...file, offset: 0, length: bytes.length, pieceLength: MiB }).then(() => {
      rangeDone = true;
    });
    await pool.hashPiece(file, 0, MiB);
    expect(rangeDone).toBe(false);
    await range;
  });

  test("hashes many ranges at once", async () => {
    const file = fileOf(bytes, "many");
    const pool = poolOf();
    const length = 9 * MiB;
    const offsets = Array.from({ length: 20 }, (_, i) => i * MiB);
    const all = await Promise.all(
      offsets.map((offset) => pool.hashRange({ ...file, offset, length, pieceLength: MiB })),
    );
    for (const [i, digests] of all.entries()) {
      const at = offsets[i]!;
      expect(toHex(digests)).toBe(toHex(digestsOf(bytes.subarray(at, at + length), MiB)));
    }
  });

  test("starts one worker at a time, and none that nothing waits for", async () => {
    const file = fileOf(bytes, "one-by-one");
    const workers: Worker[] = [];
    let ready = 0;
    let unready = 0;
    const spawn = () => {
      if (workers.length > ready) unready++;
      const worker = spawnHashWorker();
      worker.addEventListener("message", () => ready++, { once: true });
      workers.push(worker);
      return worker;
    };
    const pool = poolOf({ workers: 3, spawn });
    const hash = () => pool.hashPiece(file, 0, MiB);
    await hash();
    await hash();
    expect(workers).toHaveLength(1);
    // On a busy machine the first workers may be done with a batch before the last is ready.
    while (workers.length < 3) await Promise.all(Array.from({ length: 50 }, hash));
    await Promise.all(Array.from({ length: 50 }, hash));
    expect([workers.length, unready]).toEqual([3, 0]);
  });

  test("what waits goes to another worker as soon as the first is ready, not when it has answered", async () => {
    const source = `postMessage({ type: "ready" }); self.onmessage = () => {};`;
    const mute = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    let started = 0;
    const pool = poolOf({ spawn: () => (started++ === 0 ? new Worker(mute) : spawnHashWorker()) });
    const file = fileOf(bytes, "mute");
    const hashed = Array.from({ length: HASH_JOBS_IN_FLIGHT + 1 }, () => pool.hashPiece(file, 0, MiB));
    for (const job of hashed) job.catch(() => {});
    expect(await Promise.race(hashed)).toHaveLength(20);
    expect(started).toBe(2);
  });

  test("a pool that was prepared has its first worker before there is work, and starts no other for it", async () => {
    let started = 0;
    const pool = poolOf({ spawn: () => (started++, spawnHashWorker()) });
    pool.prepare();
    pool.prepare();
    expect(started).toBe(1);
    await pool.hashPiece(fileOf(bytes, "prepared"), 0, MiB);
    pool.prepare();
    expect(started).toBe(1);
    await pool.close();
    pool.prepare();
    expect(started).toBe(1);
  });

  test("stops at an aborted signal with its reason, before and during the work", async () => {
    const file = fileOf(bytes, "abort");
    const pool = poolOf({ workers: 1 });
    const asked = { ...file, offset: 0, length: bytes.length, pieceLength: MiB };
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
    const file = fileOf(bytes, "crash");
    const { spawn, started } = spawnDying(1);
    const pool = poolOf({ workers: 1, spawn });
    const digests = await pool.hashRange({ ...file, offset: 0, length: bytes.length, pieceLength: MiB });
    expect(toHex(digests)).toBe(toHex(digestsOf(bytes, MiB)));
    expect(started()).toBe(2);
  });

  test("P5: fails everything when its workers die again, and what comes later", async () => {
    const file = fileOf(bytes, "crash-again");
    const { spawn, started } = spawnDying(100);
    const pool = poolOf({ workers: 2, spawn });
    const asked = { ...file, offset: 0, length: bytes.length, pieceLength: MiB };
    const failures = await Promise.all([
      failureOf(pool.hashRange(asked)),
      ...Array.from({ length: 9 }, () => failureOf(pool.hashPiece(file, 0, MiB))),
    ]);
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(["EWORKER"]));
    expect(failures[0].message).toContain("struck by lightning");
    expect((await failureOf(pool.hashPiece(file, 0, MiB))).code).toBe("EWORKER");
    expect(started()).toBe(4);
  });

  test("fails when the worker cannot even be loaded", async () => {
    const pool = poolOf({ spawn: () => new Worker(new URL("./no-such-worker.ts", import.meta.url).href) });
    expect((await failureOf(pool.hashPiece(fileOf(bytes, "unloaded"), 0, MiB))).code).toBe("EWORKER");
  });

  test("goes on with the second worker when the first died for good", async () => {
    const file = fileOf(bytes, "half-dead");
    const { spawn } = spawnDying(2);
    const pool = poolOf({ workers: 2, spawn });
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => pool.hashPiece(file, 0, MiB)));
    expect(results.filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(16);
    expect(toHex(await pool.hashPiece(file, 0, MiB))).toBe(toHex(digestsOf(bytes.subarray(0, MiB), MiB)));
  });

  test("fails what is under way with ECANCELED when it is closed, and refuses new work", async () => {
    const file = fileOf(bytes, "closed");
    const pool = poolOf();
    const asked = { ...file, offset: 0, length: bytes.length, pieceLength: MiB };
    const pending = [failureOf(pool.hashRange(asked)), failureOf(pool.hashPiece(file, 0, MiB))];
    await pool.close();
    for (const failure of await Promise.all(pending)) expect(failure.code).toBe("ECANCELED");
    expect((await failureOf(pool.hashRange(asked))).code).toBe("ECANCELED");
  });

  test("P6, C7: survives a file that is truncated again and again while it is hashed", async () => {
    const file = fileOf(bytes, "truncated");
    const pool = poolOf();
    const length = 16 * MiB;
    let failed = 0;
    for (let i = 0; i < 40; i++) {
      truncateSync(file.path, bytes.length);
      const hashing = pool
        .hashRange({ ...file, offset: 0, length, pieceLength: MiB })
        .catch((error: HashFailure) => {
          expect(error.code).toBe("ESHORT");
          failed++;
        });
      await new Promise((resolve) => setTimeout(resolve, i / 10));
      truncateSync(file.path, i * 100 * KiB);
      await hashing;
    }
    expect(failed).toBeGreaterThan(0);
  });

  test("keeps the process alive while it hashes, and lets it end when it is idle", async () => {
    const file = fileOf(bytes, "alive");
    const module = JSON.stringify(new URL("../../src/hashing/hash-pool.ts", import.meta.url).pathname);
    const script = `
      import { HashPool } from ${module};
      const pool = new HashPool({ workers: 2, io: "map" });
      const path = ${JSON.stringify(file.path)};
      const fd = require("node:fs").openSync(path, "r");
      pool.hashRange({ path, fd, offset: 0, length: ${bytes.length}, pieceLength: ${MiB} })
        .then((digests) => console.log(digests.length));`;
    const scriptPath = pathOf(new TextEncoder().encode(script), "alive.ts");
    const child = Bun.spawn([process.execPath, scriptPath], { stdout: "pipe", timeout: 10_000 });
    expect(await new Response(child.stdout).text()).toBe(`${Math.ceil(bytes.length / MiB) * 20}\n`);
    expect(await child.exited).toBe(0);
  });
});
