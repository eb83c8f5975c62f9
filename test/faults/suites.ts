// T1, T2 and T12: the rows of the fault plan that are suites of their own, run here for completeness: the fuzzer over every
// decoder and over cut streams, and the golden cases of the command line.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { binaryPath, repositoryRoot } from "../helpers/executable.ts";
import { type FaultJob, NotPossible, type Trial } from "./lib/job.ts";

const FUZZ = "scripts/fuzz.ts";
const STREAMS: readonly string[] = ["frame-reader", "peer-wire"];
const DECODERS: readonly string[] = [
  "bencode",
  "magnet",
  "metainfo",
  "extended-handshake",
  "metadata-exchange",
  "pex",
  "datagram-guard",
  "dht",
];
/** A check reads an input of up to 256 KiB several times with different cuts, and once with the reference reader. */
const SLOW_DECODE_MS = 100;
const HANG_MS = 1_000;
const DECODER_GROWTH_MIB = 16;
const STREAM_GROWTH_MIB = 32;
/** Inputs of each of the two stream targets. */
const LEAST_STREAMS = 10_000;
const COMMAND_LINE = ["./test/cli", "./test/e2e/bad-input.test.ts"];

interface Suite {
  readonly exitCode: number;
  readonly output: string;
}

async function suite(args: readonly string[], timeoutMs: number): Promise<Suite> {
  const child = Bun.spawn([process.execPath, ...args], {
    cwd: repositoryRoot,
    env: { ...process.env, P2PFILE_BINARY: binaryPath },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: timeoutMs,
  });
  const [out, error, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, output: out + error };
}

interface FuzzBars {
  readonly hangMs: number;
  readonly growthMiB: number;
  readonly leastInputs: number;
}

async function fuzz(
  trial: Trial,
  targets: readonly string[],
  shortSeconds: number,
  bars: FuzzBars,
): Promise<void> {
  if (!existsSync(join(repositoryRoot, FUZZ))) throw new NotPossible(`${FUZZ} is missing`);
  for (const what of ["inputs", "crashes and hangs"]) trial.set(what, 0);
  for (const target of targets) {
    const seconds = trial.times(60, shortSeconds);
    const options = ["--seconds", String(seconds), "--seed", String(trial.seed)];
    const hang = ["--hang-ms", String(bars.hangMs)];
    const { exitCode, output } = await suite([FUZZ, target, ...options, ...hang], (seconds + 60) * 1000);
    trial.expect(exitCode === 0, "crashes and hangs", output.slice(-2_000));
    const figure = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? Number.NaN);
    const [inputs, grown] = [figure(/: (\d+) inputs/), figure(/, (-?[\d.]+) MiB more/)];
    trial.count("inputs", inputs);
    trial.most("slowest ms", figure(/slowest ([\d.]+) ms/));
    trial.most("most grown MiB", grown);
    trial.expect(grown <= bars.growthMiB, "too much memory", `${target}: ${grown} MiB`);
    trial.expect(inputs >= bars.leastInputs, "too few inputs", `${target}: ${inputs}`);
  }
}

export const decoderJob: FaultJob = {
  name: "T1 decoders",
  run: (trial) =>
    fuzz(trial, DECODERS, 5, { hangMs: SLOW_DECODE_MS, growthMiB: DECODER_GROWTH_MIB, leastInputs: 1_000 }),
};

export const streamJob: FaultJob = {
  name: "T2 wire streams",
  run: (trial) =>
    fuzz(trial, STREAMS, 12, {
      hangMs: HANG_MS,
      growthMiB: STREAM_GROWTH_MIB,
      leastInputs: LEAST_STREAMS,
    }),
};

export const commandLineJob: FaultJob = {
  name: "T12 command line",
  async run(trial) {
    const { exitCode, output } = await suite(["test", "--timeout", "60000", ...COMMAND_LINE], 180_000);
    const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}s?$`, "m").exec(output)?.[1] ?? 0);
    trial.set("cases", count("pass"));
    trial.set("wrong", count("fail"));
    const failed = output.split("\n").filter((line) => line.startsWith("(fail)"));
    trial.expect(
      exitCode === 0 && count("pass") >= 60,
      "suite failed",
      failed.join("\n") || output.slice(-1_000),
    );
  },
};
