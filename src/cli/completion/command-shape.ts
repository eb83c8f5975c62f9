// The commands as the completion scripts see them: which words, which flags, and what may follow each. Derived from the
// words of the commands, so that a new command or flag is completed without a line here. Knows no shell.
import {
  type Argument,
  commandFlags,
  type CommandWords,
  type Completes,
  type Flag,
  rootFlags as rootFlagWords,
  type SwitchFlag,
} from "../command.ts";

/** What a value or an argument can be completed with. */
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
  readonly argument:
    | { readonly name: string; readonly isRepeated: boolean; readonly with: Completable }
    | undefined;
}

export const rootFlags: readonly FlagShape[] = answeringShapes(rootFlagWords);

export function commandShapes(commands: readonly CommandWords[]): readonly CommandShape[] {
  const names = commands.map((command) => command.name);
  return commands.map(({ name, summary, argument, flags }) => ({
    name,
    description: summary,
    flags: [
      ...Object.entries(flags).flatMap(([flag, words]) => flagShapes(flag, words)),
      ...answeringShapes(commandFlags),
    ],
    argument: argument === undefined ? undefined : argumentShape(argument, names),
  }));
}

function argumentShape({ name, isRepeated, completes }: Argument, names: readonly string[]) {
  return { name, isRepeated: isRepeated === true, with: completable(completes, names) };
}

/** Of flags that only answer: without an opposite. */
function answeringShapes(flags: Readonly<Record<string, SwitchFlag>>): readonly FlagShape[] {
  return Object.entries(flags).map(([name, { alias, description }]) => ({
    name,
    aliases: alias === undefined ? [] : [alias],
    description,
    value: undefined,
  }));
}

function flagShapes(name: string, flag: Flag): readonly FlagShape[] {
  const { description } = flag;
  const aliases = flag.alias === undefined ? [] : [flag.alias];
  if (flag.type === "string") {
    return [{ name, aliases, description, value: { hint: flag.valueHint, with: hinted(flag.valueHint) } }];
  }
  return [
    { name, aliases, description, value: undefined },
    // Off again, over a variable or a configuration file that says on.
    { name: `no-${name}`, aliases: [], description: `not --${name}`, value: undefined },
  ];
}

function hinted(valueHint: string): Completable {
  if (valueHint === "FILE" || valueHint === "PATH") return { kind: "file" };
  if (valueHint === "DIR") return { kind: "directory" };
  return { kind: "nothing" };
}

function completable(completes: Completes | undefined, names: readonly string[]): Completable {
  if (completes === undefined) return { kind: "nothing" };
  if (completes === "command") return { kind: "words", words: names };
  if (completes === "file" || completes === "directory") return { kind: completes };
  return { kind: "words", words: completes };
}
