// Every command, in the order of the help text. A new one is a file beside this and a line here.
import type { Command } from "../command.ts";
import { completionCommand } from "./completion.ts";
import { downloadCommand } from "./download.ts";
import { helpCommand } from "./help.ts";
import { serveCommand } from "./serve.ts";
import { versionCommand } from "./version.ts";

export const allCommands: readonly Command[] = [
  serveCommand,
  downloadCommand,
  completionCommand,
  helpCommand,
  versionCommand,
];
