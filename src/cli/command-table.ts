// What follows from the list of commands: the command that a word names, the command that has a flag, the settings.
import { UsageError } from "../lib/errors.ts";
import type { Command, CommandWords, Flags } from "./command.ts";
import { nearest } from "./nearest.ts";

/** @throws UsageError for an unknown name, with the nearest known one. */
export function findCommand(name: string, commands: readonly Command[]): Command {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  const near = nearest(
    name,
    commands.map((command) => command.name),
  );
  const remedy = near === undefined ? "see 'p2pfile --help'" : `did you mean '${near}'?`;
  throw new UsageError(`unknown command '${name}'; ${remedy}`);
}

/** The first command that has the flag. @param flag its long name, without dashes */
export function ownerOf(flag: string, commands: readonly CommandWords[]): string | undefined {
  return commands.find((command) => Object.hasOwn(command.flags, flag))?.name;
}

/** Whether each flag of the command can also be set by a variable and in the configuration file. */
export function takesSettings(command: CommandWords): boolean {
  return Object.hasOwn(command.flags, "config");
}

/** The flags of all commands that take settings: what variables and configuration file may set. */
export function settingsOf(commands: readonly CommandWords[]): Flags {
  return Object.fromEntries(commands.filter(takesSettings).flatMap(({ flags }) => Object.entries(flags)));
}
