// The random id of the directory that files are downloaded to: it tells the destinations of one address apart where they are counted.
import { resolve } from "node:path";
import { DESTINATION_ID_LENGTH } from "../../core/exchange/limits.ts";
import { fromHex } from "../../lib/bytes.ts";
import type { StateStore } from "../../storage/state-store.ts";
import { newDestinationId } from "../clock.ts";
import type { Resources } from "../resources.ts";

type Parts = Pick<Resources, "clock"> & {
  readonly store: Pick<StateStore, "destinationId" | "rememberDestination">;
};

/** The same in every run, as far as there is a state file. */
export function destinationIdOf(given: string, workingDirectory: string, { store, clock }: Parts): string {
  const directory = resolve(workingDirectory, given);
  const kept = store.destinationId(directory);
  // Of a state file that is not as we wrote it.
  if (kept !== undefined && fromHex(kept)?.length === DESTINATION_ID_LENGTH) return kept;
  const id = newDestinationId(clock);
  store.rememberDestination(directory, id);
  return id;
}
