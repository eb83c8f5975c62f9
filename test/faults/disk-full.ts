// T6, second half: a small file system runs full at ten points of a download. The download ends with 5, keeps its verified
// pieces, and continues when there is space again.
import { mkdirSync, rmSync, statfsSync, writeFileSync, openSync, writeSync, closeSync } from "node:fs";
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { type FaultJob, rounded, type Trial } from "./lib/job.ts";
import { mustWork, needsRoot } from "./lib/programs.ts";
import { finalState, partFileIn, startDownload } from "./lib/run.ts";
import { contentOf, ScriptedSeed } from "./lib/scripted-seed.ts";

const NAME = "disk.img";
const SIZE = 48 * MiB;
const DISK = 5;
/** Space for the file and its reserve, and no more. */
const CAPACITY = 80 * MiB;
/** Bytes in flight or being hashed when the disk ran full. */
const UNVERIFIED = 20 * MiB;

export const diskFullJob: FaultJob = {
  name: "T6 disk full",
  async run(trial) {
    needsRoot("a file system of a chosen size");
    for (const what of ["fills", "wrong exit", "verified pieces lost", "not resumed"]) trial.set(what, 0);
    const points = trial.times(10, 10);
    for (let point = 0; point < points; point++) await fillAt(trial, point, (point + 0.3) / points);
    await fullFromTheStart(trial);
  },
};

async function fillAt(trial: Trial, point: number, share: number): Promise<void> {
  const { fixture } = trial;
  const disk = mountSmallDisk(trial);
  const content = contentOf(SIZE, trial.seed + point);
  const rate = 24 * MiB;
  const seed = new ScriptedSeed({
    host: fixture.address(),
    name: NAME,
    content,
    pieceLength: 256 * KiB,
    rate,
  });
  const target = join(disk, "target");
  mkdirSync(target);
  // The state file on the full disk cannot take the last record: the next run finds the pieces in the part file.
  const isStoreApart = point % 2 === 0;
  const cwd = isStoreApart ? fixture.directory("store") : target;
  const flags = ["--dir", target];
  try {
    const run = startDownload(fixture, { magnet: seed.magnet, cwd, flags });
    while (sentBytes(seed) < share * SIZE && !run.hasExited) await Bun.sleep(5);
    const ballast = join(disk, "ballast");
    fill(ballast);
    trial.count("fills");
    const code = await run.waitForExit(20_000);
    const where = `full at ${Math.round(share * 100)} %`;
    trial.expect(code === DISK, "wrong exit", `${where}: ${code} ${run.text("stderr")}`);
    trial.expect(/disk is full/.test(run.text("stdout") + run.text("stderr")), "unclear words", where);
    trial.expect(partFileIn(target) !== undefined, "verified pieces lost", `${where}: no part file`);
    rmSync(ballast);
    seed.setRate(0);
    const again = startDownload(fixture, { magnet: seed.magnet, cwd, flags });
    const end = await again.waitForExit(20_000);
    trial.expect(end === 0, "not resumed", `${where}: ${end} ${again.text("stderr")}`);
    trial.expect(finalState(join(target, NAME), seed.sha256) === "right", "corrupt", where);
    const repeated = sentBytes(seed) - SIZE;
    const label = isStoreApart ? "most repeated MiB" : "most repeated MiB with the store full too";
    trial.most(label, rounded(repeated / MiB));
    trial.expect(repeated <= UNVERIFIED, "verified pieces lost", `${where}: ${rounded(repeated / MiB)} MiB`);
  } finally {
    seed.close();
  }
}

async function fullFromTheStart(trial: Trial): Promise<void> {
  const { fixture } = trial;
  const disk = mountSmallDisk(trial);
  const content = contentOf(SIZE, trial.seed);
  const seed = new ScriptedSeed({ host: fixture.address(), name: NAME, content, pieceLength: 256 * KiB });
  try {
    writeFileSync(join(disk, "ballast"), Buffer.alloc(40 * MiB));
    const before = statfsSync(disk).bfree;
    const run = startDownload(fixture, {
      magnet: seed.magnet,
      cwd: fixture.directory("elsewhere"),
      flags: ["--dir", disk],
    });
    trial.count("fills");
    const code = await run.waitForExit(20_000);
    trial.expect(code === DISK, "wrong exit", `too small from the start: ${code} ${run.text("stderr")}`);
    trial.expect(statfsSync(disk).bfree === before, "lost space", "too small from the start");
  } finally {
    seed.close();
  }
}

/** A tmpfs, removed with the fixture. @throws NotPossible */
function mountSmallDisk(trial: Trial): string {
  const place = trial.fixture.directory("small-disk");
  mustWork(["mount", "-t", "tmpfs", "-o", `size=${CAPACITY},mode=755`, "p2pfile-faults", place], "mount");
  trial.fixture.onEnd(() => {
    Bun.spawnSync(["umount", "-l", place]);
  });
  return place;
}

/** Takes every free byte. */
function fill(path: string): void {
  const descriptor = openSync(path, "w");
  const chunk = Buffer.alloc(MiB);
  try {
    for (let length = chunk.length; length >= 4 * KiB;) {
      try {
        if (writeSync(descriptor, chunk, 0, length) < length) length /= 2;
      } catch {
        length /= 2;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

function sentBytes(seed: ScriptedSeed): number {
  return seed.sent.reduce((sum, block) => sum + block.length, 0);
}
