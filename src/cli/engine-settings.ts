// How the JavaScript engine is set up. It reads its settings from the environment before any of our code runs, so the
// executable starts itself once more with them: same process, same arguments, 5 ms of processor time. The figures are in
// docs/adr/0010-the-engine.md.
import { existsSync } from "node:fs";
import type { Command } from "./command.ts";
import type { Environment } from "./environment.ts";

declare global {
  /** Defined by build.ts: absent when the sources run under a `bun` that is not ours to restart. */
  const P2PFILE_EXECUTABLE: boolean | undefined;
}

/**
 * Two for the compilers: after how many points (15 for a call, 1 for a turn of a loop) a function is compiled, by the
 * optimising compiler (the engine's own figure is 1000) and before that by the simple one (500). A transfer executes much
 * code a few thousand times: compiling it takes a quarter of the processor time of a fleet and gives nothing back. What
 * runs for minutes is still compiled. Two for the start: the heap is collected for the first time at 8 MiB and not at 1,
 * and no thread touches blocks of it in advance. That is a tenth of what a process does until its first piece.
 */
const SETTINGS: readonly (readonly [name: string, value: string])[] = [
  ["BUN_JSC_thresholdForOptimizeAfterWarmUp", "1000000"],
  ["BUN_JSC_thresholdForJITAfterWarmUp", "20000"],
  ["BUN_JSC_smallHeapSize", "8388608"],
  ["BUN_JSC_useWarmUpMarkedBlocks", "0"],
];

type Variables = Environment["variables"];

/** The environment to start anew with; undefined when all settings are there already, ours or the user's own. */
export function withEngineSettings(env: Variables): Variables | undefined {
  const missing = SETTINGS.filter(([name]) => env[name] === undefined);
  return missing.length === 0 ? undefined : { ...env, ...Object.fromEntries(missing) };
}

/** What is taken of the process. */
export type EngineProcess = Pick<NodeJS.Process, "env" | "execPath" | "argv0" | "execve">;

/**
 * Does not return where it has an effect: when the executable runs a command that moves data.
 * @param argv what stands behind the program's name
 */
export function restartWithEngineSettings(
  argv: readonly string[],
  commands: readonly Pick<Command, "name" | "movesData">[],
  engineProcess: EngineProcess,
): void {
  if (typeof P2PFILE_EXECUTABLE === "undefined") return;
  if (!commands.some(({ name, movesData }) => name === argv[0] && movesData === true)) return;
  const env = withEngineSettings(engineProcess.env);
  // Replaced or removed since it started: then as we are, a little slower, and without Bun's warning about execve, which
  // only a failed one lives to print.
  if (env === undefined || !existsSync(engineProcess.execPath)) return;
  try {
    engineProcess.execve?.(engineProcess.execPath, [engineProcess.argv0, ...argv], { ...env });
  } catch {
    // As above.
  }
}
