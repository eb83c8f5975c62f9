// `p2pfile help [COMMAND]`: the same text as `--help`.
import { ExitCode } from "../../lib/errors.ts";
import type { Command } from "../command.ts";
import { findCommand } from "../command-table.ts";

export const helpCommand: Command = {
  name: "help",
  summary: "Print the help of p2pfile or of one command",
  argument: {
    name: "command",
    isOptional: true,
    description: "the command to explain",
    completes: "command",
  },
  flags: {},
  examples: ["p2pfile help serve"],
  async run({ environment, words, commands }) {
    const { commandHelp, rootHelp } = await import("../help-text.ts");
    const [name] = words;
    const text =
      name === undefined
        ? await rootHelp(commands, environment)
        : await commandHelp(findCommand(name, commands), environment);
    environment.stdout.write(text);
    return ExitCode.done;
  },
};
