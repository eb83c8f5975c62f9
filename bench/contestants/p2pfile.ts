// p2pfile as it is shipped: the executable of build.ts, with default settings.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { versionOf } from "../lib/machine.ts";
import { type Contestant, HOST, SEED_TIMEOUT_MS } from "./contestant.ts";

export const EXECUTABLE = join(import.meta.dir, "../../dist/p2pfile");

export const p2pfile: Contestant = buildOf("p2pfile", EXECUTABLE);

/** Any build of it, to compare a change with what was before. */
export function buildOf(name: string, executable: string): Contestant {
  return {
    name,
    version: () => (existsSync(executable) ? versionOf([executable, "--version"], /^(\S+)$/m) : undefined),
    async start({ content, spawnSeed }) {
      const seed = spawnSeed([executable, "serve", "--ip", HOST, content]);
      const magnet = await seed.waitForOutput(/^(magnet:\S+)$/m, SEED_TIMEOUT_MS);
      return { seed, leech: [executable, "download", "--ip", HOST, magnet] };
    },
  };
}
