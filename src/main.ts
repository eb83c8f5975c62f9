// The program: this process, handed to the command line. The only file that sets the exit code. The sessions, and with
// them everything that moves bytes, are loaded when one starts, so that `--help` and `--version` answer at once.
import { runInProcess } from "./cli/host.ts";

process.exit(
  await runInProcess({
    argv: process.argv.slice(2),
    sessions: {
      serve: async (options, context) => (await import("./session/serve.ts")).serve(options, context),
      download: async (options, context) =>
        (await import("./session/download.ts")).download(options, context),
    },
    exit: (code) => process.exit(code),
  }),
);
