// `p2pfile completion`: prints the completion script of a shell.
import { ExitCode, UsageError } from "../../lib/errors.ts";
import type { Command } from "../command.ts";
import { isShell, shells } from "../completion/shells.ts";
import { nearest } from "../nearest.ts";

export const completionCommand: Command = {
  name: "completion",
  summary: "Print a completion script for a shell",
  argument: { name: "shell", description: shells.join(", "), completes: shells },
  flags: {},
  examples: [
    "source <(p2pfile completion bash)",
    "p2pfile completion fish > ~/.config/fish/completions/p2pfile.fish",
  ],
  async run({ environment, words, commands }) {
    const [name = ""] = words;
    if (!isShell(name)) {
      const near = nearest(name, shells);
      throw new UsageError(
        `completion: '${name}' is not ${shells.join(", ")}${near === undefined ? "" : `; did you mean ${near}?`}`,
      );
    }
    const { completionScript } = await import("../completion/completion-script.ts");
    environment.stdout.write(completionScript(name, commands));
    return ExitCode.done;
  },
};
