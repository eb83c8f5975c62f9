// The configuration file, as a user or a broken tool leaves it: its keys and values, or one sentence about what is wrong.
import { settingsOf } from "../../../src/cli/command-table.ts";
import { allCommands } from "../../../src/cli/commands/all-commands.ts";
import { parseConfig } from "../../../src/cli/settings/config-file.ts";
import { LayeredValues } from "../../../src/cli/settings/layered-values.ts";
import { MAX_CONFIG_LENGTH } from "../../../src/cli/limits.ts";
import { UsageError } from "../../../src/lib/errors.ts";
import { concatBytes } from "../../../src/lib/bytes.ts";
import { defineTarget, promise, type Series } from "../engine/target.ts";
import { valueKinds } from "./value-kinds.ts";

type Parse = (path: string, text: string) => ReadonlyMap<string, string>;

const PATH = "/home/user/.p2pfile.yaml";
const settings = settingsOf(allCommands);
const keys = new Set(Object.keys(settings).filter((name) => name !== "config"));
const parse: Parse = (path, text) => parseConfig(path, text, settings);

function check(parse: Parse, input: Uint8Array): string {
  const text = new TextDecoder().decode(input.subarray(0, MAX_CONFIG_LENGTH));
  let values: ReadonlyMap<string, string>;
  try {
    values = parse(PATH, text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    promise(error.message.startsWith(`${PATH}: `), "an error names the file");
    return `bad: ${error.message.slice(PATH.length, PATH.length + 30).replaceAll(/\d+/g, "")}`;
  }
  for (const [key, value] of values) {
    promise(keys.has(key), `the key ${key} is none`);
    promise(typeof value === "string", `the value of ${key} is a text`);
  }
  promise(!isPlainlyDouble(text), "a key that is there twice is refused");
  const layered = new LayeredValues({
    flags: {},
    given: new Set(),
    variables: {},
    config: { path: PATH, values },
  });
  const readable = [...values.keys()].map((key) => `${key} ${isReadable(layered, key)}`);
  return `good: ${readable.sort().join()}`;
}

function isReadable(layered: LayeredValues, key: string): boolean {
  for (const kind of valueKinds) {
    try {
      layered.optional(key, kind);
      return true;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      promise(error.message.startsWith(`${PATH}: ${key}: `), "an error names the key");
    }
  }
  return false;
}

/** True for plain lines of which two have the same key. */
function isPlainlyDouble(text: string): boolean {
  const lines = text.split("\n");
  if (!lines.every((line) => /^[a-z-]+: [a-z0-9.]+$/.test(line) || line === "")) return false;
  const names = lines.filter((line) => line !== "").map((line) => line.slice(0, line.indexOf(":")));
  return new Set(names).size < names.length;
}

const lines: Series = {
  split: (input) =>
    Buffer.from(input)
      .toString("latin1")
      .split("\n")
      .map((line) => Buffer.from(line, "latin1")),
  join: (parts) =>
    concatBytes(parts.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from("\n"), part]))),
};

export const configFileTarget = defineTarget({
  name: "config-file",
  runs: 6_000,
  maxLength: MAX_CONFIG_LENGTH,
  tokens: [
    "port: 1\n",
    "upload-limit: 0.5\n",
    "peers: [10.0.0.1:1]\n",
    "peers:\n  - 10.0.0.1:1\n",
    "seeding: yes\n",
    "config: x\n",
    "__proto__: 1\n",
    "# ",
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "|\n  ",
    ">-\n ",
    "? ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "\\",
    "---\n",
    "...\n",
    "\t",
    "\r\n",
    "\xc2\x85",
    "\xef\xbb\xbf",
    "~",
    "null",
    ".inf",
    "0x10",
    "%YAML 1.2\n",
  ],
  numbers: [65535, MAX_CONFIG_LENGTH],
  series: lines,
  subject: parse,
  check,
  accepts: (input) => parse(PATH, new TextDecoder().decode(input)) instanceof Map,
  planted: {
    "an anchor throws something else": (path, text) => {
      if (/&a\s/.test(text) && /\*a/.test(text)) throw new TypeError("alias");
      return parse(path, text);
    },
    "the last of two equal keys wins": (path, text) => {
      try {
        return parse(path, text);
      } catch (error) {
        if (error instanceof UsageError && error.message.endsWith("is there twice")) return new Map();
        throw error;
      }
    },
    "an unknown key is taken": (path, text) => {
      const values = parse(path, text);
      return values.has("port") ? new Map([...values, ["prot", "1"]]) : values;
    },
  },
});
