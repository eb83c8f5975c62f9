// How a run with several files or magnets ends: the others go on when one fails, and the first failure's code is the
// run's.
import { ExitCode, P2pfileError } from "../lib/errors.ts";
import type { SessionContext } from "./context.ts";

export class FailureList {
  readonly #context: SessionContext;
  #first: ExitCode | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  get exitCode(): ExitCode {
    return this.#first ?? ExitCode.done;
  }

  /** Reports a named error to the user. @throws anything else: a bug concerns the whole run. */
  add(index: number, subject: string, error: unknown): void {
    if (!(error instanceof P2pfileError)) throw error;
    this.#first ??= error.exitCode;
    this.#context.emit({ type: "failed", index, subject, message: error.message, exitCode: error.exitCode });
    if (error.cause instanceof Error) this.#context.logger.debug(`${subject}: ${error.cause.message}`);
  }
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
