// When seeding after a download ends: as soon as any one of its conditions holds.

export interface SeedingGoal {
  readonly seconds: number;
  /** Uploaded bytes / size of the file. */
  readonly ratio: number;
}

export type SeedingEnd = "time" | "ratio";

/** @returns the condition that holds, or undefined. The ratio is named first when both came true at once. */
export function seedingEnd(
  goal: SeedingGoal,
  state: { readonly seedingMs: number; readonly uploaded: number; readonly size: number },
): SeedingEnd | undefined {
  if (state.uploaded >= goal.ratio * state.size) return "ratio";
  return state.seedingMs >= goal.seconds * 1000 ? "time" : undefined;
}
