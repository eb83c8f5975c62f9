// The only `new Worker`. In the source tree the worker is found from this file; in the compiled binary all modules are
// one file and the worker lies where build.ts says.

declare global {
  /** Set by build.ts: address of the worker relative to the program's own module. */
  const P2PFILE_HASH_WORKER: string | undefined;
}

const address =
  typeof P2PFILE_HASH_WORKER === "string" ? P2PFILE_HASH_WORKER : "../../workers/hash-worker.ts";

/** A failure to load arrives as the worker's `error` event, then `close`. */
export function spawnHashWorker(): Worker {
  return new Worker(new URL(address, import.meta.url).href);
}
