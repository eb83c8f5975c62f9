// The help texts: citty renders usage and options from the words of a command, the examples and the rest are added here.
import { defineCommand, renderUsage } from "citty";
import { VERSION } from "../lib/version.ts";
import { cittyDefinitions } from "./citty-definitions.ts";
import { type Command, commandFlags, rootFlags } from "./command.ts";
import { takesSettings } from "./command-table.ts";
import type { Environment, OutputStream } from "./environment.ts";
import { hasColors } from "./screen/terminal.ts";

const settings = `Each flag can also be set by its variable (P2PFILE_UPLOAD_LIMIT) or its line in the configuration
file (upload-limit: 50). Order: flag, variable, file, default.`;

const exitCodes = `EXIT CODES

  0 done                       5 disk full or I/O error
  1 bug in p2pfile             6 no peer or metadata within --timeout
  2 usage or bad magnet        7 content does not match its hash
  3 file to serve              8 another process holds this download
  4 place to download to       130, 143 stopped by a signal, resumable`;

/** `stream` is where the text will go: it decides about colours. */
export async function rootHelp(
  commands: readonly Command[],
  environment: Environment,
  stream: OutputStream = environment.stdout,
): Promise<string> {
  const subCommands = Object.fromEntries(
    commands.map(({ name, summary }) => [name, defineCommand({ meta: { name, description: summary } })]),
  );
  const root = defineCommand({
    meta: {
      name: "p2pfile",
      version: VERSION,
      description: "Large files to many machines of a private network",
    },
    args: cittyDefinitions({ flags: rootFlags }),
    subCommands,
  });
  const examples = commands
    .filter((command) => command.movesData === true)
    .flatMap((command) => command.examples.slice(0, 1));
  const usage = await renderUsage(root);
  return finish([usage, renderExamples(examples), settings, exitCodes], environment, stream);
}

export async function commandHelp(command: Command, environment: Environment): Promise<string> {
  const { name, summary, flags } = command;
  const definition = defineCommand({
    meta: { name, description: summary },
    args: cittyDefinitions({ ...command, flags: { ...flags, ...commandFlags } }),
  });
  const usage = await renderUsage(definition, defineCommand({ meta: { name: "p2pfile" } }));
  const parts = [usage, renderExamples(command.examples), ...(takesSettings(command) ? [settings] : [])];
  return finish(parts, environment, environment.stdout);
}

function renderExamples(examples: readonly string[]): string {
  return ["EXAMPLES", "", ...examples.map((example) => `  ${example}`)].join("\n");
}

/** citty looks at the process for colours, not at where the text goes; here is put right what it could not know. */
function finish(parts: readonly string[], environment: Environment, stream: OutputStream): string {
  const text = `${parts.map((part) => part.trimEnd()).join("\n\n")}\n`;
  if (hasColors(stream, environment.variables)) return text;
  return Bun.stripANSI(text).replaceAll(/ +$/gm, "");
}
