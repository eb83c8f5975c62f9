// `--timeout`: ends a download for which no byte has arrived for so long, of metadata or of whatever piece.
import { SEEDING_CHECK_MS } from "../limits.ts";
import type { Clock } from "../../lib/clock.ts";

export interface PatienceOptions {
  readonly clock: Clock;
  /** 0: waits for ever. */
  readonly timeoutSeconds: number;
  /** What changes when something arrives; undefined while nothing is waited for. */
  readonly progress: () => string | undefined;
  readonly onTimeout: () => void;
}

/** @returns a function that ends the watching. */
export function watchPatience(options: PatienceOptions): () => void {
  const { clock, timeoutSeconds, progress, onTimeout } = options;
  if (timeoutSeconds === 0) return () => {};
  let seen: string | undefined = "";
  let since = clock.now();
  return clock.every(SEEDING_CHECK_MS, () => {
    const state = progress();
    if (state === undefined || state !== seen) {
      seen = state;
      since = clock.now();
    } else if (clock.now() - since >= timeoutSeconds * 1000) onTimeout();
  });
}
