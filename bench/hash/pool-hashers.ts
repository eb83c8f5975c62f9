// p2pfile's own hashing: the HashPool of the sources, in this process, with its workers and messages. Pools stay open from
// round to round, so no start is timed.
import { openSync } from "node:fs";
import packageJson from "../../package.json" with { type: "json" };
import { MAX_OPEN_PIECE_BYTES } from "../../src/core/picker/limits.ts";
import { HashPool } from "../../src/hashing/hash-pool.ts";
import { bytesEqual } from "../../src/lib/bytes.ts";
import { SHA1_LENGTH } from "../../src/lib/sha1.ts";
import { LoadMeter } from "../lib/machine-load.ts";
import { EventLoopDelay } from "../event-loop-delay.ts";
import { assertDigests, type HashGround, type Hasher, type HashRun } from "./hasher.ts";

type Io = "map" | "pread";

const IDLE_MS = 1000;
const version = () => packageJson.version;

/** Of one way to read: with one worker, and with one per core. */
export function poolHashers(ground: HashGround, io: Io, cores: number): Hasher[] {
  const one = new HashPool({ workers: 1, io });
  const all = cores === 1 ? [] : [new HashPool({ workers: cores, io })];
  return [
    { ...create(one, ground, `create ${io} 1 worker`), close: () => one.close() },
    verify(one, ground, `verify ${io} 1 worker`),
    ...all.flatMap((pool) => [
      { ...create(pool, ground, `create ${io} ${cores} workers`), close: () => pool.close() },
      verify(pool, ground, `verify ${io} ${cores} workers`),
    ]),
  ];
}

/** Nothing to do: how late the machine makes a timer by itself, and what else it is busy with. */
export function idle(): Hasher {
  return {
    name: "nothing (idle)",
    version,
    run: async () => {
      const meter = new LoadMeter();
      const { cpu, lateness } = await observe(() => Bun.sleep(IDLE_MS));
      const { busyCores, stolenCores } = meter.stop();
      return { cpu, lateness, busyCores: busyCores + stolenCores };
    },
  };
}

/** As `serve` does, and `download` when it finds a file or resumes a part of one: one call for the whole stretch. */
function create(pool: HashPool, ground: HashGround, name: string): Hasher {
  const { content: path, size: length, pieceLength } = ground;
  const fd = openSync(path, "r");
  return {
    name,
    version,
    run: () =>
      timed(ground, async () => {
        assertDigests(await pool.hashRange({ path, fd, offset: 0, length, pieceLength }), ground);
      }),
  };
}

/**
 * As `download` does with what it has received: one call per piece, of a file that is its own, and the digest compared
 * on the main thread; as many at once as the picker may have open.
 */
function verify(pool: HashPool, ground: HashGround, name: string): Hasher {
  const { content: path, size, pieceLength, digests } = ground;
  const file = { path, fd: openSync(path, "r") };
  const count = Math.ceil(size / pieceLength);
  const check = async (piece: number): Promise<void> => {
    const offset = piece * pieceLength;
    const length = Math.min(pieceLength, size - offset);
    const digest = await pool.hashPiece(file, offset, length, true);
    const expected = digests.subarray(piece * SHA1_LENGTH, (piece + 1) * SHA1_LENGTH);
    if (!bytesEqual(digest, expected)) throw new Error(`piece ${piece} has a wrong digest`);
  };
  return {
    name,
    version,
    run: () =>
      timed(ground, async () => {
        let next = 0;
        const lane = async (): Promise<void> => {
          while (next < count) await check(next++);
        };
        await Promise.all(Array.from({ length: Math.floor(MAX_OPEN_PIECE_BYTES / pieceLength) }, lane));
      }),
  };
}

async function timed({ size }: HashGround, work: () => Promise<unknown>): Promise<HashRun> {
  const run = await observe(work);
  return { ...run, rate: size / 1e9 / run.wall };
}

interface Observed {
  readonly wall: number;
  readonly cpu: number;
  readonly lateness: readonly number[];
}

async function observe(work: () => Promise<unknown>): Promise<Observed> {
  const delay = new EventLoopDelay();
  delay.start();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  await work().finally(() => delay.stop());
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wall, cpu: (user + system) / 1e6, lateness: delay.samples };
}
