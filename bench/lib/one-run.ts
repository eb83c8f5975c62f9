// One run of one contestant: seed up, clock on, fetch, clock off, compare, all gone again.
import { open } from "node:fs/promises";
import { join } from "node:path";
import { CONTENT_NAME, type Contestant, type Ground } from "../contestants/contestant.ts";
import type { Bed } from "./bed.ts";
import { MiB } from "../../src/lib/units.ts";
import type { Cpu } from "./child.ts";
import { assertSameContent } from "./content-file.ts";
import { warmPages } from "./warm-pages.ts";
import { cpuBetween, cpuOf, type Memory, MemoryMeter } from "./process-meter.ts";

export interface RunFigures {
  /** Seconds from before the start of the fetching process to after its end. */
  readonly wall: number;
  /** Seconds until the file is also on the disk: what an fdatasync after the end takes is added. */
  readonly durable: number;
  /** Seconds from the beginning of the fetching side's own code to its end, where an interpreter is loaded before it. */
  readonly withoutStart: number | undefined;
  /** Seconds from the start of the seed until the file could be fetched. */
  readonly ready: number;
  /** Of the seed during the fetch alone. */
  readonly seedCpu: Cpu;
  readonly leechCpu: Cpu;
  /** Over the whole life of the process. */
  readonly seedMemory: Memory;
  readonly leechMemory: Memory;
}

export interface Stage {
  readonly bed: Bed;
  /** On the file system under test; holds the content and the torrent. */
  readonly folder: string;
  readonly content: string;
  readonly torrent: string;
  readonly size: number;
}

/** @throws when a program fails, takes too long, or delivers something else than was served. */
export async function runOnce(contestant: Contestant, stage: Stage): Promise<RunFigures> {
  const { bed, folder, content, torrent } = stage;
  const ground: Ground = {
    bed,
    content,
    torrent,
    seedFolder: bed.folder(folder),
    leechFolder: bed.folder(folder),
  };
  try {
    return await fetchOnce(contestant, ground, stage.size);
  } finally {
    bed.remove(ground.seedFolder);
    bed.remove(ground.leechFolder);
  }
}

/** Slower than 10 MB/s is broken. */
function timeoutFor(size: number): number {
  return 30_000 + (size / (10 * MiB)) * 1000;
}

async function fetchOnce(contestant: Contestant, ground: Ground, size: number): Promise<RunFigures> {
  const { bed, leechFolder } = ground;
  const seedStart = performance.now();
  const { seed, leech: command, begunAt, close } = await contestant.start(ground);
  const ready = performance.now() - seedStart;
  const seedMeter = new MemoryMeter(seed.pid);
  try {
    warmPages(size + MiB * 512);
    const cpuBefore = cpuOf(seed.pid);
    const epoch = Date.now();
    const start = performance.now();
    const leech = bed.spawn(command, { cwd: leechFolder, log: join(ground.seedFolder, "leech-stderr") });
    const leechMeter = new MemoryMeter(leech.pid);
    try {
      await leech.waitForSuccess(timeoutFor(size));
      const wall = performance.now() - start;
      const seedCpu = cpuBetween(cpuBefore, cpuOf(seed.pid));
      await syncFile(join(leechFolder, CONTENT_NAME));
      const durable = performance.now() - start;
      await leech.ended();
      const withoutStart = begunAt === undefined ? undefined : epoch + wall - begunAt(leech.output);
      assertSameContent(ground.content, join(leechFolder, CONTENT_NAME));
      return {
        wall: wall / 1000,
        durable: durable / 1000,
        withoutStart: withoutStart === undefined ? undefined : withoutStart / 1000,
        ready: ready / 1000,
        seedCpu,
        leechCpu: leech.totalCpu,
        seedMemory: seedMeter.stop(),
        leechMemory: leechMeter.stop(),
      };
    } finally {
      leechMeter.stop();
      await bed.end(leech);
    }
  } finally {
    seedMeter.stop();
    await close?.();
    await bed.end(seed);
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  await file.datasync();
  await file.close();
}
