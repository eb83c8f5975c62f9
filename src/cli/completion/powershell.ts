// The script for PowerShell: a native argument completer over a table of words. Where it finds nothing, PowerShell
// itself completes paths.
import type { CommandShape, FlagShape } from "./command-shape.ts";
import { rootFlags } from "./command-shape.ts";

export function powershellScript(commands: readonly CommandShape[]): string {
  const top = [...commands.map(({ name, description }) => ({ name, description })), ...dashed(rootFlags)];
  return `# PowerShell completion for p2pfile: p2pfile completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName p2pfile -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @{
        '' = @(${entries(top)}
        )
${commands.map(tableEntry).join("\n")}
    }
    $takesValue = @(${commands
      .flatMap((command) => command.flags)
      .filter((flag) => flag.value !== undefined)
      .flatMap((flag) => dashed([flag]).map(({ name }) => name))
      .filter((name, at, all) => all.indexOf(name) === at)
      .map(quote)
      .join(", ")})
    $before = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    $command = @($before | Where-Object { -not $_.StartsWith('-') } | Select-Object -First 1)[0]
    if (-not $command) { $command = '' }
    if ($before.Count -gt 0 -and $takesValue -ccontains $before[-1]) { return }
    if (-not $words.ContainsKey($command)) { return }
    # Flags only where one begins: an empty word is more likely a file.
    $words[$command] | Where-Object {
        $_[0].StartsWith($wordToComplete) -and ($wordToComplete -or -not $_[0].StartsWith('-'))
    } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
    }
}
`;
}

interface Entry {
  readonly name: string;
  readonly description: string;
}

function tableEntry(command: CommandShape): string {
  const completable = command.argument?.with;
  const words =
    completable?.kind === "words" ? completable.words.map((name) => ({ name, description: name })) : [];
  return `        ${quote(command.name)} = @(${entries([...words, ...dashed(command.flags)])}
        )`;
}

function entries(list: readonly Entry[]): string {
  const lines = list.map(({ name, description }) => `@(${quote(name)}, ${quote(description)})`);
  return lines.map((text) => `\n            ${text}`).join(",");
}

function dashed(flags: readonly FlagShape[]): readonly Entry[] {
  return flags.flatMap(({ name, aliases, description }) => [
    ...aliases.map((alias) => ({ name: `-${alias}`, description })),
    { name: `--${name}`, description },
  ]);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
