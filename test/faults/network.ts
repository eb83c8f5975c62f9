// T11: the other side fails. A seed dies during a transfer and comes back on another port; it is stopped; connections are
// reset; clocks jump. No process gives up, and no peer is banned.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import type { P2pfile } from "../helpers/binary.ts";
import { type FaultJob, NotPossible, rounded, type Trial } from "./lib/job.ts";
import { finalState, startDownload, startServe } from "./lib/run.ts";
import { contentOf, ScriptedSeed } from "./lib/scripted-seed.ts";

const NAME = "disk.img";
const SIZE = 32 * MiB;
const RESUMED_MS = 45_000;
const HOUR_MS = 3_600_000;
/** MiB/s of the transfer during which clocks jump, and the factor by which it may take longer than at that rate. */
const CLOCK_RATE = 4;
const HELD_UP = 1.5;
const JUMPS = ["+3600", "+0", "-3600", "+3600", "-3600", "+0"];
const FAKE_TIME = ["x86_64-linux-gnu", "aarch64-linux-gnu", "."].map(
  (folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`,
);

/** The only seed is killed and comes back on another port; the leech learns its address from a third node. */
export const seedRestartJob: FaultJob = {
  name: "T11 seed restarts",
  async run(trial) {
    for (const what of ["restarts", "not resumed", "bans"]) trial.set(what, 0);
    for (let round = 0; round < trial.times(6, 2); round++) await restart(trial, round);
  },
};

async function restart(trial: Trial, round: number): Promise<void> {
  const { fixture } = trial;
  const file = makeBigFile(join(fixture.directory("source"), NAME), SIZE, trial.seed + round);
  const flags = ["--upload-limit", "12"];
  const first = startServe(fixture, file.path, { flags: [...flags, "--port", "42071"] });
  const magnet = await first.magnet();
  // A third node, through which the leech finds the seed that has come back.
  const other = startDownload(fixture, {
    magnet: `magnet:?xt=urn:btih:${"ab".repeat(20)}&x.pe=${first.ip}:42071`,
    cwd: fixture.directory("other"),
  });
  const meeting = await other.waitForEvent("listening");
  const leech = startDownload(fixture, {
    magnet,
    cwd: fixture.directory("leech"),
    flags: ["--peers", `${meeting.host}:${meeting.port}`, "--debug"],
  });
  const kill = trial.between(0.3, 0.7) * SIZE;
  const at = await leech.waitForProgress((snapshot) => snapshot.completed >= kill);
  await first.end();
  const begun = performance.now();
  startServe(fixture, file.path, {
    flags: [...flags, "--port", "42072", "--peers", `${meeting.host}:${meeting.port}`],
  });
  trial.count("restarts");
  const more = await leech
    .waitFor(
      "more",
      () => ((leech.snapshot()?.completed ?? 0) > at.completed + 2 * MiB ? true : undefined),
      RESUMED_MS,
    )
    .catch(() => leech.hasExited || undefined);
  trial.most("slowest resume ms", Math.round(performance.now() - begun));
  trial.expect(more === true, "not resumed", leech.text("stderr").slice(-500));
  const code = await leech.waitForExit(30_000).catch(() => -1);
  const isRight = code === 0 && finalState(join(leech.cwd, NAME), file.sha256) === "right";
  trial.expect(isRight, "corrupt", `round ${round}: ${code}`);
  trial.expect(!leech.text("stderr").includes("hashMismatch"), "bans", `round ${round}`);
  await Promise.all([leech.end(), other.end()]);
}

/** SIGSTOP is like a partition: no packet, no reset. */
export const frozenSeedJob: FaultJob = {
  name: "T11 frozen seed",
  async run(trial) {
    const { fixture } = trial;
    const file = makeBigFile(join(fixture.directory("source"), NAME), SIZE, trial.seed);
    const seed = startServe(fixture, file.path, { flags: ["--upload-limit", "8"] });
    const leech = startDownload(fixture, {
      magnet: await seed.magnet(),
      cwd: fixture.directory("leech"),
      flags: ["--debug"],
    });
    await leech.waitForProgress((snapshot) => snapshot.completed >= 8 * MiB);
    const seconds = trial.times(60, 15);
    seed.signal("SIGSTOP");
    await Bun.sleep(seconds * 1000);
    trial.set("frozen s", seconds);
    trial.expect(!leech.hasExited, "gave up", leech.text("stderr"));
    seed.signal("SIGCONT");
    const begun = performance.now();
    const code = await leech.waitForExit(RESUMED_MS).catch(() => -1);
    trial.set("finished after ms", Math.round(performance.now() - begun));
    const isRight = code === 0 && finalState(join(leech.cwd, NAME), file.sha256) === "right";
    trial.expect(isRight, "corrupt", String(code));
    trial.expect(!leech.text("stderr").includes("hashMismatch"), "bans", leech.text("stderr"));
    await Bun.sleep(1_200);
    const twice = (seed.snapshot()?.uploaded ?? 0) - SIZE;
    trial.set("sent twice MiB", rounded(twice / MiB));
    await seed.end();
  },
};

/** Every connection of the leech is reset again and again, at any byte. */
export const cutConnectionsJob: FaultJob = {
  name: "T11 cut connections",
  async run(trial) {
    const { fixture } = trial;
    const content = contentOf(SIZE, trial.seed);
    const seed = new ScriptedSeed({
      host: fixture.address(),
      name: NAME,
      content,
      pieceLength: 256 * KiB,
      rate: 8 * MiB,
    });
    try {
      const leech = startDownload(fixture, { magnet: seed.magnet, cwd: fixture.directory("leech") });
      for (let cut = 0; cut < trial.times(40, 8) && !leech.hasExited; cut++) {
        await Bun.sleep(trial.between(100, 500));
        seed.cutAll();
        trial.count("cuts");
      }
      const code = await leech.waitForExit(40_000).catch(() => -1);
      const isRight = code === 0 && finalState(join(leech.cwd, NAME), seed.sha256) === "right";
      trial.expect(isRight, "corrupt", `${code} ${leech.text("stderr")}`);
    } finally {
      seed.close();
    }
  },
};

/**
 * Seen to fail, in a copy of the sources: with the wall clock in place of the monotonic one in session/clock.ts, held up.
 * The wall clock of both sides jumps an hour forth and back, again and again, by libfaketime: the machine's own clock is shared
 * with all other processes.
 */
export const clockJob: FaultJob = {
  name: "T11 clock jumps",
  async run(trial) {
    const library = fakeTimeLibrary();
    const { fixture } = trial;
    const file = makeBigFile(join(fixture.directory("source"), NAME), SIZE, trial.seed);
    const clock = join(fixture.directory("clock"), "time");
    writeFileSync(clock, "+0");
    const env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: "1",
      // A jump of the wall clock does not affect the monotonic clock.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    const seed = startServe(fixture, file.path, { env, flags: ["--upload-limit", String(CLOCK_RATE)] });
    const magnet = await seed.magnet();
    const leech = startDownload(fixture, {
      magnet,
      cwd: fixture.directory("leech"),
      env,
      flags: ["--debug"],
    });
    await leech.waitForEvent("firstPiece");
    const begun = performance.now();
    for (let jump = 0; !leech.hasExited && jump < 40; jump++) {
      writeFileSync(clock, JUMPS[jump % JUMPS.length] ?? "+0");
      trial.count("jumps");
      await Promise.race([Bun.sleep(1_000), leech.exited]);
    }
    const code = await leech.waitForExit(10_000).catch(() => -1);
    const seconds = (performance.now() - begun) / 1000;
    trial.set("took s", rounded(seconds));
    trial.expect(seconds <= HELD_UP * (SIZE / MiB / CLOCK_RATE), "held up", `${rounded(seconds)} s`);
    const isRight = code === 0 && finalState(join(leech.cwd, NAME), file.sha256) === "right";
    trial.expect(isRight, "corrupt", `${code} ${leech.text("stderr").slice(-500)}`);
    trial.expect(!leech.text("stderr").includes("hashMismatch"), "bans", leech.text("stderr"));
    trial.expect(!seed.hasExited, "deaths", seed.text("stderr"));
    const [shortest = 0, longest = 0] = steps(leech);
    trial.set("jumps seen, s", `${rounded(shortest / 1000)} to ${rounded(longest / 1000)}`);
    trial.expect(shortest < -HOUR_MS / 2 && longest > HOUR_MS / 2, "clock stood still", "no jump was seen");
    await seed.end();
    for (const { pid } of [seed, leech]) forgetClock(pid);
  },
};

/** @throws NotPossible */
function fakeTimeLibrary(): string {
  const found = FAKE_TIME.find((path) => existsSync(path));
  if (found === undefined) throw new NotPossible("libfaketime not installed");
  return found;
}

/** The library removes these files in an exit handler, which p2pfile skips: it exits at once. */
function forgetClock(pid: number): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
    rmSync(join("/dev/shm", name), { force: true });
}

/** The least and the greatest difference, in milliseconds, between the times of two successive events. */
function steps(run: P2pfile): number[] {
  const times = run.lines.stdout.map(({ text }) => Date.parse(/"time":"([^"]*)"/.exec(text)?.[1] ?? ""));
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  return [Math.min(...gaps), Math.max(...gaps)];
}
