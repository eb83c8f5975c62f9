// The program: this process, handed to the command line. The only file that sets the exit code. The sessions, and with
// them everything that moves bytes, are loaded when one starts, so that `--help` and `--version` answer at once.
import { allCommands } from "./cli/commands/all-commands.ts";
import { restartWithEngineSettings } from "./cli/engine-settings.ts";

const argv = process.argv.slice(2);
restartWithEngineSettings(argv, allCommands, process);
// Only after a restart: what is loaded before it is loaded twice. Of a command that is its words alone.
const { runInProcess } = await import("./cli/host.ts");
const { signalsIgnoredAtStart } = await import("./cli/ignored-signals.ts");

process.exit(
  await runInProcess({
    argv,
    commands: allCommands,
    sessions: {
      serve: async (options, context) => (await import("./session/serve/serve.ts")).serve(options, context),
      download: async (options, context) =>
        (await import("./session/download/download.ts")).download(options, context),
    },
    process,
    ignoredSignals: signalsIgnoredAtStart(),
  }),
);
