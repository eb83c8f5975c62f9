// One session between its start and its exit code: builds what shows it, hands it its context, and settles what counts
// when it was stopped, failed, or could not deliver its answer.
import { ExitCode } from "../lib/errors.ts";
import type { SessionContext } from "../session/context.ts";
import type { SessionEvent } from "../session/report/session-event.ts";
import type { AnswerStream } from "./screen/answer.ts";
import type { Environment, OutputStream } from "./environment.ts";
import { StopReason } from "./environment.ts";
import { eventDetail } from "./screen/event-notice.ts";
import { jsonOutput } from "./screen/json-output.ts";
import { createLog } from "./screen/log.ts";
import { plainOutput } from "./screen/plain-output.ts";
import { ProgressLines } from "./screen/progress-lines.ts";
import { reportError } from "./report-error.ts";
import type { OutputOptions } from "./settings/session-flags.ts";

export interface SessionDisplay {
  readonly output: OutputOptions;
  /** Said before the session starts. */
  readonly warnings: readonly string[];
}

export async function runSession(
  environment: Environment,
  { output, warnings }: SessionDisplay,
  start: (context: SessionContext) => Promise<ExitCode>,
): Promise<ExitCode> {
  const progress = new ProgressLines(environment);
  const stdout = besideProgress(environment.stdout, progress);
  const answer = output.json ? jsonOutput({ stdout, now: environment.now }) : plainOutput(stdout);
  const logger = createLog((line) => progress.print(line), output);
  const emit = (event: SessionEvent) => {
    // The answer first: it must not wait for the screen.
    answer.handle(event);
    progress.handle(event);
    if (event.type === "warning") logger.warn(event.message);
    const detail = eventDetail(event);
    if (detail !== undefined) logger.debug(detail);
  };
  for (const warning of warnings) logger.warn(warning);

  const { signal, workingDirectory, stderr } = environment;
  let exitCode: ExitCode;
  try {
    exitCode = await start({ emit, logger, signal, workingDirectory, io: output.io });
  } catch (error) {
    if (!isStop(error, signal)) {
      const report = reportError(error, output);
      answer.fail(report);
      progress.finish();
      stderr.write(report.text);
      return report.exitCode;
    }
    exitCode = ExitCode.done;
  } finally {
    progress.finish();
  }
  const failure = await environment.stdout.flush();
  if (isOrderlyEnd(exitCode) && signal.reason instanceof StopReason) return signal.reason.exitCode;
  // An answer that was not read is no success, whichever end closed the pipe.
  return exitCode === ExitCode.done && failure !== undefined ? ExitCode.disk : exitCode;
}

/** A terminal that is both standard output and standard error shows the answers above the live lines. */
function besideProgress(stdout: OutputStream, progress: ProgressLines): AnswerStream {
  return {
    get isTerminal() {
      return stdout.isTerminal;
    },
    get backlog() {
      return stdout.backlog;
    },
    write(text) {
      if (stdout.isTerminal) progress.aside(() => stdout.write(text));
      else stdout.write(text);
    },
  };
}

function isStop(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}

/** A file that failed keeps its code, also when the rest was stopped by a signal. */
function isOrderlyEnd(exitCode: ExitCode): boolean {
  return exitCode === ExitCode.done || exitCode === ExitCode.interrupted || exitCode === ExitCode.terminated;
}
