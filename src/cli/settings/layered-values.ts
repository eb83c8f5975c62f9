// Where each setting comes from: flag, then P2PFILE_* variable, then configuration file, then default. Hands out checked
// values and names the right place when one is wrong. Knows no single flag.
import { shortened } from "../../core/format/file-name.ts";
import { InvariantError, UsageError } from "../../lib/errors.ts";
import type { ParsedFlags } from "../command.ts";
import type { ValueKind } from "../values/value-kind.ts";
import type { Config } from "./config-file.ts";

/** The environment variable of a flag: "upload-limit" is P2PFILE_UPLOAD_LIMIT. */
export function variableName(flag: string): string {
  return `P2PFILE_${flag.toUpperCase().replaceAll("-", "_")}`;
}

interface Found {
  readonly text: string;
  /** For messages. */
  readonly origin: string;
  readonly strength: number;
}

export interface Layers {
  /** Defaults filled in. */
  readonly flags: ParsedFlags;
  /** Long names of the flags that stood on the command line. */
  readonly given: ReadonlySet<string>;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly config: Config;
}

export class LayeredValues {
  readonly #layers: Layers;

  constructor(layers: Layers) {
    this.#layers = layers;
  }

  /** @returns undefined when `flag` is set nowhere and has no default. @throws UsageError that names the place. */
  optional<Value>(flag: string, kind: ValueKind<Value>): Value | undefined {
    const found = this.#find(flag);
    if (found === undefined) return undefined;
    const value = kind.read(found.text);
    if (value === undefined) {
      const culprit = kind.culprit?.(found.text) ?? found.text;
      throw new UsageError(`${found.origin}: '${shortened(culprit)}' is not ${kind.expected}`);
    }
    return value;
  }

  /** For flags with a default. @throws UsageError that names the place; InvariantError without a default. */
  required<Value>(flag: string, kind: ValueKind<Value>): Value {
    const value = this.optional(flag, kind);
    if (value === undefined) throw new InvariantError(`--${flag} has no default`);
    return value;
  }

  /** How strong the place is that `flag` is set in: 3 the flag, 2 its variable, 1 the configuration file, 0 none of them. */
  strengthOf(flag: string): number {
    return this.#find(flag)?.strength ?? 0;
  }

  #find(flag: string): Found | undefined {
    const { flags, given, variables, config } = this.#layers;
    const argument =
      flags[flag] === undefined ? undefined : { text: String(flags[flag]), origin: `--${flag}`, strength: 0 };
    if (given.has(flag) && argument !== undefined) return { ...argument, strength: 3 };
    const variable = variables[variableName(flag)];
    // An empty variable is how many tools write "not set".
    if (variable !== undefined && variable !== "")
      return { text: variable, origin: variableName(flag), strength: 2 };
    const configured = config.values.get(flag);
    if (configured !== undefined) return { text: configured, origin: `${config.path}: ${flag}`, strength: 1 };
    return argument;
  }
}
