// `p2pfile help [COMMAND]`: the same text as `--help`.
import { ExitCode } from "../../lib/errors.ts";
import { command } from "./command.ts";

export const helpCommand = command({
  name: "help",
  description: "Print the help of p2pfile or of one command",
  args: {
    command: { type: "positional", required: false, description: "the command to explain" },
  },
  examples: ["p2pfile help serve"],
  async run({ environment, args, commands }) {
    const { findCommand } = await import("../find-command.ts");
    const { commandHelp, rootHelp } = await import("../help-text.ts");
    const name = args._[0];
    const text =
      name === undefined
        ? await rootHelp(commands, environment)
        : await commandHelp(findCommand(name, commands), environment);
    environment.stdout.write(text);
    return ExitCode.done;
  },
});
