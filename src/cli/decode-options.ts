// From arguments, environment and configuration file to the options of a session, checked and in base units. The one
// place that knows which kind of value each flag has.
import { join, resolve } from "node:path";
import { UsageError } from "../lib/errors.ts";
import type { SessionContext } from "../session/context.ts";
import type { DownloadOptions, NodeOptions, ServeOptions } from "../session/options.ts";
import type { CommandInput } from "./commands/command.ts";
import type { Config } from "./config-file.ts";
import { readConfig } from "./config-file.ts";
import type { Environment } from "./environment.ts";
import { LayeredValues } from "./layered-values.ts";
import { nearest } from "./nearest.ts";
import { allFlags, variableName } from "./shared-flags.ts";
import { hostAddress, peerList, port, portRange } from "./values/addresses.ts";
import { hostCount, rate, ratio, seconds } from "./values/numbers.ts";
import { directory, magnet, onOff } from "./values/value-kind.ts";

/** How a session shows itself. */
export interface OutputOptions {
  readonly debug: boolean;
  readonly json: boolean;
  /** P2PFILE_IO. */
  readonly io: SessionContext["io"];
}

export interface Decoded<Options> {
  readonly options: Options;
  readonly output: OutputOptions;
  /** What was accepted but probably not meant, one sentence each. */
  readonly warnings: readonly string[];
}

/** @throws UsageError for the first wrong value, naming where it stands. */
export async function decodeServe(input: CommandInput): Promise<Decoded<ServeOptions>> {
  const values = await layer(input);
  const uri = values.optional("magnet", magnet);
  if (uri !== undefined && input.args._.length > 1) {
    throw new UsageError("--magnet: goes with exactly one FILE");
  }
  return {
    options: {
      ...decodeNode(values),
      files: [...input.args._],
      magnet: uri,
      untilDone: values.optional("until-done", hostCount),
    },
    output: decodeOutput(values, input.environment),
    warnings: misspelledVariables(input.environment.variables),
  };
}

/** @throws UsageError for the first wrong value, naming where it stands. */
export async function decodeDownload(input: CommandInput): Promise<Decoded<DownloadOptions>> {
  const values = await layer(input);
  const options = {
    ...decodeNode(values),
    magnets: [...input.args._],
    directory: values.required("dir", directory),
    seeding: values.optional("seeding", onOff) ?? false,
    seedingSeconds: values.required("seeding-time", seconds),
    seedingRatio: values.required("seeding-ratio", ratio),
    timeoutSeconds: values.required("timeout", seconds),
  };
  const idle = ["seeding-time", "seeding-ratio"].filter((flag) => !options.seeding && input.given.has(flag));
  return {
    options,
    output: decodeOutput(values, input.environment),
    warnings: [
      ...misspelledVariables(input.environment.variables),
      ...idle.map((flag) => `--${flag} has no effect without --seeding`),
    ],
  };
}

function decodeNode(values: LayeredValues): NodeOptions {
  return {
    ip: values.optional("ip", hostAddress),
    port: values.optional("port", port),
    portRange: values.required("port-range", portRange),
    peers: values.optional("peers", peerList) ?? [],
    uploadLimit: values.required("upload-limit", rate),
    downloadLimit: values.required("download-limit", rate),
  };
}

function decodeOutput(values: LayeredValues, environment: Environment): OutputOptions {
  const io = environment.variables["P2PFILE_IO"] ?? "";
  if (io !== "" && io !== "map" && io !== "pread") {
    throw new UsageError(`P2PFILE_IO: '${io}' is not 'map' or 'pread'`);
  }
  return {
    debug: values.optional("debug", onOff) ?? false,
    json: values.optional("json", onOff) ?? false,
    io: io === "pread" ? "pread" : "map",
  };
}

/** A limit in a misspelled variable would silently not hold. */
function misspelledVariables(variables: Environment["variables"]): readonly string[] {
  const known = new Set([...Object.keys(allFlags).map(variableName), "P2PFILE_IO"]);
  return Object.keys(variables).flatMap((name) => {
    const near = name.startsWith("P2PFILE_") && !known.has(name) ? nearest(name, known) : undefined;
    return near === undefined ? [] : [`${name} is not a setting; did you mean ${near}?`];
  });
}

async function layer(input: CommandInput): Promise<LayeredValues> {
  const { environment, args, given } = input;
  return new LayeredValues({
    args,
    given,
    variables: environment.variables,
    config: await findConfig(input),
  });
}

async function findConfig({ environment, args, given }: CommandInput): Promise<Config> {
  const { workingDirectory, home, variables } = environment;
  const variable = variables[variableName("config")] ?? "";
  const named = given.has("config") ? String(args["config"]) : variable;
  if (given.has("config") && named === "") throw new UsageError("--config: '' is not a file");
  if (named !== "") return readConfig(resolve(workingDirectory, named), { required: true });
  if (home === undefined || home === "") return { path: "", values: new Map() };
  return readConfig(join(home, ".p2pfile.yaml"), { required: false });
}
