// T4, second half: SIGKILL at the nth system call of one kind, to hit every gap between two steps of a download: allocation,
// writes, sync, link, unlink, and each write of the state store.
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { type FaultJob, inLanes, type Trial } from "./lib/job.ts";
import { needs, underStrace } from "./lib/programs.ts";
import { finalState, partFileIn, startDownload } from "./lib/run.ts";
import { contentOf, ScriptedSeed } from "./lib/scripted-seed.ts";

const NAME = "disk.img";
const SIZE = 24 * MiB;
const LANES = 2;

interface Point {
  readonly call: string;
  /** The nth call of any one thread. */
  readonly nth: number;
}

/**
 * Seen to fail, in a copy of the sources: with the final name linked as soon as the part file is open, 25 crashes gave 6 early
 * names and 22 downloads that needed manual steps.
 */
export const crashPointJob: FaultJob = {
  name: "T4 crash points",
  async run(trial) {
    needs("strace");
    for (const what of ["crashes", "corrupt", "early names", "manual steps"]) trial.set(what, 0);
    const wanted = trial.times(180, 60);
    const points = choosePoints(trial, wanted);
    await inLanes(points.length, LANES, async (index) => {
      const point = points[index];
      if (point !== undefined && Number(trial.counts["crashes"]) < wanted) await crashAt(trial, point, index);
    });
    trial.expect(
      Number(trial.counts["crashes"]) >= wanted,
      "points missed",
      `only some of ${wanted} were met`,
    );
  },
};

/** More points than needed, because not every run reaches every count. */
function choosePoints(trial: Trial, wanted: number): Point[] {
  const point = (call: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ call, nth: index + 1 }));
  const steps = [
    ...point("link", 1),
    ...point("fdatasync", 1),
    ...point("fallocate", 2),
    ...point("flock", 1),
    ...point("unlink", 4),
    ...point("ftruncate", 2),
    ...point("fsync", 10),
    ...point("exit_group", 1),
  ];
  const writes = Array.from({ length: 2 * wanted }, () => ({ call: "pwrite64", nth: trial.whole(1, 90) }));
  // A short run takes other steps each time.
  const shuffled = steps.toSorted(() => trial.random() - 0.5);
  const must = steps.slice(0, 2);
  const some = shuffled.filter((step) => !must.includes(step)).slice(0, Math.ceil(wanted / 2));
  return [...must, ...some, ...writes];
}

async function crashAt(trial: Trial, { call, nth }: Point, index: number): Promise<void> {
  const { fixture } = trial;
  const content = contentOf(SIZE, trial.seed + index);
  const seed = new ScriptedSeed({ host: fixture.address(), name: NAME, content, pieceLength: 256 * KiB });
  const cwd = fixture.directory("crash");
  const where = `kill at ${call} ${nth}`;
  try {
    const first = startDownload(fixture, {
      magnet: seed.magnet,
      cwd,
      under: (program) => underStrace([`${call}:signal=KILL:when=${nth}`], program),
    });
    const code = await first.waitForExit(30_000);
    if (code === 0) return trial.count("points not reached");
    trial.expect(code === 137, "other ends", `${where}: ${code} ${first.text("stderr")}`);
    trial.count("crashes");
    const final = join(cwd, NAME);
    trial.expect(finalState(final, seed.sha256) !== "wrong", "early names", where);
    const second = startDownload(fixture, { magnet: seed.magnet, cwd });
    const again = await second.waitForExit(30_000);
    trial.expect(again === 0, "manual steps", `${where}: then ${again} ${second.text("stderr")}`);
    trial.expect(finalState(final, seed.sha256) === "right", "corrupt", where);
    trial.expect(partFileIn(cwd) === undefined, "part files left", where);
  } finally {
    seed.close();
  }
}
