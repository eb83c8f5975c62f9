// The honest transfer that attacks are measured by: its time without and under the attack. The seed has an --upload-limit, so
// that the times compare the service and not the processor time that test and attack leave.
import { MiB } from "../../../src/lib/units.ts";
import type { BigFile } from "../../helpers/big-file.ts";
import type { Trial } from "./job.ts";
import { finalState, startDownload } from "./run.ts";
import { join, basename } from "node:path";

export const HONEST_SIZE = 64 * MiB;

/** @returns milliseconds from start to exit, or undefined when it failed, which is counted. */
export async function honestTransfer(
  trial: Trial,
  magnet: string,
  file: BigFile,
  timeoutMs = 60_000,
): Promise<number | undefined> {
  const begun = performance.now();
  const leech = startDownload(trial.fixture, { magnet, cwd: trial.fixture.directory("honest") });
  const code = await leech.waitForExit(timeoutMs).catch(() => -1);
  const ms = performance.now() - begun;
  const state = finalState(join(leech.cwd, basename(file.path)), file.sha256);
  trial.expect(
    code === 0 && state === "right",
    "honest transfers failed",
    `${code}, ${state}\n${leech.text("stderr")}`,
  );
  await leech.end();
  return code === 0 ? ms : undefined;
}
