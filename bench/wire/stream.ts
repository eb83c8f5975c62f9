// What both contestants of the benchmark of the wire have in common: how much is moved, in which frames, and what each
// process says at its end. A process is started as `bun FILE seed SIZE WINDOW` or `bun FILE leech SIZE WINDOW PORT`.
import { BLOCK_LENGTH } from "../../src/core/torrent/limits.ts";
import type { Cpu } from "../lib/process-meter.ts";

/** Length prefix, message id, piece index and begin of a `piece` message (BEP 3). */
const FRAME_HEAD_LENGTH = 13;
/** A `piece` message with a full block. */
export const FRAME_LENGTH = FRAME_HEAD_LENGTH + BLOCK_LENGTH;

/** The last line on stdout of either side. */
export interface SideFigures {
  /** From the first message to the last block. */
  readonly seconds: number;
  /** Seconds, of the whole process and in that time. */
  readonly cpu: Cpu;
}

export interface SideArguments {
  readonly role: string | undefined;
  /** Bytes, a multiple of a MiB. */
  readonly size: number;
  /** Blocks asked for and not yet received, at most. */
  readonly window: number;
  /** Of the seed. */
  readonly port: number;
}

export function sideArguments(): SideArguments {
  const [role, size, window, port] = Bun.argv.slice(2);
  return { role, size: Number(size), window: Number(window), port: Number(port) };
}

/** Starts a clock. @returns what stops it and prints the figures. */
export function startClock(): () => void {
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  return () => {
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    const figures: SideFigures = { seconds, cpu: { user: user / 1e6, system: system / 1e6 } };
    console.log(JSON.stringify(figures));
  };
}
