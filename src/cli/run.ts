// The command line from words to exit code. Finds the command, checks the words in front of citty, lets citty parse and
// run, and turns whatever is thrown into a line. Touches no process: everything comes in with the Environment.
import { runCommand } from "citty";
import { ExitCode, UsageError } from "../lib/errors.ts";
import { allCommands } from "./commands/all-commands.ts";
import type { Command, CommandData } from "./commands/command.ts";
import type { Environment } from "./environment.ts";
import { findCommand } from "./find-command.ts";
import { reportError } from "./report-error.ts";
import { checkArguments } from "./strict-arguments.ts";

/** @param argv without the program's own name. Never throws. */
export async function run(argv: readonly string[], environment: Environment): Promise<ExitCode> {
  try {
    const exitCode = await dispatch(argv, environment);
    const failure = await environment.stdout.flush();
    // A reader that has gone away (`p2pfile --help | head -1`) is nothing to talk about; a full disk is.
    if (failure === undefined || failure === "EPIPE") return exitCode;
    environment.stderr.write(`p2pfile: standard output cannot be written (${failure})\n`);
    return exitCode === ExitCode.done ? ExitCode.disk : exitCode;
  } catch (error) {
    const report = reportError(error, { debug: wantsDebug(argv, environment) });
    environment.stderr.write(report.text);
    return report.exitCode;
  }
}

/** Asked before, or without, a complete reading of the command line: an error must know how much to tell. */
export function wantsDebug(argv: readonly string[], environment: Pick<Environment, "variables">): boolean {
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  return flags.includes("--debug") || /^(true|yes|on|1)$/i.test(environment.variables["P2PFILE_DEBUG"] ?? "");
}

async function dispatch(argv: readonly string[], environment: Environment): Promise<ExitCode> {
  const [first, ...words] = argv;
  if (first === undefined) {
    const { rootHelp } = await import("./help-text.ts");
    environment.stderr.write(await rootHelp(allCommands, environment, environment.stderr));
    return ExitCode.usage;
  }
  if (first.startsWith("-")) return rootFlag(first, environment);
  const command = findCommand(first, allCommands);
  if (asksForHelp(words)) {
    const { commandHelp } = await import("./help-text.ts");
    environment.stdout.write(await commandHelp(command, environment));
    return ExitCode.done;
  }
  const { rawArgs, given } = checkArguments(words, {
    command: command.name,
    definitions: command.args,
    ownerOf: (flag) => allCommands.find((other) => hasFlag(other, flag))?.name,
  });
  const data: CommandData = { environment, given, commands: allCommands };
  const { result } = await runCommand(command.definition, { rawArgs, data });
  return asExitCode(result);
}

async function rootFlag(flag: string, environment: Environment): Promise<ExitCode> {
  if (flag === "--version") {
    const { VERSION } = await import("../lib/version.ts");
    environment.stdout.write(`${VERSION}\n`);
    return ExitCode.done;
  }
  if (flag === "--help" || flag === "-h") {
    const { rootHelp } = await import("./help-text.ts");
    environment.stdout.write(await rootHelp(allCommands, environment));
    return ExitCode.done;
  }
  const name = flag.replace(/^--?/, "").replace(/=.*$/s, "");
  const owner = allCommands.find((command) => hasFlag(command, name));
  if (owner !== undefined)
    throw new UsageError(`${flag}: flags stand after the command ('p2pfile ${owner.name} …')`);
  throw new UsageError(`${flag}: unknown flag; see 'p2pfile --help'`);
}

function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).some((word) => word === "--help" || word === "-h");
}

function hasFlag(command: Command, flag: string): boolean {
  return Object.hasOwn(command.args, flag) && command.args[flag]?.type !== "positional";
}

/** citty does not know the type of what a command returns. */
function asExitCode(result: unknown): ExitCode {
  return Object.values(ExitCode).find((code) => code === result) ?? ExitCode.bug;
}
