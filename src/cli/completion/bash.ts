// The script for bash 4 and later. Works without the bash-completion package.
import { assertNever } from "../../lib/assert.ts";
import type { CommandShape, Completable, FlagShape } from "./command-shape.ts";
import { rootFlags } from "./command-shape.ts";

export function bashScript(commands: readonly CommandShape[]): string {
  return `# bash completion for p2pfile: source <(p2pfile completion bash)

_p2pfile_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }

# $1 is -f for files, -d for directories. compopt fails outside of a completion, which does no harm.
_p2pfile_paths() {
    mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
    compopt -o filenames 2>/dev/null
}

_p2pfile() {
    COMPREPLY=()
    local current="\${COMP_WORDS[COMP_CWORD]}" previous="" command="" literal="" position=0 i
    ((COMP_CWORD > 0)) && previous="\${COMP_WORDS[COMP_CWORD - 1]}"
    # bash breaks "--dir=x" into three words.
    if [[ $current == "=" ]]; then
        current=""
    elif [[ $previous == "=" ]] && ((COMP_CWORD > 1)); then
        previous="\${COMP_WORDS[COMP_CWORD - 2]}"
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ -n $command && \${COMP_WORDS[i]} == -- ]]; then
            literal=yes
        elif [[ \${COMP_WORDS[i]} != -* || -n $literal ]]; then
            if [[ -z $command ]]; then command="\${COMP_WORDS[i]}"; else ((position++)); fi
        fi
    done
    [[ -n $literal ]] && previous=""

    case $command in
    "")
        _p2pfile_words "${[...commands.map((command) => command.name), ...flagWords(rootFlags)].join(" ")}"
        ;;
${commands.map(commandCase).join("\n")}
    esac
}

complete -F _p2pfile p2pfile
`;
}

function commandCase(command: CommandShape): string {
  const cases = command.flags.flatMap((flag) =>
    flag.value === undefined
      ? []
      : [`        ${flagWords([flag]).join(" | ")}) ${complete(flag.value.with)} ; return ;;`],
  );
  const choice = cases.length === 0 ? "" : `        case $previous in\n${cases.join("\n")}\n        esac\n`;
  return `    ${command.name})
${choice}        if [[ $current == -* && -z $literal ]]; then
            _p2pfile_words "${flagWords(command.flags).join(" ")}"
        else
            ${completeArgument(command)}
        fi
        ;;`;
}

function completeArgument({ argument }: CommandShape): string {
  if (argument === undefined) return complete({ kind: "nothing" });
  return argument.isRepeated ? complete(argument.with) : `((position > 0)) || ${complete(argument.with)}`;
}

function flagWords(flags: readonly FlagShape[]): readonly string[] {
  return flags.flatMap((flag) => [...flag.aliases.map((alias) => `-${alias}`), `--${flag.name}`]);
}

function complete(completable: Completable): string {
  switch (completable.kind) {
    case "file":
      return "_p2pfile_paths -f";
    case "directory":
      return "_p2pfile_paths -d";
    case "words":
      return `_p2pfile_words "${completable.words.join(" ")}"`;
    case "nothing":
      return "COMPREPLY=()";
    default:
      return assertNever(completable);
  }
}
