// From a word to the command it names.
import { UsageError } from "../lib/errors.ts";
import type { Command } from "./commands/command.ts";
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
