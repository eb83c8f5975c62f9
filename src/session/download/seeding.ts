// How long a download goes on after its completion: with `--seeding` until enough was uploaded, the time is up, or no host
// lacks data; without, at the most until a peer has been told that it is done.
import { FAREWELL_STEP_MS, SEEDING_CHECK_MS } from "../limits.ts";
import { LAST_REPORT_MS } from "../../core/exchange/limits.ts";
import { type SeedingEnd, type SeedingGoal, seedingEnd } from "../../core/transfer/seeding-goal.ts";
import type { Clock } from "../../lib/clock.ts";
import { waitUntil } from "../clock.ts";

export interface SeedingParts {
  readonly goal: SeedingGoal;
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of payload since the start. */
  readonly uploaded: () => number;
  /** A host that is known of lacks data. */
  readonly isDataNeeded: () => boolean;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface SeedingResult {
  readonly reason: SeedingEnd;
  readonly uploaded: number;
  /** Whole seconds. */
  readonly seconds: number;
}

/** @returns undefined when the session was stopped before. */
export async function seedUntilEnough(parts: SeedingParts): Promise<SeedingResult | undefined> {
  const { goal, size, uploaded, isDataNeeded, signal, clock } = parts;
  const startedAt = clock.now();
  // Counted in checks: time in which the process itself stood still does not count as idle.
  let idleChecks = 0;
  const reason = await new Promise<SeedingEnd | undefined>((resolve) => {
    const stop = clock.every(SEEDING_CHECK_MS, () => {
      idleChecks = isDataNeeded() ? 0 : idleChecks + 1;
      const end = seedingEnd(goal, {
        seedingMs: clock.now() - startedAt,
        uploaded: uploaded(),
        size,
        idleMs: idleChecks * SEEDING_CHECK_MS,
      });
      if (end === undefined && !signal.aborted) return;
      stop();
      resolve(signal.aborted ? undefined : end);
    });
  });
  if (reason === undefined) return undefined;
  return { reason, uploaded: uploaded(), seconds: Math.round((clock.now() - startedAt) / 1000) };
}

/** A seed that counts hosts (`--until-done`) is to learn of our end; whether it does changes nothing for us. */
export function untilTold(isReported: () => boolean, signal: AbortSignal, clock: Clock): Promise<void> {
  const deadline = clock.now() + LAST_REPORT_MS;
  const isOver = () => isReported() || signal.aborted || clock.now() >= deadline;
  return waitUntil(clock, FAREWELL_STEP_MS, isOver);
}
