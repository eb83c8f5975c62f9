// The world around the command line as a value: streams, variables, clock, signal and the sessions. The real one is
// made by host.ts, the tests bring their own. Knows no flag and no process.
import type { ExitCode } from "../lib/errors.ts";
import type { SessionContext } from "../session/context.ts";

/** Standard output or standard error. */
export interface OutputStream {
  /** Handed to the system at once and in order; never throws. */
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Size of the terminal as it is now; 80 × 24 when it is none. */
  readonly columns: number;
  readonly rows: number;
  /** Characters written and not yet taken by the reader. */
  readonly backlog: number;
  /**
   * Waits, at most OUTPUT_FLUSH_MS, until everything written is taken.
   * @returns the system's error code of the first write that failed ("EPIPE"), or undefined when none did.
   */
  flush(): Promise<string | undefined>;
}

export type Session<Options> = (options: Options, context: SessionContext) => Promise<ExitCode>;

/** The session function of each verb that runs one, by its name. The file of such a verb adds its own member. */
export interface Sessions {}

export interface Environment {
  readonly workingDirectory: string;
  /** $HOME; without one there is no default configuration file. */
  readonly home: string | undefined;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Aborted, with a StopReason, when the process is asked to end. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back every `milliseconds` until the returned function is called; keeps no process alive. */
  readonly every: (milliseconds: number, callback: () => void) => () => void;
  readonly sessions: Sessions;
}

/** Why Environment.signal was aborted, and the exit code that this means. */
export class StopReason extends Error {
  override readonly name = "StopReason";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}
