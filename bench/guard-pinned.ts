// The pinned cost of a transfer and how far above it a build may be. `npm run bench -- guard --pin` writes the file.
import { join } from "node:path";
import pinnedFile from "./guard-pinned.json" with { type: "json" };
import type { Machine } from "./lib/machine.ts";
import { type Call, type Calls, type CpuCost, type Side, WATCHED_CALLS } from "./guard-measure.ts";

export interface Pinned {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string | undefined>>;
  /** Bytes of the file, which the figures are for. */
  readonly size: number;
  readonly calls: Readonly<Record<Side, Calls>>;
  /** CPU seconds of both sides by those of the reference program. */
  readonly cpuRatio: number;
}

export const PINNED_PATH = join(import.meta.dir, "guard-pinned.json");
export const pinned: Pinned = pinnedFile;

/** Half as much again is no noise. */
const HEAD_ROOM = 1.5;
/** Threads meet, and the collector gives memory back, by chance: on a machine with more cores more often. */
const HEAD_ROOM_OF_CHANCE = 3;
const BY_CHANCE: ReadonlySet<Call> = new Set(["futex", "epoll_pwait2", "madvise"]);
/** The file is read and written in steps that no chance decides. A seed reads it twice, to hash it and to serve it. */
const HEAD_ROOM_OF_FILE = 1.2;
const OF_FILE: ReadonlySet<Call> = new Set(["pread64", "pwrite64"]);
/** Calls that one more library, one more worker or one more tick may add: one per MiB of the file. */
const SPARE_CALLS = 256;

export interface Excess {
  readonly what: string;
  readonly measured: number;
  readonly ceiling: number;
}

export function callCeiling(side: Side, call: Call): number {
  const headRoom = OF_FILE.has(call)
    ? HEAD_ROOM_OF_FILE
    : BY_CHANCE.has(call)
      ? HEAD_ROOM_OF_CHANCE
      : HEAD_ROOM;
  return Math.ceil(pinned.calls[side][call] * headRoom + SPARE_CALLS);
}

export function cpuCeiling(): number {
  return pinned.cpuRatio * HEAD_ROOM;
}

/** Everything that is above its ceiling; empty for a build that is as good as the pinned one. */
export function excessCalls(calls: Readonly<Record<Side, Calls>>): Excess[] {
  return (["seed", "leech"] as const).flatMap((side) =>
    ([...WATCHED_CALLS, "all"] as const).flatMap((call) => {
      const [measured, ceiling] = [calls[side][call], callCeiling(side, call)];
      return measured > ceiling ? [{ what: `${call} of the ${side}`, measured, ceiling }] : [];
    }),
  );
}

export function excessCpu({ ratio }: CpuCost): Excess[] {
  const ceiling = cpuCeiling();
  return ratio > ceiling ? [{ what: "CPU time by the reference's", measured: ratio, ceiling }] : [];
}
