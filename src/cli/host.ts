// This process as an Environment: its streams, its signals, and the errors that no code caught. Sets no exit code itself;
// main.ts does.
import { DestinationError, ExitCode, UsageError } from "../lib/errors.ts";
import type { Command } from "./command.ts";
import type { Environment, Sessions } from "./environment.ts";
import { StopReason } from "./environment.ts";
import { type HostWritable, hostStream } from "./host-stream.ts";
import { reportError } from "./report-error.ts";
import { run, wantsDebug } from "./run.ts";

/** The contract has 130 and 143; a hang-up asks for the same orderly end as SIGTERM. */
const stopSignals = {
  SIGINT: ExitCode.interrupted,
  SIGTERM: ExitCode.terminated,
  SIGHUP: ExitCode.terminated,
} as const;

/** What is taken of the process. */
export interface HostProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: HostWritable;
  readonly stderr: HostWritable;
  cwd(): string;
  on(event: string, listener: (reason: unknown) => void): unknown;
  /** Ends the process at once. */
  exit(code: ExitCode): void;
}

export interface Host {
  /** The command line without the program's own name. */
  readonly argv: readonly string[];
  readonly commands: readonly Command[];
  readonly sessions: Sessions;
  readonly process: HostProcess;
  /** Signals by name that the process was started to ignore: they stay ignored. */
  readonly ignoredSignals: ReadonlySet<string>;
}

/** @returns the exit code, when everything written has been taken. */
export async function runInProcess({
  argv,
  commands,
  sessions,
  process,
  ignoredSignals,
}: Host): Promise<ExitCode> {
  const stop = new AbortController();
  // A session whose answers are not read any more stops as it does for a signal.
  const stdout = hostStream(process.stdout, () => {
    stop.abort(new StopReason("standard output is closed", ExitCode.disk));
  });
  // There is no third stream on which a failure of this one could be told.
  const stderr = hostStream(process.stderr, () => {});
  const environment: Environment = {
    get workingDirectory() {
      return currentDirectory(process);
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
    if (ignoredSignals.has(name)) continue;
    process.on(name, () => {
      // The second one means it: no waiting for peers, disks or readers.
      if (stopped !== undefined) return process.exit(code);
      stopped = code;
      stop.abort(new StopReason(`stopped by ${name}`, code));
    });
  }
  const crash = (error: unknown) => {
    const report = reportError(error, { debug: wantsDebug(argv, environment) });
    stderr.write(report.text);
    // After such an error the state is unknown; an orderly end is not to be had from it.
    void stderr.flush().finally(() => process.exit(ExitCode.bug));
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);

  const exitCode = await run(argv, environment, commands);
  await stderr.flush();
  return exitCode;
}

/** @throws UsageError when the directory has been removed. @throws DestinationError when its path is not UTF-8. */
function currentDirectory(process: HostProcess): string {
  const path = presentDirectory(process);
  // The runtime writes U+FFFD for bytes that are no text: the path would lead to another directory.
  if (path.includes("\uFFFD")) {
    throw new DestinationError(
      `${path}: the path of the current directory is not valid UTF-8; change to another one`,
    );
  }
  return path;
}

function presentDirectory(process: HostProcess): string {
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
