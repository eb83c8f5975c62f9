// Decides when seeding after a download ends: as soon as one of its conditions holds.
import { SWARM_END_GRACE_MS } from "./limits.ts";

export interface SeedingGoal {
  /** Seconds of seeding. */
  readonly seconds: number;
  /** Uploaded bytes / size of the file. */
  readonly ratio: number;
}

export interface SeedingState {
  readonly seedingMs: number;
  /** Payload bytes. */
  readonly uploaded: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Milliseconds for which no known host has lacked data. */
  readonly idleMs: number;
}

/** "swarm": every known host has the file. */
export type SeedingEnd = "time" | "ratio" | "swarm";

/** @returns the condition that holds, or undefined. Of several: ratio, then time, then swarm. */
export function seedingEnd(goal: SeedingGoal, state: SeedingState): SeedingEnd | undefined {
  if (state.uploaded >= goal.ratio * state.size) return "ratio";
  if (state.seedingMs >= goal.seconds * 1000) return "time";
  return state.idleMs >= SWARM_END_GRACE_MS ? "swarm" : undefined;
}
