// How fast a torrent is created from a file in the page cache, against one core of OpenSSL in the same run, and how late
// the event loop is meanwhile. Adds one line to bench/results/hash.jsonl.
// Usage: bun bench/hash.ts [GiB] [--dir DIRECTORY] [--runs N] [--write-kib N]
import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeSync,
} from "node:fs";
import { availableParallelism, cpus, freemem, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import packageJson from "../package.json" with { type: "json" };
import { HASH_JOB_LENGTH, HASH_WINDOW_LENGTH } from "../src/core/limits.ts";
import { HashPool } from "../src/hashing/hash-pool.ts";
import { GiB, KiB, MiB } from "../src/lib/units.ts";
import { hashJob } from "../workers/hash-job.ts";
import { EventLoopDelay } from "./event-loop-delay.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dir: { type: "string", default: tmpdir() },
    runs: { type: "string", default: "5" },
    /** The page cache keeps a file in blocks of up to this size, which decides what a mapping costs. */
    "write-kib": { type: "string", default: "1024" },
  },
});
const size = Number(positionals[0] ?? 4) * GiB;
const runs = Math.max(5, Number(flags.runs));
const pieceLength = MiB;
const cores = availableParallelism();

interface Case {
  readonly name: string;
  readonly hash: () => Promise<unknown>;
  readonly close: () => Promise<void>;
  /** MB/s of every run. */
  readonly rates: number[];
  /** MB per second of processor time, all threads together: tells a slow program from a busy machine. */
  readonly cpuRates: number[];
  readonly delay: EventLoopDelay;
}

function createFile(folder: string): string {
  if (freemem() < size + GiB)
    throw new Error(`${size / GiB} GiB do not fit the free memory: give a smaller size`);
  const path = join(folder, "content");
  const part = crypto.getRandomValues(new Uint8Array(64 * KiB));
  const block = new Uint8Array(Number(flags["write-kib"]) * KiB);
  for (let at = 0; at < block.length; at += part.length) block.set(part.subarray(0, block.length - at), at);
  const fd = openSync(path, "w");
  for (let at = 0; at < size; at += block.length) writeSync(fd, block, 0, Math.min(block.length, size - at));
  // Pages that wait for the disk would be written back while the clock runs.
  fsyncSync(fd);
  closeSync(fd);
  return path;
}

/** MB/s of one core. */
function openssl(): number {
  const args = ["speed", "-seconds", "2", "-evp", "sha1", "-bytes", "1048576"];
  const { stdout } = Bun.spawnSync(["openssl", ...args], { stderr: "ignore" });
  const rate = /^sha1\s+([\d.]+)k$/m.exec(stdout.toString())?.[1];
  if (rate === undefined) throw new Error("`openssl speed` printed no rate");
  return Number(rate) / 1000;
}

function poolCase(path: string, workers: number, io: "map" | "pread"): Case {
  const pool = new HashPool({ workers, io });
  return {
    name: `${workers} ${workers === 1 ? "core" : "cores"}, ${io}`,
    hash: () => pool.hashRange({ path, offset: 0, length: size, pieceLength }),
    close: () => pool.close(),
    rates: [],
    cpuRates: [],
    delay: new EventLoopDelay(),
  };
}

/** The work of one worker without the worker: what the pool and its messages cost is the difference. */
function directCase(path: string, io: "map" | "pread"): Case {
  const request = {
    type: "hash",
    path,
    pieceLength,
    io,
    exclusive: false,
    windowLength: HASH_WINDOW_LENGTH,
  } as const;
  return {
    name: `no pool, ${io}`,
    hash: async () => {
      for (let offset = 0; offset < size; offset += HASH_JOB_LENGTH) {
        hashJob({ ...request, job: 0, offset, length: Math.min(HASH_JOB_LENGTH, size - offset) });
      }
    },
    close: async () => {},
    rates: [],
    cpuRates: [],
    delay: new EventLoopDelay(),
  };
}

async function measure({ hash, rates, cpuRates, delay }: Case): Promise<void> {
  delay.start();
  const begun = performance.now();
  const cpuBegun = process.cpuUsage();
  await hash();
  rates.push(size / 1000 / (performance.now() - begun));
  const cpu = process.cpuUsage(cpuBegun);
  cpuRates.push(size / (cpu.user + cpu.system));
  delay.stop();
}

function spread(values: readonly number[]): { median: number; min: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b).map((value) => Math.round(value));
  return { median: sorted[sorted.length >> 1] ?? 0, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));
/** What else ran: a line with a load near the number of cores tells little but the rates per processor second. */
const load = rounded(loadavg()[0] ?? 0, 2);
const folder = mkdtempSync(join(flags.dir, "p2pfile-bench-"));
const cases: Case[] = [];
try {
  const path = createFile(folder);
  for (const io of ["map", "pread"] as const) {
    cases.push(directCase(path, io), poolCase(path, 1, io), poolCase(path, cores, io));
  }
  // Memory touched for the first time is slow on some virtual machines: one unmeasured round, and runs in turn.
  for (const { hash } of cases) await hash();
  const opensslRates: number[] = [];
  for (let run = 0; run < runs; run++) {
    opensslRates.push(openssl());
    for (const one of cases) await measure(one);
  }
  const reference = spread(opensslRates);
  const results = cases.map(({ name, rates, cpuRates, delay }) => ({
    name,
    rate: spread(rates),
    perCpuSecond: spread(cpuRates),
    ratio: rounded(spread(rates).median / reference.median, 3),
    delayMs: {
      p50: rounded(delay.quantile(0.5), 2),
      p99: rounded(delay.quantile(0.99), 2),
      max: rounded(delay.quantile(1), 2),
    },
  }));
  console.log(`openssl, 1 core: ${reference.median} MB/s (${reference.min}-${reference.max}), ${runs} runs`);
  for (const { name, rate, perCpuSecond, ratio, delayMs } of results) {
    const loop = name.startsWith("no pool")
      ? ""
      : `  event loop late by p50 ${delayMs.p50} p99 ${delayMs.p99} max ${delayMs.max} ms`;
    console.log(
      `${name.padEnd(16)} ${rate.median} MB/s (${rate.min}-${rate.max})  ${ratio.toFixed(2)} x openssl  ${perCpuSecond.median} MB per CPU second${loop}`,
    );
  }
  const line = {
    date: new Date().toISOString(),
    command: `bun bench/hash.ts ${Bun.argv.slice(2).join(" ")}`.trim(),
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores,
      memoryGiB: rounded(totalmem() / GiB, 1),
      kernel: release(),
    },
    versions: { p2pfile: packageJson.version, bun: Bun.version, openssl: opensslVersion() },
    sizeGiB: size / GiB,
    pieceLength,
    writeKiB: Number(flags["write-kib"]),
    unit: "MB/s",
    loadBefore: load,
    runs,
    openssl: reference,
    results,
  };
  const resultsFolder = join(import.meta.dir, "results");
  mkdirSync(resultsFolder, { recursive: true });
  appendFileSync(join(resultsFolder, "hash.jsonl"), `${JSON.stringify(line)}\n`);
} finally {
  await Promise.all(cases.map(({ close }) => close()));
  rmSync(folder, { recursive: true });
}

function opensslVersion(): string {
  return Bun.spawnSync(["openssl", "version"]).stdout.toString().split(" ")[1] ?? "unknown";
}
