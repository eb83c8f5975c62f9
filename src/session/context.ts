// What a session is given by its caller: the command line, or a test.
import type { Logger } from "../lib/logger.ts";
import type { EmitEvent } from "./report/session-event.ts";

export interface SessionContext {
  readonly emit: EmitEvent;
  readonly logger: Logger;
  /** Aborted on SIGINT, SIGTERM and SIGHUP: the session stops in an orderly, resumable way within 3 s. */
  readonly signal: AbortSignal;
  /** Relative paths and the state store `.p2pfile.db` are found from here. */
  readonly workingDirectory: string;
  /** P2PFILE_IO=pread keeps the workers from mapping files. */
  readonly io: "map" | "pread";
}
