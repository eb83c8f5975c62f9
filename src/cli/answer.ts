// What standard output carries during a session: plain-output.ts or json-output.ts.
import type { ErrorReport } from "./report-error.ts";
import type { SessionEvent } from "../session/session-event.ts";

export interface Answer {
  handle(event: SessionEvent): void;
  /** The session as a whole ended with an error. */
  fail(report: ErrorReport): void;
}
