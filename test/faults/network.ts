// T11: the network fails. A seed dies in the middle and comes back on another port; a link is cut and mended; packets are
// late and lost. Nobody gives up, nobody is banned, little is fetched twice.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { binaryPath } from "../helpers/executable.ts";
import { type FaultJob, rounded, type Trial } from "./lib/job.ts";
import { mustWork, needs, needsRoot } from "./lib/programs.ts";
import { finalState, startDownload, startServe } from "./lib/run.ts";
import { contentOf, ScriptedSeed } from "./lib/scripted-seed.ts";

const NAME = "disk.img";
const SIZE = 32 * MiB;
const RESUMED_MS = 45_000;
const DUPLICATE_SHARE = 0.02;

/** The only seed is killed and comes back elsewhere; the leech hears of it from another one that came in between. */
export const seedRestartJob: FaultJob = {
  name: "T11 seed restarts",
  async run(trial) {
    for (const what of ["restarts", "not resumed", "bans"]) trial.set(what, 0);
    for (let round = 0; round < trial.times(6, 2); round++) await restart(trial, round);
  },
};

async function restart(trial: Trial, round: number): Promise<void> {
  const { bed } = trial;
  const file = makeBigFile(join(bed.directory("source"), NAME), SIZE, trial.seed + round);
  const flags = ["--upload-limit", "12"];
  const first = startServe(bed, file.path, { flags: [...flags, "--port", "42071"] });
  const magnet = await first.magnet();
  // A third node, so that the returned seed and the leech have somebody to meet at.
  const other = startDownload(bed, {
    magnet: `magnet:?xt=urn:btih:${"ab".repeat(20)}&x.pe=${first.ip}:42071`,
    cwd: bed.directory("other"),
  });
  const meeting = await other.waitForEvent("listening");
  const leech = startDownload(bed, {
    magnet,
    cwd: bed.directory("leech"),
    flags: ["--peers", `${meeting.host}:${meeting.port}`, "--debug"],
  });
  const kill = trial.between(0.3, 0.7) * SIZE;
  const at = await leech.waitForProgress((snapshot) => snapshot.completed >= kill);
  await first.end();
  const begun = performance.now();
  startServe(bed, file.path, {
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

/** SIGSTOP is a partition that neither side is told of: no packet, no reset. */
export const frozenSeedJob: FaultJob = {
  name: "T11 frozen seed",
  async run(trial) {
    const { bed } = trial;
    const file = makeBigFile(join(bed.directory("source"), NAME), SIZE, trial.seed);
    const seed = startServe(bed, file.path, { flags: ["--upload-limit", "8"] });
    const leech = startDownload(bed, {
      magnet: await seed.magnet(),
      cwd: bed.directory("leech"),
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

/** Loss and delay in a network namespace of its own, whose only link is loopback. */
export const lossyLinkJob: FaultJob = {
  name: "T11 lossy link",
  async run(trial) {
    needs("unshare", "tc", "ip");
    needsRoot("a network namespace");
    const shape = "ip link set lo up && tc qdisc add dev lo root netem delay 25ms 5ms loss 5%";
    mustWork(["unshare", "--net", "sh", "-c", shape], "loss and delay (netem)");
    const { bed } = trial;
    const file = makeBigFile(join(bed.directory("source"), NAME), 16 * MiB, trial.seed);
    const cwd = bed.directory("lossy");
    const script = `${shape}
      "$0" serve --ip 127.0.0.2 --json "$1" > served 2> serve.log & seed=$!
      trap 'sleep 1.5; kill $seed' EXIT
      until grep -q magnet: served; do sleep 0.1; done
      magnet=$(sed -n 's/.*"magnet":"\\([^"]*\\)".*/\\1/p' served)
      "$0" download --ip 127.0.0.3 --debug --dir . "$magnet" 2> download.log`;
    const both = bed.spawn(["unshare", "--net", "sh", "-c", script, binaryPath, file.path], {
      cwd,
      env: { HOME: cwd },
    });
    const code = await both.waitForExit(90_000).catch(() => -1);
    const isRight = code === 0 && finalState(join(cwd, NAME), file.sha256) === "right";
    trial.expect(isRight, "corrupt", `${code}`);
    const log = readFileSync(join(cwd, "download.log"), "utf8");
    trial.expect(!log.includes("hashMismatch"), "bans", log);
    const served = readFileSync(join(cwd, "served"), "utf8");
    const uploaded = [...served.matchAll(/"uploaded":(\d+)/g)].map((match) => Number(match[1]));
    const twice = Math.max(0, ...uploaded) - file.size;
    trial.set("bytes sent twice", twice);
    trial.expect(twice <= DUPLICATE_SHARE * file.size, "duplicates", String(twice));
  },
};

/** Every connection of the leech is cut again and again, at any byte. */
export const cutConnectionsJob: FaultJob = {
  name: "T11 cut connections",
  async run(trial) {
    const { bed } = trial;
    const content = contentOf(SIZE, trial.seed);
    const seed = new ScriptedSeed({
      host: bed.address(),
      name: NAME,
      content,
      pieceLength: 256 * KiB,
      rate: 8 * MiB,
    });
    try {
      const leech = startDownload(bed, { magnet: seed.magnet, cwd: bed.directory("leech") });
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

export const clockJob: FaultJob = {
  name: "T11 clock",
  async run(trial) {
    needs("faketime");
    const { bed } = trial;
    const file = makeBigFile(join(bed.directory("source"), NAME), SIZE, trial.seed);
    const seed = startServe(bed, file.path, {
      under: (program) => ["faketime", "+1h", binaryPath, ...program],
    });
    const leech = startDownload(bed, {
      magnet: await seed.magnet(),
      cwd: bed.directory("leech"),
      under: (program) => ["faketime", "-1h", binaryPath, ...program],
    });
    trial.expect((await leech.waitForExit(30_000)) === 0, "clock matters", leech.text("stderr"));
  },
};
