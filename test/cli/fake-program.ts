// The program with a session that only talks: what stands between the command line and a real process (signals, closed
// pipes, uncaught errors) is tried on this. The first FILE or MAGNET says what the session does.
import { allCommands } from "../../src/cli/commands/all-commands.ts";
import { runInProcess } from "../../src/cli/host.ts";
import { signalsIgnoredAtStart } from "../../src/cli/ignored-signals.ts";
import type { ExitCode } from "../../src/lib/errors.ts";
import type { SessionContext } from "../../src/session/context.ts";
import { completed, magnet, progress, serving } from "./session-script.ts";

const GiB = 2 ** 30;

async function session(words: readonly string[], context: SessionContext): Promise<ExitCode> {
  const { emit, signal, logger } = context;
  switch (words[0] ?? "") {
    case "wait":
      emit(serving());
      await untilAborted(signal);
      return 0;
    case "stubborn":
      emit(serving());
      await new Promise(() => setInterval(() => {}, 1000));
      return 0;
    case "talk":
      while (!signal.aborted) {
        emit(serving());
        await Bun.sleep(5);
      }
      return 0;
    case "done":
      emit(completed());
      return 0;
    case "flood":
      for (let line = 0; line < 20_000; line++) emit(serving());
      return 0;
    case "crash":
      setTimeout(() => {
        throw new TypeError("undefined is not a function");
      }, 1);
      await untilAborted(signal);
      return 0;
    case "reject":
      void Promise.reject(new TypeError("no listener"));
      await untilAborted(signal);
      return 0;
    case "show":
      for (let step = 0; step <= 100 && !signal.aborted; step++) {
        if (step === 30) logger.warn("10.1.1.7:42083 sent a piece whose hash is wrong");
        if (step === 60) emit(completed(1, "tokenizer.json"));
        emit(
          progress(
            {
              completed: (step / 100) * 4 * GiB,
              etaSeconds: (100 - step) / 5,
              peers: 1 + (step >> 3),
              seeds: 1,
            },
            {
              index: 1,
              name: "tokenizer.json",
              completed: Math.min(1, step / 60) * 4 * GiB,
              peers: 4,
              seeds: 4,
            },
            { index: 2, name: "model-00003-of-00191.safetensors", phase: "metadata", peers: 0, seeds: 0 },
          ),
        );
        await Bun.sleep(100);
      }
      emit({
        type: "failed",
        index: 2,
        subject: magnet,
        message: `${magnet}: no peer within 10 s`,
        exitCode: 6,
      });
      return 6;
    default:
      throw new Error(`no script for ${words[0]}`);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  // Something has to keep the process alive, as sockets do.
  const timer = setInterval(() => {}, 1000);
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      resolve();
    }),
  );
}

process.exit(
  await runInProcess({
    argv: process.argv.slice(2),
    commands: allCommands,
    sessions: {
      serve: (options, context) => session(options.files, context),
      download: (options, context) => session(options.magnets, context),
    },
    process,
    ignoredSignals: signalsIgnoredAtStart(),
  }),
);
