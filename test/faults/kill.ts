// T4, first half: SIGKILL at random moments of a download, again and again, until it completes. The scripted seed records to
// the byte what is fetched twice and how old it was.
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { type FaultJob, inLanes, rounded, type Trial } from "./lib/job.ts";
import { finalState, killAndWait, partFileIn, startDownload } from "./lib/run.ts";
import { contentOf, ScriptedSeed, type SentBlock } from "./lib/scripted-seed.ts";

const PIECE_LENGTH = 256 * KiB;
const NAME = "disk.img";
/** After a kill at most this many bytes, and none older than this, are sent again. */
const MOST_REPEATED = 64 * MiB;
const OLDEST_REPEATED_MS = 5_000;
const LANES = 4;
/** Bound on the chains of runs: some complete before the first kill. */
const MAX_CHAINS = 1_200;

/** How fast the seed sends and when the kill comes, in milliseconds after the start of the process. */
interface Pace {
  readonly size: number;
  readonly rate: number;
  readonly killAfter: readonly [number, number];
  readonly killsPerChain: number;
}

/** A whole download takes half a second: kills hit the start, the allocation, the records and the last steps. */
const FAST: Pace = { size: 64 * MiB, rate: 0, killAfter: [10, 500], killsPerChain: 8 };
/** 5 s pass before 64 MiB arrive. */
const SLOW: Pace = { size: 64 * MiB, rate: 7 * MiB, killAfter: [1_500, 8_500], killsPerChain: 4 };
/** 64 MiB arrive before 5 s pass. */
const LONG: Pace = { size: 160 * MiB, rate: 40 * MiB, killAfter: [1_700, 4_000], killsPerChain: 3 };

interface Goal {
  readonly pace: Pace;
  /** Kills still to do. */
  left: number;
}

/** From the start of one run to its kill. */
interface Run {
  readonly from: number;
  readonly killedAt: number;
  readonly firstSent: number;
  readonly endSent: number;
}

/**
 * Seen to fail, in a copy of the sources: with all pieces before the last recorded one trusted in resume-journal.ts, 48 short kills gave 4 corrupt files of about 10.
 */
export const killJob: FaultJob = {
  name: "T4 kill",
  async run(trial) {
    trial.set("kills", 0);
    trial.set("corrupt", 0);
    trial.set("early names", 0);
    trial.set("manual steps", 0);
    const goals = [
      { pace: SLOW, left: trial.times(132, 44) },
      { pace: LONG, left: trial.times(36, 12) },
      { pace: FAST, left: trial.times(432, 144) },
    ];
    let chains = 0;
    await inLanes(LANES, LANES, async () => {
      for (const goal of goals)
        while (goal.left > 0 && chains < MAX_CHAINS) await chain(trial, goal, chains++);
    });
  },
};

async function chain(trial: Trial, goal: Goal, index: number): Promise<void> {
  const { fixture } = trial;
  const { pace } = goal;
  const content = contentOf(pace.size, trial.seed + index);
  const host = fixture.address();
  const seed = new ScriptedSeed({ host, name: NAME, content, pieceLength: PIECE_LENGTH, rate: pace.rate });
  const cwd = fixture.directory("kill");
  const final = join(cwd, NAME);
  const runs: Run[] = [];
  try {
    for (let kill = 0; kill < pace.killsPerChain && goal.left > 0; kill++) {
      const run = startDownload(fixture, { magnet: seed.magnet, cwd });
      const [from, firstSent] = [performance.now(), seed.sent.length];
      await Promise.race([Bun.sleep(trial.between(...pace.killAfter)), run.exited]);
      const killedAt = performance.now();
      const wasThrough = run.hasExited;
      await killAndWait(run);
      if (!wasThrough) {
        trial.count("kills");
        goal.left--;
      }
      runs.push({ from, killedAt, firstSent, endSent: seed.sent.length });
      const state = finalState(final, seed.sha256);
      trial.expect(
        state !== "wrong",
        "early names",
        `chain ${index}, kill ${kill}: the final file is not whole`,
      );
      if (wasThrough) trial.expect((await run.exited) === 0, "manual steps", run.text("stderr"));
      if (state === "right") break;
    }
    seed.setRate(0);
    const last = startDownload(fixture, { magnet: seed.magnet, cwd });
    const code = await last.waitForExit(30_000);
    trial.expect(code === 0, "manual steps", `chain ${index} ended with ${code}: ${last.text("stderr")}`);
    trial.expect(finalState(final, seed.sha256) === "right", "corrupt", `chain ${index}`);
    trial.expect(partFileIn(cwd) === undefined, "part files left", `chain ${index}`);
    for (const [at, run] of runs.entries())
      checkRepeated(trial, seed.sent, run, `chain ${index}, kill ${at}`);
  } finally {
    seed.close();
  }
}

/** Bytes of a piece that was sent in one run and again in a later one were lost by the kill of the first run. */
function checkRepeated(trial: Trial, sent: readonly SentBlock[], run: Run, where: string): void {
  const arrived = new Map<number, { bytes: number; at: number }>();
  for (const block of sent.slice(run.firstSent, run.endSent)) {
    const piece = arrived.get(block.piece) ?? { bytes: 0, at: 0 };
    piece.bytes += block.length;
    piece.at = block.at;
    arrived.set(block.piece, piece);
  }
  const later = new Set(sent.slice(run.endSent).map((block) => block.piece));
  let bytes = 0;
  let oldest = run.killedAt;
  for (const [piece, { bytes: got, at }] of arrived) {
    if (!later.has(piece)) continue;
    bytes += got;
    oldest = Math.min(oldest, at);
  }
  const age = run.killedAt - oldest;
  trial.most("most repeated MiB", rounded(bytes / MiB));
  trial.most("oldest repeated s", rounded(age / 1000));
  trial.expect(
    bytes <= MOST_REPEATED && age <= OLDEST_REPEATED_MS,
    "too much repeated",
    `${where}: ${rounded(bytes / MiB)} MiB, the oldest ${Math.round(age)} ms before the kill`,
  );
}
