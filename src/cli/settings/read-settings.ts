// The settings of a command as layers: its flags, the P2PFILE_* variables, and the configuration file, which is found
// and read here. What is accepted but probably a slip is a warning.
import { join, resolve } from "node:path";
import { printable, shortened } from "../../core/format/file-name.ts";
import { UsageError } from "../../lib/errors.ts";
import type { CommandInput } from "../command.ts";
import { settingsOf } from "../command-table.ts";
import type { Environment } from "../environment.ts";
import { nearest } from "../nearest.ts";
import type { Config } from "./config-file.ts";
import { readConfig } from "./config-file.ts";
import { LayeredValues, variableName } from "./layered-values.ts";

export interface Settings {
  readonly values: LayeredValues;
  /** What was accepted but probably not meant, one sentence each. */
  readonly warnings: readonly string[];
}

/** @throws UsageError for a configuration file that cannot be used. */
export async function readSettings(input: CommandInput): Promise<Settings> {
  const { environment, flags, given } = input;
  const config = await findConfig(input);
  const link = serviceLink(environment.variables);
  const variables =
    link === undefined ? environment.variables : { ...environment.variables, [link.name]: "" };
  return {
    values: new LayeredValues({ flags, given, variables, config }),
    warnings: [...misspelledVariables(input), ...(link === undefined ? [] : [link.warning])],
  };
}

/** Kubernetes sets NAME_PORT in every container beside a service of that name; for one named p2pfile that is our variable. */
function serviceLink(variables: Environment["variables"]): { name: string; warning: string } | undefined {
  const name = variableName("port");
  const value = variables[name] ?? "";
  if (!/^(?:tcp|udp|sctp):\/\//i.test(value)) return undefined;
  const shown = shortened(printable(value));
  return {
    name,
    warning: `${name}=${shown} is the link of a Kubernetes service and no port number; ignored`,
  };
}

/** A limit in a misspelled variable would silently not hold. */
function misspelledVariables({ environment, commands }: CommandInput): readonly string[] {
  const known = new Set([...Object.keys(settingsOf(commands)).map(variableName), "P2PFILE_IO"]);
  return Object.keys(environment.variables).flatMap((name) => {
    const near = name.startsWith("P2PFILE_") && !known.has(name) ? nearest(name, known) : undefined;
    return near === undefined ? [] : [`${name} is not a setting; did you mean ${near}?`];
  });
}

async function findConfig({ environment, flags, given, commands }: CommandInput): Promise<Config> {
  const { workingDirectory, home, variables } = environment;
  const variable = variables[variableName("config")] ?? "";
  const named = given.has("config") ? String(flags["config"]) : variable;
  if (given.has("config") && named === "") throw new UsageError("--config: '' is not a file");
  const settings = settingsOf(commands);
  if (named !== "") return readConfig(resolve(workingDirectory, named), { settings, isRequired: true });
  if (home === undefined || home === "") return { path: "", values: new Map() };
  return readConfig(join(home, ".p2pfile.yaml"), { settings, isRequired: false });
}
