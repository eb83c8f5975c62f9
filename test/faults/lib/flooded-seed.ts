// A rate-limited seed, and the time of an honest transfer from it, first without and then under an attack.
import { join } from "node:path";
import { makeBigFile } from "../../helpers/big-file.ts";
import { infoHashOfMagnet, type P2pfile } from "../../helpers/binary.ts";
import { HONEST_SIZE, honestTransfer } from "./honest-transfer.ts";
import type { Trial } from "./job.ts";
import { startServe } from "./run.ts";

/** An honest transfer may take this many times its time alone. */
const SLOWDOWN = 2;

export interface FloodedSeed {
  readonly seed: P2pfile;
  readonly host: string;
  readonly port: number;
  readonly infoHash: string;
  /** Runs an honest transfer under the attack `name` and checks its time. `waitMs`: the longest wait for a connection slot. */
  readonly transfer: (name: string, waitMs?: number) => Promise<void>;
}

/** @returns undefined when the transfer without an attack failed, which is counted. */
export async function startFlooded(trial: Trial): Promise<FloodedSeed | undefined> {
  const { fixture } = trial;
  const file = makeBigFile(join(fixture.directory("source"), "disk.img"), HONEST_SIZE, trial.seed);
  const seed = startServe(fixture, file.path, { flags: ["--upload-limit", "24"] });
  const magnet = await seed.magnet();
  const { host, port } = await seed.waitForEvent("listening");
  const alone = await honestTransfer(trial, magnet, file);
  if (alone === undefined) return undefined;
  trial.set("alone ms", Math.round(alone));
  const transfer = async (name: string, waitMs = 0): Promise<void> => {
    const ms = await honestTransfer(trial, magnet, file, 30_000);
    trial.set(`${name} ms`, Math.round(ms ?? Number.NaN));
    const most = SLOWDOWN * alone + waitMs;
    trial.expect(ms !== undefined && ms <= most, "too slow", `${name}: ${ms} ms, at most ${most}`);
    trial.expect(!seed.hasExited, "deaths", `${name}: ${seed.text("stderr")}`);
  };
  return { seed, host, port, infoHash: infoHashOfMagnet(magnet), transfer };
}
