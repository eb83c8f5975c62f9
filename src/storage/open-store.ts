// Chooses the state store for a directory. The memory between runs is a convenience: its loss never stops a transfer.
import { MemoryStore } from "./memory-store.ts";
import { STATE_FILE_NAME } from "./own-files.ts";
import type { SqliteOptions } from "./sqlite-connection.ts";
import { SqliteStore } from "./sqlite-store.ts";
import type { StateStore } from "./state-store.ts";

/** Never throws: where the file cannot be made or written, one warning is given and the state lives in memory. */
export function openStateStore(directory: string, options: SqliteOptions): StateStore {
  try {
    return new SqliteStore(directory, options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    options.logger.warn(
      `${directory}/${STATE_FILE_NAME} cannot be written (${reason}); nothing is remembered after this run, ` +
        `ports and progress included. Start p2pfile in a directory that may be written to change that`,
    );
    return new MemoryStore();
  }
}
