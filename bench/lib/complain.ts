// How a benchmark refuses: what the user can do something about needs no stack, one line and exit code 2 are enough.

/** @param benchmark its name, as the user typed it. */
export function complain(benchmark: string, error: unknown): never {
  console.error(`${benchmark}: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}

/** @returns what `attempt` does; whatever it throws is the user's. */
export function orComplain<T>(benchmark: string, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    return complain(benchmark, error);
  }
}
