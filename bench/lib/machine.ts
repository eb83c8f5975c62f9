// What a result line says of the machine and of the programs that ran on it.
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { GiB, KiB } from "../../src/lib/units.ts";
import { rounded } from "./statistics.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /**
   * Of a virtual machine that gives freed memory back to its host: free blocks of 2^n pages and more are gone, so that
   * writing through large folios finds cold memory every time. Undefined elsewhere.
   */
  readonly pageReportingOrder: number | undefined;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: rounded(totalmem() / GiB, 1),
    kernel: release(),
    pageReportingOrder: pageReportingOrder(),
  };
}

function pageReportingOrder(): number | undefined {
  const path = "/sys/module/page_reporting/parameters/page_reporting_order";
  return existsSync(path) ? Number(readFileSync(path, "utf8")) : undefined;
}

/**
 * What new TCP connections use, also in network namespaces made later, by its name in the kernel. Who gets how much of a full
 * link depends on it.
 */
export function congestionControl(): string {
  return readFileSync("/proc/sys/net/ipv4/tcp_congestion_control", "utf8").trim();
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
