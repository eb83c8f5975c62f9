// How busy the whole machine is: in the kernel's books also what no process is charged for, like forwarding packets.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { rounded } from "./statistics.ts";

export interface Load {
  /** CPU seconds per second. */
  readonly busyCores: number;
  /** Part of the time in which nearly all cores were busy or taken away, 0 to 1. */
  readonly saturated: number;
  /** CPU seconds per second that the host of a virtual machine gave to others. */
  readonly stolenCores: number;
  /** CPU seconds per second that the benchmark itself took: what it must not have much of. */
  readonly ownCores: number;
  readonly cores: number;
}

interface Ticks {
  readonly busy: number;
  readonly stolen: number;
  readonly all: number;
}

const SAMPLE_MS = 250;
/** From this share on the cores count as busy. */
const SATURATED = 0.95;
/** With so many of its cores at work on average a machine decides the result. */
const LIMITING = 0.9;

export class LoadMeter {
  readonly #begin = ticks();
  readonly #timer = setInterval(() => this.#sample(), SAMPLE_MS);
  readonly #ownBegin = process.cpuUsage();
  readonly #begun = performance.now();
  #last = this.#begin;
  #samples = 0;
  #saturated = 0;

  stop(): Load {
    clearInterval(this.#timer);
    const cores = availableParallelism();
    const { busy, stolen, all } = difference(this.#begin, ticks());
    const own = process.cpuUsage(this.#ownBegin);
    const perSecond = (part: number) => rounded((part / Math.max(all, 1)) * cores, 2);
    return {
      busyCores: perSecond(busy),
      saturated: rounded(this.#saturated / Math.max(this.#samples, 1), 2),
      stolenCores: perSecond(stolen),
      ownCores: rounded((own.user + own.system) / 1000 / (performance.now() - this.#begun), 2),
      cores,
    };
  }

  #sample(): void {
    const now = ticks();
    const { busy, stolen, all } = difference(this.#last, now);
    this.#last = now;
    this.#samples += 1;
    if (busy + stolen >= all * SATURATED) this.#saturated += 1;
  }
}

/** True when another machine would probably have been faster. */
export function isLimiting({ busyCores, stolenCores, cores }: Load): boolean {
  return busyCores + stolenCores > cores * LIMITING;
}

function ticks(): Ticks {
  const line = readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "";
  // user nice system idle iowait irq softirq steal, summed over the cores.
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = user + nice + system + irq + softirq;
  return { busy, stolen: steal, all: busy + idle + wait + steal };
}

function difference(before: Ticks, after: Ticks): Ticks {
  return {
    busy: after.busy - before.busy,
    stolen: after.stolen - before.stolen,
    all: after.all - before.all,
  };
}
