// When seeding after a download ends: as soon as any one of its conditions holds.
import { SWARM_END_GRACE_MS } from "./limits.ts";

export interface SeedingGoal {
  readonly seconds: number;
  /** Uploaded bytes / size of the file. */
  readonly ratio: number;
}

export interface SeedingState {
  readonly seedingMs: number;
  readonly uploaded: number;
  readonly size: number;
  /** For so long, up to now, nobody that we know of has lacked data. */
  readonly idleMs: number;
}

/** "swarm": everybody has the file. */
export type SeedingEnd = "time" | "ratio" | "swarm";

/** @returns the condition that holds, or undefined. Of several that came true at once: ratio, then time. */
export function seedingEnd(goal: SeedingGoal, state: SeedingState): SeedingEnd | undefined {
  if (state.uploaded >= goal.ratio * state.size) return "ratio";
  if (state.seedingMs >= goal.seconds * 1000) return "time";
  return state.idleMs >= SWARM_END_GRACE_MS ? "swarm" : undefined;
}
