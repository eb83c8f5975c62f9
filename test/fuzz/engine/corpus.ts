// The saved inputs of each target: good ones are named `valid-*`, hostile ones and former failures after their flaw.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Seed {
  readonly name: string;
  readonly input: Uint8Array;
}

const FOLDER = join(import.meta.dir, "../corpus");

/** Sorted by name. @throws when there are none. */
export function corpusOf(target: string, which: "all" | "valid"): readonly Seed[] {
  const folder = join(FOLDER, target);
  const names = readdirSync(folder)
    .sort()
    .filter((name) => which === "all" || name.startsWith("valid-"));
  if (names.length === 0) throw new Error(`${folder} has no ${which} inputs`);
  return names.map((name) => ({ name, input: Uint8Array.from(readFileSync(join(folder, name))) }));
}
