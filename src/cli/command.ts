// What a verb of the command line is: its words and its run. Whatever has to know all verbs (help, completion, the check
// of arguments, suggestions, the restart of the engine) takes a list of these. Knows no single verb.
import type { ExitCode } from "../lib/errors.ts";
import type { Environment } from "./environment.ts";

/** What a value or an argument can be completed with; a list holds the words themselves. */
export type Completes = "file" | "directory" | "command" | readonly string[];

/** What stands behind the verb without a dash. */
export interface Argument {
  /** Written in capitals where it is shown. */
  readonly name: string;
  readonly description: string;
  /** Whether it may be left out. */
  readonly isOptional?: boolean;
  /** Whether there may be several. */
  readonly isRepeated?: boolean;
  /** Nothing when absent. */
  readonly completes?: Completes;
}

interface FlagWords {
  readonly description: string;
  /** One letter. */
  readonly alias?: string;
}

export interface SwitchFlag extends FlagWords {
  readonly type: "boolean";
}

export interface ValueFlag extends FlagWords {
  readonly type: "string";
  /** What stands for the value in the help; FILE, DIR and PATH (either) are completed as such. */
  readonly valueHint: string;
  /** As a user would write it. */
  readonly default?: string;
  /**
   * "addresses": the flag may be given several times, or as a list in the configuration file, and the texts are joined
   * by commas.
   */
  readonly listOf?: string;
}

export type Flag = SwitchFlag | ValueFlag;

/** By long name, in the order of the help. */
export type Flags = Readonly<Record<string, Flag>>;

/** Flags of p2pfile itself, before any command. They answer at once and have no opposite. */
export const rootFlags = {
  help: { type: "boolean", alias: "h", description: "print this help, or that of a command" },
  version: { type: "boolean", description: "print the version" },
} as const satisfies Flags;

/** Flags that every command has besides its own. */
export const commandFlags = {
  help: { type: "boolean", alias: "h", description: "print this help" },
} as const satisfies Flags;

export interface CommandWords {
  readonly name: string;
  /** One line of the list of commands. */
  readonly summary: string;
  readonly argument?: Argument;
  readonly flags: Flags;
  /** Whole command lines. */
  readonly examples: readonly string[];
}

export interface Command extends CommandWords {
  /** The engine is set up for a transfer before the command runs (engine-settings.ts). */
  readonly movesData?: boolean;
  readonly run: (input: CommandInput) => Promise<ExitCode>;
}

/** Values by long flag name. */
export type ParsedFlags = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** What a command is called with. */
export interface CommandInput {
  readonly environment: Environment;
  /** Checked, defaults filled in. */
  readonly flags: ParsedFlags;
  /** Long names of the flags that stood on the command line. */
  readonly given: ReadonlySet<string>;
  /** The arguments without a dash. */
  readonly words: readonly string[];
  /** All commands, this one included. */
  readonly commands: readonly Command[];
}
