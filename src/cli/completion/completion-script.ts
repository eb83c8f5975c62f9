// The completion script of each shell, generated from the words of the commands. The scripts are complete in themselves:
// pressing TAB starts no process. Why this is ours: docs/adr/0006-completion.md.
import { assertNever } from "../../lib/assert.ts";
import type { CommandWords } from "../command.ts";
import { bashScript } from "./bash.ts";
import { commandShapes } from "./command-shape.ts";
import { fishScript } from "./fish.ts";
import { powershellScript } from "./powershell.ts";
import type { Shell } from "./shells.ts";
import { zshScript } from "./zsh.ts";

/** @returns a script that ends with a line break. */
export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  const shapes = commandShapes(commands);
  switch (shell) {
    case "bash":
      return bashScript(shapes);
    case "zsh":
      return zshScript(shapes);
    case "fish":
      return fishScript(shapes);
    case "powershell":
      return powershellScript(shapes);
    default:
      return assertNever(shell);
  }
}
