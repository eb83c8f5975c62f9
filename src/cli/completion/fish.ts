// The script for fish: one `complete` line per word.
import { assertNever } from "../../lib/assert.ts";
import type { CommandShape, Completable, FlagShape } from "./command-shape.ts";
import { rootFlags } from "./command-shape.ts";

export function fishScript(commands: readonly CommandShape[]): string {
  const lines = [
    "# fish completion for p2pfile: p2pfile completion fish | source",
    "complete -c p2pfile -f",
    ...rootFlags.map((flag) => flagLine(flag, "__fish_use_subcommand")),
    ...commands.map((command) =>
      line("__fish_use_subcommand", `-a ${command.name} -d ${quote(command.description)}`),
    ),
    ...commands.flatMap((command) => {
      const condition = `__fish_seen_subcommand_from ${command.name}`;
      return [...argumentLine(command, condition), ...command.flags.map((flag) => flagLine(flag, condition))];
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function line(condition: string, rest: string): string {
  return `complete -c p2pfile -n ${quote(condition)} ${rest}`;
}

function argumentLine({ argument }: CommandShape, condition: string): readonly string[] {
  if (argument === undefined || argument.with.kind === "nothing") return [];
  return [line(condition, valueOf(argument.with))];
}

function flagLine(flag: FlagShape, condition: string): string {
  const names = [`-l ${flag.name}`, ...flag.aliases.map((alias) => `-s ${alias}`)].join(" ");
  const value = flag.value === undefined ? "" : ` -r ${valueOf(flag.value.with)}`;
  return line(condition, `${names}${value} -d ${quote(flag.description)}`);
}

function valueOf(completable: Completable): string {
  switch (completable.kind) {
    case "file":
      return "-F";
    case "directory":
      return "-f -a '(__fish_complete_directories)'";
    case "words":
      return `-f -a ${quote(completable.words.join(" "))}`;
    case "nothing":
      return "-f";
    default:
      return assertNever(completable);
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
