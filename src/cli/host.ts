// This process as an Environment: its streams, its signals, and the errors that nobody caught. Sets no exit code itself;
// main.ts does.
import { ExitCode, UsageError } from "../lib/errors.ts";
import type { Environment, Sessions } from "./environment.ts";
import { StopReason } from "./environment.ts";
import { hostStream } from "./host-stream.ts";
import { reportError } from "./report-error.ts";
import { run, wantsDebug } from "./run.ts";

/** The contract has 130 and 143; a hang-up asks for the same orderly end as SIGTERM. */
const stopSignals = {
  SIGINT: ExitCode.interrupted,
  SIGTERM: ExitCode.terminated,
  SIGHUP: ExitCode.terminated,
} as const;

export interface Host {
  /** The command line without the program's own name. */
  readonly argv: readonly string[];
  readonly sessions: Sessions;
  /** Ends the process at once. */
  readonly exit: (code: ExitCode) => never;
}

/** @returns the exit code, when everything written has been taken. */
export async function runInProcess({ argv, sessions, exit }: Host): Promise<ExitCode> {
  const stop = new AbortController();
  // A session whose answers nobody can get any more stops as it does for a signal.
  const stdout = hostStream(process.stdout, () => {
    stop.abort(new StopReason("standard output is closed", ExitCode.disk));
  });
  // Nobody is left to be told that nothing can be told.
  const stderr = hostStream(process.stderr, () => {});
  const environment: Environment = {
    get workingDirectory() {
      return currentDirectory();
    },
    home: process.env["HOME"],
    variables: process.env,
    stdout,
    stderr,
    signal: stop.signal,
    now: Date.now,
    every: repeat,
    sessions,
  };

  let stopped: ExitCode | undefined;
  for (const [name, code] of Object.entries(stopSignals)) {
    process.on(name, () => {
      // The second one means it: no waiting for peers, disks or readers.
      if (stopped !== undefined) exit(code);
      stopped = code;
      stop.abort(new StopReason(`stopped by ${name}`, code));
    });
  }
  const crash = (error: unknown) => {
    const report = reportError(error, { debug: wantsDebug(argv, environment) });
    stderr.write(report.text);
    // Whatever threw is in an unknown state; an orderly end is not to be had from it.
    void stderr.flush().finally(() => exit(ExitCode.bug));
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);

  const exitCode = await run(argv, environment);
  await stderr.flush();
  return exitCode;
}

/** @throws UsageError when somebody has removed it. */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new UsageError("the current directory does not exist any more; change to another one", { cause });
  }
}

function repeat(milliseconds: number, callback: () => void): () => void {
  const timer = setInterval(callback, milliseconds);
  timer.unref();
  return () => clearInterval(timer);
}
