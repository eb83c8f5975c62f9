// The command line from words to exit code. Finds the command, checks the words in front of citty, lets citty parse them,
// runs the command, and turns an error into a line. Touches no process: everything comes in with the Environment.
import { parseArgs } from "citty";
import { ExitCode, UsageError } from "../lib/errors.ts";
import { cittyDefinitions } from "./citty-definitions.ts";
import type { Command } from "./command.ts";
import { findCommand, ownerOf } from "./command-table.ts";
import type { Environment } from "./environment.ts";
import { reportError } from "./report-error.ts";
import { checkArguments } from "./strict-arguments.ts";
import { onOff } from "./values/value-kind.ts";

/** @param argv without the program's own name. Never throws. */
export async function run(
  argv: readonly string[],
  environment: Environment,
  commands: readonly Command[],
): Promise<ExitCode> {
  try {
    const exitCode = await dispatch(argv, environment, commands);
    const failure = await environment.stdout.flush();
    // A reader that has closed the pipe (`p2pfile --help | head -1`) is no error; a full disk is.
    if (failure === undefined || failure === "EPIPE") return exitCode;
    environment.stderr.write(`p2pfile: standard output cannot be written (${failure})\n`);
    return exitCode === ExitCode.done ? ExitCode.disk : exitCode;
  } catch (error) {
    const report = reportError(error, { debug: wantsDebug(argv, environment) });
    environment.stderr.write(report.text);
    return report.exitCode;
  }
}

/** Read before, or without, a complete check of the command line: whether an error shows its stack. */
export function wantsDebug(argv: readonly string[], environment: Pick<Environment, "variables">): boolean {
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  return flags.includes("--debug") || onOff.read(environment.variables["P2PFILE_DEBUG"] ?? "") === true;
}

async function dispatch(
  argv: readonly string[],
  environment: Environment,
  commands: readonly Command[],
): Promise<ExitCode> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    const { rootHelp } = await import("./help-text.ts");
    environment.stderr.write(await rootHelp(commands, environment, environment.stderr));
    return ExitCode.usage;
  }
  if (first.startsWith("-")) return rootFlag(first, environment, commands);
  const command = findCommand(first, commands);
  if (asksForHelp(rest)) {
    const { commandHelp } = await import("./help-text.ts");
    environment.stdout.write(await commandHelp(command, environment));
    return ExitCode.done;
  }
  const { rawArgs, given, words } = checkArguments(rest, command, commands);
  const flags = parseArgs(rawArgs, cittyDefinitions(command));
  return command.run({ environment, flags, given, words, commands });
}

async function rootFlag(
  flag: string,
  environment: Environment,
  commands: readonly Command[],
): Promise<ExitCode> {
  if (flag === "--version") {
    const { VERSION } = await import("../lib/version.ts");
    environment.stdout.write(`${VERSION}\n`);
    return ExitCode.done;
  }
  if (flag === "--help" || flag === "-h") {
    const { rootHelp } = await import("./help-text.ts");
    environment.stdout.write(await rootHelp(commands, environment));
    return ExitCode.done;
  }
  const owner = ownerOf(flag.replace(/^--?/, "").replace(/=.*$/s, ""), commands);
  if (owner !== undefined)
    throw new UsageError(`${flag}: flags stand after the command ('p2pfile ${owner} …')`);
  throw new UsageError(`${flag}: unknown flag; see 'p2pfile --help'`);
}

function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).some((word) => word === "--help" || word === "-h");
}
