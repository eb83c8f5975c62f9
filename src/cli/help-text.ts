// The help texts: citty renders usage and options from the definitions, the examples and the surroundings are added here.
import type { ArgsDef } from "citty";
import { defineCommand, renderUsage } from "citty";
import type { Command } from "./commands/command.ts";
import type { Environment, OutputStream } from "./environment.ts";
import { hasColors } from "./screen/terminal.ts";
import { VERSION } from "../lib/version.ts";

const rootArgs = {
  help: { type: "boolean", alias: "h", description: "print this help, or that of a command" },
  version: { type: "boolean", description: "print the version" },
} as const satisfies ArgsDef;

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
  const subCommands = Object.fromEntries(commands.map((command) => [command.name, command.definition]));
  const root = defineCommand({
    meta: {
      name: "p2pfile",
      version: VERSION,
      description: "Large files to many machines of a private network",
    },
    args: rootArgs,
    subCommands,
  });
  const examples = commands.slice(0, 2).flatMap((command) => command.examples.slice(0, 1));
  const usage = await renderUsage(root);
  return finish([usage, renderExamples(examples), settings, exitCodes], environment, stream);
}

export async function commandHelp(command: Command, environment: Environment): Promise<string> {
  const args: ArgsDef = {
    ...command.args,
    help: { type: "boolean", alias: "h", description: "print this help" },
  };
  const definition = defineCommand({ meta: { name: command.name, description: command.description }, args });
  const usage = await renderUsage(definition, defineCommand({ meta: { name: "p2pfile" } }));
  const takesSettings = "config" in command.args;
  const parts = [usage, renderExamples(command.examples), ...(takesSettings ? [settings] : [])];
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
