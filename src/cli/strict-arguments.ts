// The check in front of citty, which lets unknown flags, missing values and stray arguments pass. What comes out says
// the same in a form that can be read in one way only. Knows citty's definitions, not what the values mean.
import type { ArgsDef } from "citty";
import { UsageError } from "../lib/errors.ts";
import { nearest } from "./nearest.ts";

export interface StrictArguments {
  /** For citty: every value in its flag's own word ("--port=42080"), then "--", then the positional arguments. */
  readonly rawArgs: string[];
  /** Long names of the flags that were given, also as `--no-…`. */
  readonly given: ReadonlySet<string>;
}

export interface ArgumentRules {
  readonly command: string;
  readonly definitions: ArgsDef;
  /** Command that owns a flag unknown to this one. */
  readonly ownerOf: (flag: string) => string | undefined;
}

/**
 * Options end at "--". A flag given twice keeps its last value, except `--peers`, whose lists are joined.
 * @throws UsageError for an unknown flag (with the nearest known one), a missing or superfluous value, and missing or
 * superfluous positional arguments.
 */
export function checkArguments(words: readonly string[], rules: ArgumentRules): StrictArguments {
  const values = new Map<string, string | boolean>();
  const positionals: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") {
      positionals.push(...words.slice(at + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      positionals.push(word);
      continue;
    }
    const flag = readFlag(word, rules);
    if (flag.isBoolean) {
      values.set(flag.name, !flag.negated);
      continue;
    }
    const value = flag.value ?? words[++at];
    // A word that begins like a number is a wrong value, anything else with a dash is the next flag.
    if (value === undefined || (flag.value === undefined && /^-(?!\d)./.test(value))) {
      throw new UsageError(
        `${flag.shown}: a value is missing (${flag.shown.startsWith("--") ? `${flag.shown}=${flag.hint}` : `${flag.shown} ${flag.hint}`})`,
      );
    }
    const before = values.get(flag.name);
    values.set(flag.name, flag.name === "peers" && typeof before === "string" ? `${before},${value}` : value);
  }
  checkPositionals(positionals, rules);
  const options = [...values].map(([name, value]) => {
    if (typeof value === "string") return `--${name}=${value}`;
    return value ? `--${name}` : `--no-${name}`;
  });
  return { rawArgs: [...options, "--", ...positionals], given: new Set(values.keys()) };
}

interface Flag {
  readonly name: string;
  /** As the user wrote it, without a value. */
  readonly shown: string;
  readonly isBoolean: boolean;
  readonly negated: boolean;
  readonly value: string | undefined;
  readonly hint: string;
}

function readFlag(word: string, rules: ArgumentRules): Flag {
  const equals = word.indexOf("=");
  const isLong = word.startsWith("--");
  // "-oDIR" and "-o=DIR" are two ways to write "-o DIR".
  const end = isLong ? (equals < 0 ? word.length : equals) : 2;
  const shown = word.slice(0, end);
  let value = end < word.length ? word.slice(end) : undefined;
  if (value?.startsWith("=") === true) value = value.slice(1);

  const bare = shown.slice(isLong ? 2 : 1);
  const plain = findFlag(bare, isLong, rules.definitions);
  const opposite =
    isLong && bare.startsWith("no-") ? findFlag(bare.slice(3), true, rules.definitions) : undefined;
  const negated = plain === undefined && opposite?.type === "boolean";
  const found = plain ?? (negated ? opposite : undefined);
  if (found === undefined) throw new UsageError(unknownFlag(shown, bare, rules));
  const isBoolean = found.type === "boolean";
  if (isBoolean && value !== undefined) {
    throw new UsageError(`${shown}: takes no value (--${found.name} or --no-${found.name})`);
  }
  return { name: found.name, shown, isBoolean, negated, value, hint: found.valueHint ?? "VALUE" };
}

function findFlag(bare: string, isLong: boolean, definitions: ArgsDef) {
  for (const [name, definition] of Object.entries(definitions)) {
    if (definition.type === "positional") continue;
    const aliases = [("alias" in definition ? definition.alias : undefined) ?? []].flat();
    if (isLong ? name === bare : aliases.includes(bare)) {
      return { name, type: definition.type, valueHint: definition.valueHint };
    }
  }
  return undefined;
}

function unknownFlag(shown: string, bare: string, rules: ArgumentRules): string {
  const owner = rules.ownerOf(bare);
  if (owner !== undefined) return `${shown}: '${rules.command}' does not have this flag, '${owner}' has`;
  const flags = Object.entries(rules.definitions).filter(
    ([, definition]) => definition.type !== "positional",
  );
  const near = nearest(
    bare,
    flags.map(([name]) => name),
  );
  const remedy = near === undefined ? `see 'p2pfile ${rules.command} --help'` : `did you mean --${near}?`;
  return `${shown}: unknown flag; ${remedy}`;
}

function checkPositionals(given: readonly string[], rules: ArgumentRules): void {
  const wanted = Object.entries(rules.definitions).filter(
    ([, definition]) => definition.type === "positional",
  );
  const isVariadic = wanted.some(([name]) => name.endsWith("..."));
  const missing = wanted[given.length];
  if (missing !== undefined && missing[1].required !== false) {
    const name = missing[0].replace("...", "").toUpperCase();
    throw new UsageError(`${rules.command}: ${name} is missing; see 'p2pfile ${rules.command} --help'`);
  }
  const extra = given[wanted.length];
  if (extra !== undefined && !isVariadic) {
    throw new UsageError(`${rules.command}: unexpected argument '${extra}'`);
  }
}
