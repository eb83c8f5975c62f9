// What a result line says of the machine and of the programs that ran on it.
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { GiB, KiB } from "../../src/lib/units.ts";
import { rounded } from "./statistics.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: rounded(totalmem() / GiB, 1),
    kernel: release(),
  };
}

/** Bytes that can be had without swapping (MemAvailable). */
export function availableMemory(): number {
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  if (kib === undefined) throw new Error("/proc/meminfo does not tell MemAvailable");
  return Number(kib) * KiB;
}

/** The first match of `pattern` in what `command` prints; undefined when it cannot be run or prints nothing like it. */
export function versionOf(command: readonly string[], pattern: RegExp): string | undefined {
  try {
    const { stdout, stderr } = Bun.spawnSync([...command], { timeout: 10_000 });
    return pattern.exec(stdout.toString() + stderr.toString())?.[1];
  } catch {
    return undefined;
  }
}
