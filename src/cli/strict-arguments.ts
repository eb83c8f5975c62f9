// The check in front of citty, which lets unknown flags, missing values and stray arguments pass. What comes out says
// the same in a form that can be read in one way only. Knows the words of the commands, not what the values mean.
import { UsageError } from "../lib/errors.ts";
import type { CommandWords, Flag } from "./command.ts";
import { ownerOf } from "./command-table.ts";
import { nearest } from "./nearest.ts";

export interface StrictArguments {
  /** For citty: every value in its flag's own word ("--port=42080"), then "--", then the arguments without a dash. */
  readonly rawArgs: string[];
  /** Long names of the flags that were given, also as `--no-…`. */
  readonly given: ReadonlySet<string>;
  /** The arguments without a dash. */
  readonly words: readonly string[];
}

/**
 * Options end at "--". A flag given twice keeps its last value, except lists, which are joined.
 * @param commands all of them: a flag that another one has is named as its flag
 * @throws UsageError for an unknown flag (with the nearest known one), a missing or superfluous value, and missing or
 * superfluous arguments.
 */
export function checkArguments(
  argv: readonly string[],
  command: CommandWords,
  commands: readonly CommandWords[],
): StrictArguments {
  const values = new Map<string, string | boolean>();
  const words: string[] = [];
  // One iterator for words and values: a flag takes its value out of it.
  const rest = argv.values();
  for (const word of rest) {
    if (word === "--") {
      words.push(...rest);
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      words.push(word);
      continue;
    }
    const { name, flag, shown, isNegated, value: attached } = readFlag(word, command, commands);
    if (flag.type === "boolean") {
      values.set(name, !isNegated);
      continue;
    }
    const value = attached ?? rest.next().value;
    // A word that begins like a number is a wrong value, anything else with a dash is the next flag.
    if (value === undefined || (attached === undefined && /^-(?!\d)./.test(value))) {
      const example = `${shown}${shown.startsWith("--") ? "=" : " "}${flag.valueHint}`;
      throw new UsageError(`${shown}: a value is missing (${example})`);
    }
    const before = values.get(name);
    const isJoined = flag.listOf !== undefined && typeof before === "string";
    values.set(name, isJoined ? `${before},${value}` : value);
  }
  checkWords(words, command);
  const options = [...values].map(([name, value]) => {
    if (typeof value === "string") return `--${name}=${value}`;
    return value ? `--${name}` : `--no-${name}`;
  });
  return { rawArgs: [...options, "--", ...words], given: new Set(values.keys()), words };
}

interface NamedFlag {
  readonly name: string;
  readonly flag: Flag;
}

interface GivenFlag extends NamedFlag {
  /** As the user wrote it, without a value. */
  readonly shown: string;
  readonly isNegated: boolean;
  readonly value: string | undefined;
}

function readFlag(word: string, command: CommandWords, commands: readonly CommandWords[]): GivenFlag {
  const equals = word.indexOf("=");
  const isLong = word.startsWith("--");
  // "-oDIR" and "-o=DIR" are two ways to write "-o DIR".
  const end = isLong ? (equals < 0 ? word.length : equals) : 2;
  const shown = word.slice(0, end);
  let value = end < word.length ? word.slice(end) : undefined;
  if (value?.startsWith("=") === true) value = value.slice(1);

  const bare = shown.slice(isLong ? 2 : 1);
  const plain = findFlag(bare, isLong, command);
  const opposite = isLong && bare.startsWith("no-") ? findFlag(bare.slice(3), true, command) : undefined;
  const isNegated = plain === undefined && opposite?.flag.type === "boolean";
  const found = plain ?? (isNegated ? opposite : undefined);
  if (found === undefined) throw new UsageError(unknownFlag(shown, bare, command, commands));
  if (found.flag.type === "boolean" && value !== undefined) {
    throw new UsageError(`${shown}: takes no value (--${found.name} or --no-${found.name})`);
  }
  return { ...found, shown, isNegated, value };
}

function findFlag(bare: string, isLong: boolean, { flags }: CommandWords): NamedFlag | undefined {
  const found = Object.entries(flags).find(([name, flag]) => (isLong ? name : flag.alias) === bare);
  return found === undefined ? undefined : { name: found[0], flag: found[1] };
}

function unknownFlag(
  shown: string,
  bare: string,
  command: CommandWords,
  commands: readonly CommandWords[],
): string {
  const owner = ownerOf(bare, commands);
  if (owner !== undefined) return `${shown}: '${command.name}' does not have this flag, '${owner}' has`;
  const near = nearest(bare, Object.keys(command.flags));
  const remedy = near === undefined ? `see 'p2pfile ${command.name} --help'` : `did you mean --${near}?`;
  return `${shown}: unknown flag; ${remedy}`;
}

function checkWords(words: readonly string[], { name, argument }: CommandWords): void {
  if (argument !== undefined && argument.isOptional !== true && words.length === 0) {
    throw new UsageError(`${name}: ${argument.name.toUpperCase()} is missing; see 'p2pfile ${name} --help'`);
  }
  const extra = words[argument === undefined ? 0 : 1];
  if (extra !== undefined && argument?.isRepeated !== true) {
    throw new UsageError(`${name}: unexpected argument '${extra}'`);
  }
}
