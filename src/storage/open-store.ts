// Chooses the state store for a directory. State between runs is a convenience: its loss never stops a transfer.
import { MemoryStore } from "./memory-store.ts";
import { STATE_FILE_NAME } from "./own-files.ts";
import { privateDirectory } from "./private-directory.ts";
import type { SqliteOptions } from "./sqlite-connection.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { StrangeFile } from "./state-scan.ts";
import { NewerState } from "./state-schema.ts";
import type { StateStore } from "./state-store.ts";

/**
 * Never throws. Where other users can write to the directory, the file is in a directory of our own inside it. Where it cannot
 * be made or written to, is not ours, or has a newer version, there is one warning and a store in memory.
 */
export function openStateStore(directory: string, options: SqliteOptions): StateStore {
  let path = directory;
  try {
    const place = privateDirectory(directory);
    if ("problem" in place) throw new StrangeFile(place.problem);
    ({ path } = place);
    return new SqliteStore(path, options);
  } catch (error) {
    options.logger.warn(wordsOf(`${path}/${STATE_FILE_NAME}`, error));
    return new MemoryStore();
  }
}

function wordsOf(path: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const loss = "nothing is remembered after this run, ports and progress included";
  if (error instanceof StrangeFile)
    return `${reason}: ${loss}. Move it away, or start p2pfile in another directory`;
  return error instanceof NewerState
    ? `${path} was written by a newer p2pfile (${reason}); it is left as it is, and ${loss}. Use the newer p2pfile here, or ` +
        `this one in another directory`
    : `${path} cannot be written (${reason}); ${loss}. Start p2pfile in a directory that may be written to change that`;
}
