// `p2pfile completion`: prints the completion script of a shell.
import { ExitCode, UsageError } from "../../lib/errors.ts";
import { isShell, shells } from "../completion/shells.ts";
import { nearest } from "../nearest.ts";
import { command } from "./command.ts";

export const completionCommand = command({
  name: "completion",
  description: "Print a completion script for a shell",
  args: {
    shell: { type: "positional", description: shells.join(", ") },
  },
  examples: [
    "source <(p2pfile completion bash)",
    "p2pfile completion fish > ~/.config/fish/completions/p2pfile.fish",
  ],
  async run({ environment, args, commands }) {
    const name = args._[0] ?? "";
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
});
