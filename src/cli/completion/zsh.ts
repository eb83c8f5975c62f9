// The script for zsh, on _arguments. Can be sourced, or put into a directory of $fpath as _p2pfile.
import { assertNever } from "../../lib/assert.ts";
import type { CommandShape, Completable, FlagShape } from "./command-shape.ts";
import { rootFlags } from "./command-shape.ts";

export function zshScript(commands: readonly CommandShape[]): string {
  const list = commands.map((command) =>
    quote(`${command.name.replaceAll(":", "\\:")}:${command.description}`),
  );
  return `#compdef p2pfile
# zsh completion for p2pfile: source <(p2pfile completion zsh)

_p2pfile() {
    local curcontext="$curcontext" state line
    local -a commands
    commands=(
${list.map((entry) => `        ${entry}`).join("\n")}
    )
    _arguments -C \\
${rootFlags.map((flag) => `        ${flagArgument(flag)} \\`).join("\n")}
        '1:command:->command' \\
        '*::argument:->argument'
    case $state in
    command) _describe -t commands 'p2pfile command' commands ;;
    argument)
        case $words[1] in
${commands.map(commandCase).join("\n")}
        esac
        ;;
    esac
}

if [[ $funcstack[1] == _p2pfile ]]; then
    _p2pfile "$@"
else
    compdef _p2pfile p2pfile
fi
`;
}

function commandCase(command: CommandShape): string {
  const lines = [...command.flags.map(flagArgument), ...wordArgument(command)];
  return `        ${command.name})
            _arguments -S \\
${lines.map((line) => `                ${line}`).join(" \\\n")}
            ;;`;
}

function wordArgument({ argument }: CommandShape): readonly string[] {
  if (argument === undefined) return [];
  const { name, isRepeated, with: completable } = argument;
  return [quote(`${isRepeated ? "*" : "1"}:${name}:${action(completable)}`)];
}

/** "(-o --dir)"{-o+,--dir=}"[description]:DIR:action" */
function flagArgument(flag: FlagShape): string {
  const description = flag.description.replaceAll(/[[\]\\:]/g, (character) => `\\${character}`);
  const value =
    flag.value === undefined ? "" : `:${flag.value.hint.replaceAll(":", "\\:")}:${action(flag.value.with)}`;
  const forms = [
    ...flag.aliases.map((alias) => `-${alias}${flag.value === undefined ? "" : "+"}`),
    `--${flag.name}${flag.value === undefined ? "" : "="}`,
  ];
  const tail = quote(`[${description}]${value}`);
  if (forms.length === 1) return `${forms[0] ?? ""}${tail}`;
  const exclusive = `(${flag.aliases.map((alias) => `-${alias}`).join(" ")} --${flag.name})`;
  return `${quote(exclusive)}{${forms.join(",")}}${tail}`;
}

function action(completable: Completable): string {
  switch (completable.kind) {
    case "file":
      return "_files";
    case "directory":
      return "_files -/";
    case "words":
      return `(${completable.words.join(" ")})`;
    case "nothing":
      return " ";
    default:
      return assertNever(completable);
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
