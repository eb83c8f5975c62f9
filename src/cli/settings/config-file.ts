// The YAML file behind the flags: reads it, and refuses what would silently not count (unknown and double keys, lists
// where one value belongs). Is told which keys there are, and does not know what their values mean.
import { open } from "node:fs/promises";
import { errnoWords } from "../../lib/errno.ts";
import { UsageError, systemErrorCode } from "../../lib/errors.ts";
import type { Flags } from "../command.ts";
import { MAX_CONFIG_LENGTH } from "../limits.ts";
import { nearest } from "../nearest.ts";

export interface Config {
  readonly path: string;
  /** Long flag names and their values as texts. */
  readonly values: ReadonlyMap<string, string>;
}

export interface ConfigRules {
  /** Flags that the file may set; `config` is refused, whether it is among them or not. */
  readonly settings: Flags;
  /** A file that is not required and cannot be reached is an empty one. */
  readonly isRequired: boolean;
}

/** @throws UsageError when it cannot be read, is not YAML, or has a key or a shape that it must not have. */
export async function readConfig(path: string, { settings, isRequired }: ConfigRules): Promise<Config> {
  const text = await readText(path, isRequired);
  return { path, values: text === undefined ? new Map() : parseConfig(path, text, settings) };
}

/** @throws UsageError */
export function parseConfig(path: string, text: string, settings: Flags): ReadonlyMap<string, string> {
  const keys: ReadonlySet<string> = new Set(Object.keys(settings).filter((name) => name !== "config"));
  let document: unknown;
  try {
    document = Bun.YAML.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${path}: is not YAML (${reason})`, { cause });
  }
  if (document === null || document === undefined) return new Map();
  if (typeof document !== "object" || Array.isArray(document)) {
    throw new UsageError(`${path}: must be lines of 'flag: value' (upload-limit: 50)`);
  }
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(document)) {
    if (!keys.has(key)) throw new UsageError(`${path}: ${unknownKey(key, keys)}`);
    const flag = settings[key];
    values.set(key, valueText(`${path}: ${key}`, value, flag?.type === "string" ? flag.listOf : undefined));
  }
  const double = doubleKey(text, keys);
  if (double !== undefined) throw new UsageError(`${path}: ${double}: is there twice`);
  return values;
}

function unknownKey(key: string, keys: ReadonlySet<string>): string {
  if (key === "config") return "config: cannot be set in the configuration file itself";
  const near = nearest(key.replaceAll("_", "-"), keys);
  return `unknown key '${key}'${near === undefined ? "" : `; did you mean '${near}'?`}`;
}

function valueText(origin: string, value: unknown, listOf: string | undefined): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return String(value);
  const isTextList = Array.isArray(value) && value.every((item) => typeof item === "string");
  if (listOf !== undefined && isTextList) return value.join(",");
  if (value === null) throw new UsageError(`${origin}: has no value`);
  throw new UsageError(
    `${origin}: must be one value${listOf === undefined ? "" : ` or a list of ${listOf}`}`,
  );
}

/** The parser keeps the last of two equal keys and says nothing, so they are looked for in the text. */
function doubleKey(text: string, keys: ReadonlySet<string>): string | undefined {
  const withoutComments = text.replaceAll(/(^|\s)#.*$/gm, "$1");
  // A quoted text that is no key may look like one inside.
  const bare = withoutComments.replaceAll(
    /("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')(\s*:)?/g,
    (whole, _quoted, colon) => (colon === undefined ? '""' : whole),
  );
  const seen = new Set<string>();
  for (const [, , key = ""] of bare.matchAll(/(?:^[ \t]*|[{,]\s*)(["']?)([a-z-]+)\1\s*:(?=\s|$|["'[])/gm)) {
    if (keys.has(key) && seen.has(key)) return key;
    seen.add(key);
  }
  return undefined;
}

/**
 * What says that no configuration file is there for this user: also a home directory of another user, as services and
 * `sudo -u` leave it in HOME.
 */
const UNREACHABLE: ReadonlySet<string | undefined> = new Set([
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "EPERM",
  "ELOOP",
  "ENAMETOOLONG",
]);

/** Reads pipes as well (`--config <(…)`), and never more than the limit. */
async function readText(path: string, isRequired: boolean): Promise<string | undefined> {
  try {
    await using file = await open(path, "r");
    const bytes = new Uint8Array(MAX_CONFIG_LENGTH + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > MAX_CONFIG_LENGTH) {
      throw new UsageError(
        `${path}: is too long for a configuration file (at most ${MAX_CONFIG_LENGTH} bytes)`,
      );
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const code = systemErrorCode(cause);
    if (!isRequired && UNREACHABLE.has(code)) return undefined;
    throw new UsageError(`${path}: the configuration file cannot be read (${reasonOf(code)})`, { cause });
  }
}

function reasonOf(code: string | undefined): string {
  if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "it is not UTF-8";
  return errnoWords("config", code) ?? code ?? "unknown reason";
}
