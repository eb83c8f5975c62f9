// Chooses the state store for a directory. State between runs is a convenience: its loss never stops a transfer.
import { MemoryStore } from "./memory-store.ts";
import { STATE_FILE_NAME } from "./own-files.ts";
import type { SqliteOptions } from "./sqlite-connection.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { NewerState } from "./state-schema.ts";
import type { StateStore } from "./state-store.ts";

/**
 * Never throws. Where the file cannot be made or written to, or has a newer version, it gives one warning and a store in
 * memory.
 */
export function openStateStore(directory: string, options: SqliteOptions): StateStore {
  try {
    return new SqliteStore(directory, options);
  } catch (error) {
    options.logger.warn(`${directory}/${STATE_FILE_NAME} ${wordsOf(error)}`);
    return new MemoryStore();
  }
}

function wordsOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const loss = "nothing is remembered after this run, ports and progress included";
  return error instanceof NewerState
    ? `was written by a newer p2pfile (${reason}); it is left as it is, and ${loss}. Use the newer p2pfile here, or ` +
        `this one in another directory`
    : `cannot be written (${reason}); ${loss}. Start p2pfile in a directory that may be written to change that`;
}
