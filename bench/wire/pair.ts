// One run of one contestant of the benchmark of the wire: two processes, and what both say at their end.
import { join } from "node:path";
import type { Bed } from "../lib/bed.ts";
import type { Memory } from "../lib/process-meter.ts";
import type { SideFigures } from "./stream.ts";

export interface WireRun {
  readonly seed: SideFigures;
  readonly leech: SideFigures;
  readonly seedMemory: Memory;
  readonly leechMemory: Memory;
}

export interface PairOptions {
  readonly bed: Bed;
  /** For what the processes say on stderr. */
  readonly folder: string;
  /** A program as stream.ts describes it. */
  readonly program: string;
  readonly size: number;
  readonly window: number;
}

const TIMEOUT_MS = 60_000;

/** @throws when a side fails or takes too long. */
export async function runPair({ bed, folder, program, size, window }: PairOptions): Promise<WireRun> {
  // As the executable runs: see docs/adr/0005.
  const command = (role: string, ...more: string[]) => [
    process.execPath,
    "--smol",
    program,
    role,
    String(size),
    String(window),
    ...more,
  ];
  const start = (role: string, ...more: string[]) =>
    bed.spawn(command(role, ...more), { cwd: folder, log: join(folder, role), metered: true });
  const seed = start("seed");
  try {
    const port = await seed.waitForOutput(/^port (\d+)$/m, TIMEOUT_MS);
    const leech = start("leech", port);
    try {
      await leech.waitForSuccess(TIMEOUT_MS);
      await seed.waitForSuccess(TIMEOUT_MS);
      await Promise.all([leech.ended(), seed.ended()]);
      return {
        seed: figuresOf(seed.output),
        leech: figuresOf(leech.output),
        seedMemory: seed.peakMemory,
        leechMemory: leech.peakMemory,
      };
    } finally {
      await bed.end(leech);
    }
  } finally {
    await bed.end(seed);
  }
}

function figuresOf(output: string): SideFigures {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  // Written by stream.ts and nobody else.
  return JSON.parse(line) as SideFigures;
}
