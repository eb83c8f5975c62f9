// One run of one contestant: seed up, clock on, fetch, clock off, compare, all gone again.
import { open } from "node:fs/promises";
import { join } from "node:path";
import { CONTENT_NAME, type Contestant } from "../contestants/contestant.ts";
import { MiB } from "../../src/lib/units.ts";
import type { Cpu } from "./process-meter.ts";
import { assertSameContent } from "./content-file.ts";
import { warmPages } from "./warm-pages.ts";
import { cpuBetween, cpuOf, type Memory } from "./process-meter.ts";
import type { Stage } from "./stage.ts";

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

/** @throws when a program fails, takes too long, or delivers something else than was served. */
export async function runOnce(contestant: Contestant, stage: Stage): Promise<RunFigures> {
  const { workspace, folder } = stage;
  const [seedFolder, leechFolder] = [workspace.folder(folder), workspace.folder(folder)];
  try {
    return await fetchOnce(contestant, stage, seedFolder, leechFolder);
  } finally {
    workspace.remove(seedFolder);
    workspace.remove(leechFolder);
  }
}

/** Slower than 10 MB/s is broken. */
function timeoutFor(size: number): number {
  return 30_000 + (size / (10 * MiB)) * 1000;
}

async function fetchOnce(
  contestant: Contestant,
  { workspace, content, torrent, size }: Stage,
  seedFolder: string,
  leechFolder: string,
): Promise<RunFigures> {
  const spawn = (command: readonly string[], cwd: string, log: string) =>
    workspace.spawn(command, { cwd, log: join(seedFolder, log), metered: true });
  const seedStart = performance.now();
  const spawnSeed = (command: readonly string[]) => spawn(command, seedFolder, "stderr");
  const offer = await contestant.start({ content, torrent, seedFolder, spawnSeed });
  const { seed, begunAt, close } = offer;
  const ready = performance.now() - seedStart;
  try {
    warmPages(size + MiB * 512);
    const cpuBefore = cpuOf(seed.pid);
    const epoch = Date.now();
    const start = performance.now();
    const leech = spawn(offer.leech, leechFolder, "leech-stderr");
    try {
      await leech.waitForSuccess(timeoutFor(size));
      const wall = performance.now() - start;
      const seedCpu = cpuBetween(cpuBefore, cpuOf(seed.pid));
      await syncFile(join(leechFolder, CONTENT_NAME));
      const durable = performance.now() - start;
      await leech.ended();
      const withoutStart = begunAt === undefined ? undefined : epoch + wall - begunAt(leech.output);
      assertSameContent(content, join(leechFolder, CONTENT_NAME));
      return {
        wall: wall / 1000,
        durable: durable / 1000,
        withoutStart: withoutStart === undefined ? undefined : withoutStart / 1000,
        ready: ready / 1000,
        seedCpu,
        leechCpu: leech.totalCpu,
        seedMemory: seed.peakMemory,
        leechMemory: leech.peakMemory,
      };
    } finally {
      await workspace.end(leech);
    }
  } finally {
    await close?.();
    await workspace.end(seed);
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  await file.datasync();
  await file.close();
}
