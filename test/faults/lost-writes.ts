// T5: a simulated power cut on real files. The executable runs under strace, which reports every write to the part file and
// the begin and end of each sync; it is killed; then some of the writes that no sync covers are undone, as a power cut may.
// Every piece that the state file records must still be on the disk.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { binaryPath } from "../helpers/executable.ts";
import { type FaultJob, inLanes, type Trial } from "./lib/job.ts";
import { needs } from "./lib/programs.ts";
import { finalState, partFileIn, recordedPieces, startDownload } from "./lib/run.ts";
import { contentOf, ScriptedSeed } from "./lib/scripted-seed.ts";

const NAME = "disk.img";
const PIECE_LENGTH = 256 * KiB;
const SIZE = 32 * MiB;
/** Slow enough that the 5 s of the resume journal pass once or twice in a download. */
const RATE = 4 * MiB;
const DRAWS_PER_RUN = 20;
const SYNC_DELAY_US = 1_000_000;
const LANES = 6;

/** The end of a call's line; a delayed call is marked. */
const SUCCEEDED = /= 0( \(DELAYED\))?$/;

interface Extent {
  readonly offset: number;
  readonly length: number;
}

/**
 * Seen to fail, in a copy of the sources: with the record made before `part.sync()` in resume-journal.ts, 60 of 120 crash points
 * had recorded pieces that were not on the disk, and 3 of 6 resumed downloads were wrong.
 */
export const lostWritesJob: FaultJob = {
  name: "T5 lost writes",
  async run(trial) {
    needs("strace");
    for (const what of ["crash points", "recorded but wrong", "wrong finals"]) trial.set(what, 0);
    await inLanes(trial.times(52, 26), LANES, (index) => crash(trial, index));
  },
};

async function crash(trial: Trial, index: number): Promise<void> {
  const { fixture } = trial;
  const content = contentOf(SIZE, trial.seed + index);
  const seed = new ScriptedSeed({
    host: fixture.address(),
    name: NAME,
    content,
    pieceLength: PIECE_LENGTH,
    rate: RATE,
  });
  const cwd = fixture.directory("lost");
  const log = join(fixture.directory("trace"), "calls");
  const calls = "trace=pwrite64,pwritev,fdatasync,fsync,link";
  // Like a slow disk: the gap in which a record would come too early lasts a second instead of a millisecond.
  const slow = `inject=fdatasync:delay_enter=${SYNC_DELAY_US}`;
  const strace = ["strace", "-f", "--seccomp-bpf", "-y", "-s", "0", "-e", calls, "-e", slow, "-o", log];
  const under = (program: readonly string[]) => [...strace, "--", binaryPath, ...program];
  try {
    const run = startDownload(fixture, { magnet: seed.magnet, cwd, under });
    // Around the first record, and around the end.
    const moment = index % 3 === 2 ? trial.between(7_500, 8_600) : trial.between(5_200, 7_500);
    await Promise.race([Bun.sleep(moment), run.exited]);
    // Only the traced process: strace still has lines to write.
    for (const pid of childrenOf(run.pid)) process.kill(pid, "SIGKILL");
    await run.exited;
    const part = partFileIn(cwd) ?? join(cwd, NAME);
    const lost = writesWithoutSync(readFileSync(log, "utf8"));
    const recorded = recordedPieces(cwd, seed.pieceCount) ?? [];
    trial.count("pieces recorded", recorded.length);
    trial.count("writes at stake", lost.length);
    const whole = readFileSync(part);
    const isFinal = part === join(cwd, NAME) || finalState(join(cwd, NAME), seed.sha256) !== "absent";
    for (let draw = 0; draw < DRAWS_PER_RUN; draw++) {
      trial.count("crash points");
      const share = trial.random();
      const disk = Buffer.from(whole);
      for (const { offset, length } of lost) {
        if (trial.random() < share) disk.fill(0, offset, offset + length);
      }
      const claims = isFinal ? Array.from({ length: seed.pieceCount }, (_, piece) => piece) : recorded;
      const wrong = claims.filter((piece) => !isSame(disk, content, piece));
      const what = isFinal ? "wrong finals" : "recorded but wrong";
      trial.expect(wrong.length === 0, what, `run ${index}: ${wrong.length} of ${claims.length} pieces`);
      if (draw === 0) writeFileSync(part, disk);
    }
    // The next run finds the state of the first draw, without any sign of a power cut.
    seed.setRate(0);
    const next = startDownload(fixture, { magnet: seed.magnet, cwd });
    trial.expect((await next.waitForExit(30_000)) === 0, "manual steps", next.text("stderr"));
    trial.expect(finalState(join(cwd, NAME), seed.sha256) === "right", "wrong finals", `resume ${index}`);
  } finally {
    seed.close();
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

function isSame(disk: Buffer, content: Buffer, piece: number): boolean {
  const [from, to] = [piece * PIECE_LENGTH, Math.min(SIZE, (piece + 1) * PIECE_LENGTH)];
  return disk.subarray(from, to).equals(content.subarray(from, to));
}

/**
 * Writes to the part file that no finished sync covers; a sync covers writes that began before it. strace reports a call that
 * others interrupt in two lines, "<unfinished ...>" and "<... resumed>".
 */
export function writesWithoutSync(trace: string): Extent[] {
  let open: Extent[] = [];
  /** By thread: the current write, or the writes that the current sync will cover. */
  const writing = new Map<string, Extent>();
  const syncing = new Map<string, ReadonlySet<Extent>>();
  for (const line of trace.split("\n")) {
    const thread = /^\d+/.exec(line)?.[0] ?? "";
    const ended = line.includes("resumed>)");
    const begun = line.includes(".p2pfile-part>");
    if (!begun && !ended) continue;
    if (begun && /\bpwrite64\(/.test(line)) {
      const [, length, offset] = /, (\d+), (\d+)(?:\)| <unfinished)/.exec(line) ?? [];
      if (length === undefined || offset === undefined) throw new Error(`not understood: ${line}`);
      const extent = { offset: Number(offset), length: Number(length) };
      open.push(extent);
      if (line.includes("<unfinished")) writing.set(thread, extent);
    } else if (begun && /\b(fdatasync|fsync)\(/.test(line)) {
      const underWay = new Set(writing.values());
      const covered = new Set(open.filter((extent) => !underWay.has(extent)));
      if (line.includes("<unfinished")) syncing.set(thread, covered);
      else if (SUCCEEDED.test(line)) open = open.filter((extent) => !covered.has(extent));
    } else if (ended && line.includes("pwrite64")) writing.delete(thread);
    else if (ended && line.includes("sync")) {
      const covered = syncing.get(thread);
      syncing.delete(thread);
      if (covered !== undefined && SUCCEEDED.test(line)) open = open.filter((extent) => !covered.has(extent));
    }
  }
  return open;
}
