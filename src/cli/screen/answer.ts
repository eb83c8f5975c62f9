// What standard output carries during a session: plain-output.ts or json-output.ts.
import type { SessionEvent } from "../../session/report/session-event.ts";
import type { OutputStream } from "../environment.ts";
import type { ErrorReport } from "../report-error.ts";

/** The part of standard output that an answer needs. */
export type AnswerStream = Pick<OutputStream, "write" | "isTerminal" | "backlog">;

export interface Answer {
  handle(event: SessionEvent): void;
  /** The session as a whole ended with an error. */
  fail(report: ErrorReport): void;
}
