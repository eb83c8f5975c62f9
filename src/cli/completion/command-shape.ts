// The commands as the completion scripts see them: which words, which flags, and what may follow each. Derived from
// citty's definitions, so that a new flag is completed without a line here. Knows no shell.
import type { ArgDef } from "citty";
import type { Command } from "../commands/command.ts";
import { shells } from "./shells.ts";

/** What a value or a positional argument can be completed with. */
export type Completable =
  | { readonly kind: "file" }
  | { readonly kind: "directory" }
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "nothing" };

export interface FlagShape {
  /** "dir", without dashes. */
  readonly name: string;
  /** One letter each. */
  readonly aliases: readonly string[];
  readonly description: string;
  /** Undefined for a flag that is on or off. */
  readonly value: { readonly hint: string; readonly with: Completable } | undefined;
}

export interface CommandShape {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly FlagShape[];
  readonly positional: { readonly name: string; readonly isVariadic: boolean; readonly with: Completable };
}

export const helpFlag: FlagShape = {
  name: "help",
  aliases: ["h"],
  description: "print the help",
  value: undefined,
};
export const rootFlags: readonly FlagShape[] = [
  helpFlag,
  { name: "version", aliases: [], description: "print the version", value: undefined },
];

export function commandShapes(commands: readonly Command[]): readonly CommandShape[] {
  const names = commands.map((command) => command.name);
  return commands.map(({ name, description, args }) => {
    const entries = Object.entries(args);
    const flags = entries.flatMap(([flag, definition]) => flagShape(flag, definition));
    const [positional = ""] = entries.find(([, definition]) => definition.type === "positional") ?? [];
    return {
      name,
      description,
      flags: [...flags, helpFlag],
      positional: {
        name: positional.replace("...", ""),
        isVariadic: positional.endsWith("..."),
        with: positionalWords(positional, names),
      },
    };
  });
}

function flagShape(name: string, definition: ArgDef): readonly FlagShape[] {
  if (definition.type === "positional") return [];
  const aliases = [("alias" in definition ? definition.alias : undefined) ?? []].flat();
  const hint = definition.valueHint ?? "VALUE";
  const value = definition.type === "boolean" ? undefined : { hint, with: valueWords(hint) };
  const description = definition.description ?? "";
  const on: FlagShape = { name, aliases, description, value };
  // Off again, over a variable or a configuration file that says on.
  return value === undefined
    ? [on, { name: `no-${name}`, aliases: [], description: `not --${name}`, value }]
    : [on];
}

function valueWords(hint: string): Completable {
  if (hint === "FILE") return { kind: "file" };
  if (hint === "DIR") return { kind: "directory" };
  return { kind: "nothing" };
}

function positionalWords(name: string, commands: readonly string[]): Completable {
  if (name === "file...") return { kind: "file" };
  if (name === "shell") return { kind: "words", words: shells };
  if (name === "command") return { kind: "words", words: commands };
  return { kind: "nothing" };
}
