// What a command is here: a citty definition together with the words around it. Knows no single command.
import type { ArgsDef, CommandDef } from "citty";
import { defineCommand } from "citty";
import type { ExitCode } from "../../lib/errors.ts";
import type { Environment } from "../environment.ts";
import type { ParsedFlags } from "../layered-values.ts";

export interface Command {
  readonly name: string;
  readonly description: string;
  readonly args: ArgsDef;
  /** Whole command lines, for the help text. */
  readonly examples: readonly string[];
  readonly definition: CommandDef;
}

/** What a command is called with. */
export interface CommandInput {
  readonly environment: Environment;
  /** As citty parsed them: flags by long name, defaults filled in, positional arguments in `_`. */
  readonly args: ParsedFlags & { readonly _: readonly string[] };
  /** Long names of the flags that stood on the command line. */
  readonly given: ReadonlySet<string>;
  readonly commands: readonly Command[];
}

/** The part of a CommandInput that citty hands through as `data`. */
export type CommandData = Omit<CommandInput, "args">;

export interface CommandParts extends Omit<Command, "definition"> {
  readonly run: (input: CommandInput) => Promise<ExitCode>;
}

export function command({ run, ...words }: CommandParts): Command {
  const definition = defineCommand({
    meta: { name: words.name, description: words.description },
    args: words.args,
    run: ({ args, data }) => {
      const called: CommandData = data;
      return run({ ...called, args });
    },
  });
  return { ...words, definition };
}
