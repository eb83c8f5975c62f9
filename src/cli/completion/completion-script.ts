// The completion script of each shell, generated from the words of the commands. The scripts are complete in themselves:
// pressing TAB starts no process. Why this is ours: docs/adr/0006-completion.md.
import type { CommandWords } from "../command.ts";
import { bashScript } from "./bash.ts";
import { type CommandShape, commandShapes } from "./command-shape.ts";
import { fishScript } from "./fish.ts";
import { powershellScript } from "./powershell.ts";
import type { Shell } from "./shells.ts";
import { zshScript } from "./zsh.ts";

const scripts: Readonly<Record<Shell, (commands: readonly CommandShape[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
  powershell: powershellScript,
};

/** @returns a script that ends with a line break. */
export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  return scripts[shell](commandShapes(commands));
}
