// An error as the user sees it: one line, and the exit code. The stack and the causes only with --debug.
import { printable } from "../core/format/file-name.ts";
import { ExitCode, InvariantError, P2pfileError } from "../lib/errors.ts";

export interface ErrorReport {
  /** Lines for stderr, ending with a line break. */
  readonly text: string;
  /** The sentence alone, for `--json`. */
  readonly message: string;
  readonly exitCode: ExitCode;
}

export function reportError(error: unknown, { debug }: { readonly debug: boolean }): ErrorReport {
  const details = debug ? `${stacks(error)}\n` : "";
  if (error instanceof P2pfileError && !(error instanceof InvariantError)) {
    const message = oneLine(error.message);
    return { text: `p2pfile: ${message}\n${details}`, message, exitCode: error.exitCode };
  }
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const message = `internal error: ${oneLine(reason)}`;
  const request = debug
    ? "please report it with the lines below"
    : "please report it with the output of --debug";
  return { text: `p2pfile: ${message}; ${request}\n${details}`, message, exitCode: ExitCode.bug };
}

/** Messages quote what came from outside, which must not break the line nor steer the terminal. */
export function oneLine(text: string): string {
  return printable(text.trim().replaceAll(/\s*\n\s*/g, " "));
}

function stacks(error: unknown): string {
  const lines: string[] = [];
  let cause = error;
  // A cause may lead back to itself.
  while (cause !== undefined && lines.length < 8) {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : Bun.inspect(cause);
    lines.push(lines.length === 0 ? text : `caused by: ${text}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return lines.join("\n");
}
