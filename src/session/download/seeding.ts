// What a download waits for after its completion: with `--seeding` until enough was given, the time is up, or nobody needs
// data any more; without, at the most until somebody has been told.
import { FAREWELL_STEP_MS, SEEDING_CHECK_MS } from "../limits.ts";
import { TELL_DONE_MS } from "./limits.ts";
import { type SeedingEnd, type SeedingGoal, seedingEnd } from "../../core/transfer/seeding-goal.ts";
import { monotonicMs } from "../clock.ts";

export interface SeedingParts {
  readonly goal: SeedingGoal;
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of payload since the start. */
  readonly uploaded: () => number;
  readonly isSomebodyNeedy: () => boolean;
  readonly signal: AbortSignal;
}

export interface SeedingResult {
  readonly reason: SeedingEnd;
  readonly uploaded: number;
  /** Whole seconds. */
  readonly seconds: number;
}

/** @returns undefined when the session was stopped before. */
export async function seedUntilEnough(parts: SeedingParts): Promise<SeedingResult | undefined> {
  const { goal, size, uploaded, signal } = parts;
  const startedAt = monotonicMs();
  // Counted in checks: time in which the process itself stood still is no time in which nobody asked.
  let idleChecks = 0;
  const reason = await new Promise<SeedingEnd | undefined>((resolve) => {
    const timer = setInterval(() => {
      idleChecks = parts.isSomebodyNeedy() ? 0 : idleChecks + 1;
      const end = seedingEnd(goal, {
        seedingMs: monotonicMs() - startedAt,
        uploaded: uploaded(),
        size,
        idleMs: idleChecks * SEEDING_CHECK_MS,
      });
      if (end === undefined && !signal.aborted) return;
      clearInterval(timer);
      resolve(end);
    }, SEEDING_CHECK_MS);
  });
  if (reason === undefined || signal.aborted) return undefined;
  return { reason, uploaded: uploaded(), seconds: Math.round((monotonicMs() - startedAt) / 1000) };
}

/** For a download that was complete before it met anybody: who waits for a number of hosts wants to hear of it. */
export async function untilTold(hasListeners: () => boolean, signal: AbortSignal): Promise<void> {
  const deadline = monotonicMs() + TELL_DONE_MS;
  while (!hasListeners() && !signal.aborted && monotonicMs() < deadline) await Bun.sleep(FAREWELL_STEP_MS);
}
