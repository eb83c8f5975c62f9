// T1, T2 and T12: the rows of the plan that are suites of their own. Run here so that the plan is told as a whole: the
// fuzzer over every decoder and over cut streams, and the golden cases of the command line.
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
  "datagram-guard",
  "dht",
];
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

async function fuzz(trial: Trial, targets: readonly string[], shortSeconds: number): Promise<void> {
  if (!existsSync(join(repositoryRoot, FUZZ))) throw new NotPossible(`${FUZZ} is missing`);
  trial.set("inputs", 0);
  trial.set("crashes", 0);
  for (const target of targets) {
    const seconds = trial.times(120, shortSeconds);
    const options = ["--seconds", String(seconds), "--seed", String(trial.seed)];
    const { exitCode, output } = await suite([FUZZ, target, ...options], (seconds + 60) * 1000);
    trial.count("inputs", Number(/: (\d+) inputs/.exec(output)?.[1] ?? 0));
    trial.expect(exitCode === 0, "crashes", output.slice(-2_000));
  }
}

export const decoderJob: FaultJob = {
  name: "T1 decoders",
  run: (trial) => fuzz(trial, DECODERS, 8),
};

export const streamJob: FaultJob = {
  name: "T2 wire streams",
  run: (trial) => fuzz(trial, STREAMS, 15),
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
