// The rules of layers and rooms as data, and a checker that reads a source file as text: type imports and import() count too,
// and Bun.Transpiler.scanImports would skip them.
import { posix } from "node:path";

interface LayerRule {
  /** Paths besides its own folder that a file may import: a folder ends with "/". */
  readonly uses: readonly string[];
  readonly packages?: readonly string[];
  /** node: and bun: modules. */
  readonly builtins?: readonly string[];
  /** No clock, no chance, no timer, no platform: time and randomness come in as parameters. */
  readonly pure?: boolean;
  /** Timers come in with the clock, so that a test can turn it by hand. */
  readonly noTimer?: boolean;
}

const torrent = "src/core/torrent/";
const format = "src/core/format/";
const lib = "src/lib/";
const core = ["src/core/", lib];
/** Files that every room of the session may use. */
const sessionGround = [
  "src/session/clock.ts",
  "src/session/context.ts",
  "src/session/limits.ts",
  "src/session/options.ts",
  "src/session/outcome.ts",
  "src/session/report/",
];

/** What every room of the command line may use: the contract of a command, the world around it, and how words are refused. */
const cliGround = [
  "src/cli/command.ts",
  "src/cli/command-table.ts",
  "src/cli/environment.ts",
  "src/cli/limits.ts",
  "src/cli/nearest.ts",
  "src/cli/report-error.ts",
];

/** A file belongs to the longest key that its path starts with. */
export const layerRules: Readonly<Record<string, LayerRule>> = {
  // L0
  "src/lib/": { uses: ["package.json"], pure: true },
  // L1: rooms of the core
  "src/core/torrent/": { uses: [lib], pure: true },
  "src/core/format/": { uses: [torrent, lib], packages: ["bencode"], pure: true },
  "src/core/rate/": { uses: [torrent, lib], pure: true },
  "src/core/picker/": { uses: [torrent, lib], pure: true },
  "src/core/transfer/": { uses: [torrent, "src/core/rate/", "src/core/picker/", lib], pure: true },
  "src/core/swarm/": { uses: [torrent, format, lib], pure: true },
  "src/core/exchange/": { uses: [torrent, format, lib], pure: true },
  // L2: one outside thing each; siblings do not know one another
  "src/wire/": {
    uses: [torrent, format, "src/core/transfer/limits.ts", lib],
    packages: ["bittorrent-protocol", "ut_metadata"],
  },
  // bun:ffi for a socket option; node:net for a connect that can be given up.
  "src/net/": { uses: [torrent, format, lib], builtins: ["bun:ffi", "node:net"] },
  "src/discovery/": {
    uses: [torrent, format, "src/core/swarm/", "src/core/exchange/", lib],
    packages: ["bittorrent-dht"],
    // node:fs for the kernel's routing table under /proc.
    builtins: ["node:dgram", "node:events", "node:fs", "node:os"],
    noTimer: true,
  },
  "src/storage/": {
    uses: [torrent, lib],
    builtins: ["bun:sqlite", "bun:ffi", "node:fs", "node:fs/promises", "node:path", "node:util"],
  },
  "src/hashing/": { uses: [lib, "workers/hash-worker.ts"], builtins: ["node:os"] },
  // L3: rooms of the session
  "src/session/report/": { uses: [...core, "src/session/clock.ts"] },
  "src/session/peer/": { uses: [...core, ...sessionGround, "src/wire/", "src/net/"] },
  "src/session/exchange/": { uses: [...core, ...sessionGround, "src/session/peer/"] },
  "src/session/file/": {
    uses: [...core, ...sessionGround, "src/storage/", "src/hashing/"],
  },
  "src/session/network/": {
    uses: [
      ...core,
      ...sessionGround,
      "src/session/peer/",
      "src/session/exchange/",
      "src/session/file/",
      "src/net/",
      "src/discovery/",
    ],
  },
  // What all torrents of a session share, and what a session is given.
  "src/session/": {
    uses: [...core, "src/session/network/", "src/session/report/", "src/hashing/", "src/storage/"],
    builtins: ["node:os"],
  },
  "src/session/serve/": {
    uses: [
      ...core,
      ...sessionGround,
      "src/session/resources.ts",
      "src/session/file/",
      "src/session/network/",
      "src/discovery/",
      "src/storage/",
    ],
  },
  "src/session/download/": {
    uses: [
      ...core,
      ...sessionGround,
      "src/session/resources.ts",
      "src/session/torrent-source.ts",
      "src/session/file/",
      "src/session/network/",
      "src/storage/",
    ],
    builtins: ["node:path"],
  },
  // L4: rooms of the command line
  ...Object.fromEntries(
    cliGround.map((path) => [path, { uses: [...core, ...cliGround, "src/session/context.ts"] }]),
  ),
  "src/cli/values/": { uses: [...core, "src/cli/limits.ts"] },
  "src/cli/settings/": {
    uses: [...core, ...cliGround, "src/cli/values/", "src/session/context.ts", "src/session/options.ts"],
    builtins: ["node:fs/promises", "node:path"],
  },
  "src/cli/screen/": { uses: [...core, ...cliGround, "src/session/report/"], packages: ["consola"] },
  "src/cli/completion/": { uses: [lib, "src/cli/command.ts"] },
  // The process, and the way from words to a command: knows no single one.
  "src/cli/": {
    uses: [
      ...core,
      ...cliGround,
      "src/session/context.ts",
      "src/session/report/",
      "src/cli/settings/",
      "src/cli/screen/",
      "src/cli/values/",
    ],
    packages: ["citty"],
    builtins: ["node:fs", "node:os"],
  },
  "src/cli/commands/": { uses: ["src/cli/", lib, "src/session/options.ts"] },
  // Hands commands and sessions to the command line.
  "src/main.ts": { uses: ["src/cli/", "src/session/", lib] },
  "workers/": { uses: ["src/hashing/messages.ts", lib], builtins: ["bun:ffi", "node:fs"] },
};

/** APIs that only one file may use, whatever its layer allows. */
const oneDoor: readonly { readonly what: string; readonly pattern: RegExp; readonly door: string }[] = [
  { what: "new Worker", pattern: /\bnew\s+Worker\b/, door: "src/hashing/spawn.ts" },
  {
    what: "a computed new URL(…, import.meta.url)",
    pattern: /\bnew\s+URL\s*\(\s*[^"'\s)][^)]*import\.meta\.url/,
    door: "src/hashing/spawn.ts",
  },
  { what: "the name of a C library", pattern: /\blibc\.(?:so|musl)/, door: "src/lib/c-library.ts" },
  { what: "a computed import", pattern: /\bimport\s*\(\s*[^"'\s]/, door: "" },
];

/** Time and chance have one door in the session, and the command line another for the times in its output. */
const timeAndChance: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  {
    what: "a clock",
    pattern: /\bDate\.now\b|\bDate\s*\(\s*\)|\bperformance\b|\bTemporal\b|\bhrtime\b|\bnanoseconds\b/,
  },
  { what: "chance", pattern: /\bMath\.random\b|\bcrypto\b|\brandomUUIDv7\b/ },
];
const clockDoors: ReadonlySet<string> = new Set(["src/session/clock.ts", "src/cli/host.ts"]);
const timer = { what: "a timer", pattern: /\b(?:setTimeout|setInterval)\b/ };

const impure: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: "a clock", pattern: /\bDate\b|\bperformance\b|\bTemporal\b|\bhrtime\b/ },
  { what: "chance", pattern: /\bMath\.random\b|\bcrypto\b/ },
  timer,
  { what: "a task", pattern: /\b(?:setImmediate|queueMicrotask)\b/ },
  { what: "Bun", pattern: /\bBun\b/ },
  { what: "process", pattern: /\bprocess\s*[.[]/ },
  { what: "a global", pattern: /\b(?:globalThis|console|fetch|Worker|WebSocket)\b(?!\s*:)/ },
];
/** The single use of Bun in a pure layer: the platform's SHA-1. */
const pureExceptions: Readonly<Record<string, string>> = { "src/lib/sha1.ts": "Bun" };

export const MAX_FILE_LINES = 300;

/** @returns one line for each rule that the file breaks. `path` is relative to the root of the repository. */
export function problemsOf(path: string, text: string): string[] {
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  const problems = lines > MAX_FILE_LINES ? [`${path}: ${lines} lines, more than ${MAX_FILE_LINES}`] : [];
  // Ambient declarations of untyped packages belong to no layer.
  if (path.startsWith("src/types/")) return problems;
  const home = homeOf(path);
  const rule = home === undefined ? undefined : layerRules[home];
  if (home === undefined || rule === undefined) return [...problems, `${path}: belongs to no layer`];

  const code = withoutComments(text);
  for (const specifier of specifiersIn(code)) {
    if (!mayImport(path, home, rule, specifier)) problems.push(`${path}: imports ${specifier}`);
  }
  const bare = withoutStrings(code);
  for (const { what, pattern, door } of oneDoor) {
    if (path !== door && pattern.test(code)) problems.push(`${path}: ${what}`);
  }
  for (const { what, pattern } of rule.pure === true ? impure : []) {
    if (pureExceptions[path] !== what && pattern.test(bare))
      problems.push(`${path}: ${what} in a pure layer`);
  }
  for (const { what, pattern } of rule.pure === true || clockDoors.has(path) ? [] : timeAndChance) {
    if (pattern.test(bare)) problems.push(`${path}: ${what} of its own`);
  }
  if (rule.noTimer === true && timer.pattern.test(bare)) problems.push(`${path}: ${timer.what} of its own`);
  return problems;
}

/** The rule's key for a path; a room with a row of its own is no part of the folder around it. */
export function homeOf(path: string): string | undefined {
  return Object.keys(layerRules)
    .filter((key) => path === key || (key.endsWith("/") && path.startsWith(key)))
    .toSorted((a, b) => b.length - a.length)[0];
}

function mayImport(path: string, home: string, rule: LayerRule, specifier: string): boolean {
  if (/^(?:node|bun):|^bun$/.test(specifier)) return rule.builtins?.includes(specifier) === true;
  if (!specifier.startsWith(".")) {
    const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1);
    return rule.packages?.includes(name.join("/")) === true;
  }
  const target = posix.join(posix.dirname(path), specifier);
  if (homeOf(target) === home) return true;
  return rule.uses.some((use) => target === use || (use.endsWith("/") && target.startsWith(use)));
}

/** Paths, relative to the root, of the project's own files that this one names in its imports, types included. */
export function importsOf(path: string, text: string): string[] {
  return specifiersIn(withoutComments(text))
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.join(posix.dirname(path), specifier));
}

/** Every module named in an import or export, static or dynamic, for values or types, or reached by new URL. */
function specifiersIn(code: string): string[] {
  const forms = [
    /\b(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']/g,
    /\bimport\s*["']([^"']+)["']/g,
    /\b(?:import|require|import\.meta\.resolve)\s*\(\s*["']([^"']+)["']/g,
    /\bnew\s+URL\s*\(\s*["']([^"']+)["']\s*,\s*import\.meta/g,
  ];
  return [...new Set(forms.flatMap((form) => Array.from(code.matchAll(form), (match) => match[1] ?? "")))];
}

/** Strings are matched only so that a "//" inside of one is not taken for a comment. */
function withoutComments(text: string): string {
  const tokens = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replaceAll(tokens, (_, quoted: string | undefined) => quoted ?? " ");
}

function withoutStrings(code: string): string {
  return code.replaceAll(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, '""');
}
