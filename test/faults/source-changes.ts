// T14: a file changes while it is served. No wrong byte may be accepted downstream, and the seed either goes on with the
// original content or ends within two seconds and says why.
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  openSync,
  renameSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { PROGRESS_MS } from "../../src/session/report/limits.ts";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import type { P2pfile } from "../helpers/binary.ts";
import { type FaultJob, inLanes, type Trial } from "./lib/job.ts";
import { finalState, startDownload, startServe } from "./lib/run.ts";

const NAME = "disk.img";
const SIZE = 32 * MiB;
const INTEGRITY = 7;
const LANES = 2;
const NOTICE_MS = 2_000;
/** The longest pause of a download after a change of the file's times; PROGRESS_MS is the resolution of the measurement. */
const OUTAGE_MS = 1_000 + PROGRESS_MS;
const CHANGES = ["truncate", "edit", "grow", "rename over", "unlink", "touch"] as const;
type Change = (typeof CHANGES)[number];

/** Changes of the name or of the times only: the open file keeps its content. */
const HARMLESS: ReadonlySet<Change> = new Set(["rename over", "unlink", "touch"]);

/**
 * Seen to fail: against a seed whose `#checkUnchanged` returns at once, 18 changes gave 6 seeds that never reported it.
 */
export const sourceChangeJob: FaultJob = {
  name: "T14 source changes",
  async run(trial) {
    for (const what of ["changes", "wrong files", "late notices", "needless ends", "stuck", "long outages"])
      trial.set(what, 0);
    await inLanes(trial.times(90, 30), LANES, async (index) => {
      const change = CHANGES[index % CHANGES.length];
      if (change !== undefined) await spoil(trial, change, index);
    });
  },
};

async function spoil(trial: Trial, change: Change, index: number): Promise<void> {
  const { fixture } = trial;
  const file = makeBigFile(join(fixture.directory("source"), NAME), SIZE, trial.seed + index);
  const seed = startServe(fixture, file.path, { flags: ["--upload-limit", "16"] });
  const leech = startDownload(fixture, { magnet: await seed.magnet(), cwd: fixture.directory("leech") });
  await leech.waitForEvent("firstPiece");
  await Bun.sleep(trial.between(0, 1_300));
  const offset = trial.whole(0, SIZE - 1);
  apply(change, file.path, offset, trial);
  const changedAt = performance.now();
  trial.count("changes");
  trial.count(change);
  const where = `${change} at ${Math.round((offset / SIZE) * 100)} %, seed ${file.seed}`;
  const state = () => finalState(join(leech.cwd, NAME), file.sha256);
  if (HARMLESS.has(change)) {
    const code = await leech.waitForExit(15_000).catch(() => undefined);
    trial.expect(code === 0, "stuck", `${where}: ${code} ${leech.text("stderr")}`);
    trial.expect(!seed.hasExited, "needless ends", `${where}: ${seed.text("stderr")}`);
    trial.expect(state() === "right", "wrong files", where);
    const outage = longestPause(leech, changedAt);
    trial.most("longest outage ms", Math.round(outage));
    trial.expect(outage <= OUTAGE_MS, "long outages", `${where}: ${Math.round(outage)} ms`);
  } else {
    const end = await endOf(seed);
    const ms = end.at - changedAt;
    trial.expect(end.code === INTEGRITY, "late notices", `${where}: ${end.code} ${seed.text("stderr")}`);
    trial.expect(ms <= NOTICE_MS, "late notices", `${where}: ${Math.round(ms)} ms`);
    trial.most("slowest notice ms", Math.round(ms));
    // The leech waits for another seed, or was complete before the change.
    await Bun.sleep(200);
    trial.expect(state() !== "wrong", "wrong files", where);
    trial.expect(!leech.hasExited || (await leech.exited) === 0, "leech ended", leech.text("stderr"));
  }
  await Promise.all([seed.end(), leech.end()]);
}

/** The longest time without progress, from `since` to the end of the download. */
function longestPause(leech: P2pfile, since: number): number {
  let [completed, movedAt, longest] = [0, since, 0];
  for (const [index, event] of leech.events.entries()) {
    const at = leech.lines.stdout[index]?.at ?? 0;
    const now =
      event.type === "completed" ? SIZE : event.type === "progress" ? event.transfers[0]?.completed : 0;
    if (now === undefined || now <= completed) continue;
    if (at > since) longest = Math.max(longest, at - movedAt);
    [completed, movedAt] = [now, Math.max(at, since)];
  }
  return longest;
}

async function endOf(run: P2pfile): Promise<{ readonly code: number; readonly at: number }> {
  const code = await run.waitForExit(10_000).catch(() => -1);
  return { code, at: performance.now() };
}

function apply(change: Change, path: string, offset: number, trial: Trial): void {
  switch (change) {
    case "truncate":
      return withFile(path, (fd) => ftruncateSync(fd, offset));
    case "edit": {
      const byte = Buffer.from([trial.whole(0, 255)]);
      return withFile(path, (fd) => {
        writeSync(fd, byte, 0, 1, offset);
        // An equal byte would be no change.
        writeSync(fd, Buffer.alloc(64, 0x55), 0, 64, Math.max(0, offset - 64));
      });
    }
    case "grow":
      return appendFileSync(path, "more");
    case "rename over":
      writeFileSync(`${path}.new`, Buffer.alloc(SIZE, 1));
      return renameSync(`${path}.new`, path);
    case "unlink":
      return unlinkSync(path);
    case "touch":
      return utimesSync(path, new Date(), new Date());
  }
}

function withFile(path: string, work: (fd: number) => void): void {
  const fd = openSync(path, "r+");
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}
