// What a running process uses, read from /proc: CPU time from its books, memory by looking often.
import { readFileSync } from "node:fs";
import { KiB } from "../../src/lib/units.ts";

export interface Cpu {
  /** Seconds. */
  readonly user: number;
  readonly system: number;
}

export interface Memory {
  /** Bytes: the most that was resident at once, with mapped files and shared memory. */
  readonly rss: number;
  /** Bytes: the most that was seen of its own, not backed by a file. */
  readonly anonymous: number;
}

const SAMPLE_MS = 10;
/** Ticks per second in /proc (USER_HZ, the same on all architectures of today). */
const TICKS = 100;

export class MemoryMeter {
  readonly #pid: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #rss = 0;
  #anonymous = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Until now. */
  peak(): Memory {
    this.#sample();
    return { rss: this.#rss, anonymous: this.#anonymous };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    let status: string;
    try {
      status = readFileSync(`/proc/${this.#pid}/status`, "utf8");
    } catch {
      return; // It has ended.
    }
    // The kernel keeps the peak of the whole, since exec, but not of its parts.
    this.#rss = Math.max(this.#rss, field(status, "VmHWM"));
    this.#anonymous = Math.max(this.#anonymous, field(status, "RssAnon"));
  }
}

/** CPU time of a living process and its threads since its start, to 10 ms. */
export function cpuOf(pid: number): Cpu {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold anything; utime and stime are fields 14 and 15 of proc(5).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { user: Number(fields[11]) / TICKS, system: Number(fields[12]) / TICKS };
}

export function cpuBetween(before: Cpu, after: Cpu): Cpu {
  return { user: after.user - before.user, system: after.system - before.system };
}

/** Zero when the process is a zombie. */
function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) * KiB;
}
