// T6, first half: the disk refuses one call of one kind. The exit code must be right, no verified piece may be lost, reserved
// space must be freed, and the next run must complete.
import { readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { binaryPath } from "../helpers/executable.ts";
import { type FaultJob, rounded, type Trial } from "./lib/job.ts";
import { needs, underStrace } from "./lib/programs.ts";
import { diskUse, finalState, startDownload, startServe } from "./lib/run.ts";
import { contentOf, ScriptedSeed } from "./lib/scripted-seed.ts";

const NAME = "disk.img";
const SIZE = 48 * MiB;
const DISK = 5;
/** 20000 KiB, fewer than the file has. */
const LIMITED = 'ulimit -f 20000; exec "$0" "$@"';

interface Fault {
  readonly what: string;
  readonly inject: string;
  /** The calls on this file only. */
  readonly path?: "part" | "store";
  readonly exit: number;
  /** The download cannot begin: no file of it may stay. */
  readonly givesBack?: boolean;
}

const FAULTS: readonly Fault[] = [
  {
    what: "no space at the 1st fallocate",
    inject: "fallocate:error=ENOSPC:when=1",
    exit: DISK,
    givesBack: true,
  },
  {
    what: "no space at the 3rd fallocate",
    inject: "fallocate:error=ENOSPC:when=3",
    exit: DISK,
    givesBack: true,
  },
  { what: "file too long at fallocate", inject: "fallocate:error=EFBIG:when=2", exit: DISK, givesBack: true },
  { what: "fallocate unknown", inject: "fallocate:error=EOPNOTSUPP", exit: 0 },
  ...[1, 20, 90].map((nth) => ({
    what: `no space at write ${nth}`,
    inject: `pwrite64:error=ENOSPC:when=${nth}+`,
    path: "part" as const,
    exit: DISK,
  })),
  { what: "quota at a write", inject: "pwrite64:error=EDQUOT:when=30+", path: "part", exit: DISK },
  { what: "EIO at a write", inject: "pwrite64:error=EIO:when=10", path: "part", exit: DISK },
  { what: "read-only at a write", inject: "pwrite64:error=EROFS:when=40+", path: "part", exit: DISK },
  { what: "EIO at fdatasync", inject: "fdatasync:error=EIO", path: "part", exit: DISK },
  { what: "EIO at link", inject: "link:error=EIO", exit: DISK },
  { what: "link refused", inject: "link:error=EPERM", exit: 0 },
  { what: "EIO at fsync of the directory", inject: "fsync:error=EIO:when=1+", path: "part", exit: 0 },
  { what: "no space in the store", inject: "pwrite64:error=ENOSPC:when=1+", path: "store", exit: 0 },
  { what: "EIO in the store", inject: "pwrite64:error=EIO:when=8+", path: "store", exit: 0 },
];

export const diskFaultJob: FaultJob = {
  name: "T6 disk faults",
  async run(trial) {
    needs("strace");
    for (const what of ["faults", "wrong exit", "lost space", "not resumed"]) trial.set(what, 0);
    for (const fault of FAULTS) await hurt(trial, fault);
    await limitedFile(trial);
    await unreadableSource(trial);
  },
};

async function hurt(trial: Trial, fault: Fault): Promise<void> {
  const { fixture } = trial;
  const content = contentOf(SIZE, trial.seed);
  const seed = new ScriptedSeed({ host: fixture.address(), name: NAME, content, pieceLength: 256 * KiB });
  const cwd = fixture.directory("disk");
  const paths = {
    part: [join(cwd, `.${NAME}.${seed.torrent.infoHash.slice(0, 8)}.p2pfile-part`)],
    store: ["", "-wal", "-journal"].map((suffix) => join(cwd, `.p2pfile.db${suffix}`)),
  };
  try {
    trial.count("faults");
    const before = freeBytes(cwd);
    const run = startDownload(fixture, {
      magnet: seed.magnet,
      cwd,
      under: (program) =>
        underStrace([fault.inject], program, fault.path === undefined ? [] : paths[fault.path]),
    });
    const code = await run.waitForExit(40_000);
    trial.expect(code === fault.exit, "wrong exit", `${fault.what}: ${code}\n${run.text("stderr")}`);
    const isSilent = fault.exit === 0 || run.eventsOf("failed").length === 1;
    trial.expect(isSilent && !/^\s+at /m.test(run.text("stderr")), "unclear words", fault.what);
    if (fault.givesBack === true) {
      const left = readdirSync(cwd).filter((name) => !name.startsWith(".p2pfile.db"));
      const taken = (before - freeBytes(cwd)) / MiB;
      // Other processes write to this disk too: only the directory counts.
      trial.expect(
        left.length === 0 && diskUse(cwd) < MiB,
        "lost space",
        `${fault.what}: ${left} ${taken} MiB`,
      );
    }
    if (code !== 0) await resume(trial, seed, cwd, fault.what);
    trial.expect(finalState(join(cwd, NAME), seed.sha256) === "right", "corrupt", fault.what);
  } finally {
    seed.close();
  }
}

async function resume(trial: Trial, seed: ScriptedSeed, cwd: string, what: string): Promise<void> {
  const again = startDownload(trial.fixture, { magnet: seed.magnet, cwd });
  const code = await again.waitForExit(40_000);
  trial.expect(code === 0, "not resumed", `${what}: ${code} ${again.text("stderr")}`);
}

/** `ulimit -f`: a write beyond it gives EFBIG and, unless ignored, SIGXFSZ. */
async function limitedFile(trial: Trial): Promise<void> {
  const { fixture } = trial;
  const content = contentOf(SIZE, trial.seed);
  const seed = new ScriptedSeed({ host: fixture.address(), name: NAME, content, pieceLength: 256 * KiB });
  const cwd = fixture.directory("limit");
  try {
    trial.count("faults");
    const under = (program: readonly string[]) => ["bash", "-c", LIMITED, binaryPath, ...program];
    const run = startDownload(fixture, { magnet: seed.magnet, cwd, under });
    const code = await run.waitForExit(40_000);
    trial.expect(code === DISK, "wrong exit", `ulimit -f: ${code} ${run.text("stderr")}`);
    trial.expect(diskUse(cwd) < MiB, "lost space", `ulimit -f: ${rounded(diskUse(cwd) / MiB)} MiB`);
    await resume(trial, seed, cwd, "ulimit -f");
    trial.expect(finalState(join(cwd, NAME), seed.sha256) === "right", "corrupt", "ulimit -f");
  } finally {
    seed.close();
  }
}

/** The seed's disk fails, not the leech's: the seed reports it, and no peer is banned. */
async function unreadableSource(trial: Trial): Promise<void> {
  const { fixture } = trial;
  trial.count("faults");
  const file = makeBigFile(join(fixture.directory("source"), NAME), 32 * MiB, trial.seed);
  const under = (program: readonly string[]) =>
    underStrace(["pread64:error=EIO:when=5+"], program, [file.path]);
  const cwd = fixture.directory("cwd");
  const first = startServe(fixture, file.path, { cwd });
  const magnet = await first.magnet();
  await first.end();
  // The file is hashed already: the disk fails when blocks are requested.
  const seed = startServe(fixture, file.path, { cwd, under });
  await seed.magnet();
  const leech = startDownload(fixture, {
    magnet: magnet.replace(/x\.pe=[^&]*/, `x.pe=${seed.ip}:${seed.eventsOf("listening")[0]?.port}`),
    cwd: fixture.directory("leech"),
  });
  const code = await seed.waitForExit(20_000).catch(() => -1);
  trial.expect(code === DISK, "wrong exit", `EIO while serving: ${code} ${seed.text("stderr")}`);
  trial.expect(!leech.hasExited, "wrong exit", "the leech of a seed with a bad disk ended");
  await leech.end();
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
