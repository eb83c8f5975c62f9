// Imports go down only, the core is pure, files stay small: read from the source text, with proof that each rule bites.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { layerRules, MAX_FILE_LINES, problemsOf } from "./helpers/layer-rules.ts";

const root = join(import.meta.dir, "..");
const files = [...new Bun.Glob("{src,workers}/**/*.{ts,js,mjs,cjs,tsx,jsx}").scanSync(root)].sort();

describe("the source tree", () => {
  test("N6: keeps every rule", () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((path) => problemsOf(path, readFileSync(join(root, path), "utf8")))).toEqual([]);
  });

  test("has a rule for each folder, and a folder for each rule", () => {
    for (const home of Object.keys(layerRules)) {
      expect([home, files.some((path) => path.startsWith(home))]).toEqual([home, true]);
    }
  });
});

describe("the checker", () => {
  const offenders: [string, string, string][] = [
    ["an upward import", "src/core/x.ts", 'import { Dht } from "../discovery/dht.ts";'],
    ["an upward import from L2", "src/net/x.ts", 'import { Swarm } from "../session/swarm.ts";'],
    ["the session importing the CLI", "src/session/x.ts", 'import { run } from "../cli/run.ts";'],
    ["lib importing core", "src/lib/x.ts", 'import { Geometry } from "../core/geometry.ts";'],
    ["a sibling import", "src/wire/x.ts", 'import { TcpConnection } from "../net/tcp-connection.ts";'],
    ["a leaked type", "src/storage/x.ts", 'import type { HashReply } from "../hashing/messages.ts";'],
    ["an import over several lines", "src/core/x.ts", 'import {\n  a,\n  b,\n} from "../net/x.ts";'],
    ["a re-export", "src/core/x.ts", 'export * from "../wire/peer-wire.ts";'],
    ["a side effect import", "src/core/x.ts", 'import "../wire/peer-wire.ts";'],
    ["a dynamic import", "src/core/x.ts", 'const later = await import("../wire/peer-wire.ts");'],
    ["a type by import()", "src/core/x.ts", 'let wire: import("../wire/peer-wire.ts").PeerWire;'],
    ["a computed import", "src/cli/x.ts", "await import(name);"],
    ["a URL to another layer", "src/core/x.ts", 'new URL("../../workers/hash-worker.ts", import.meta.url);'],
    ["require", "src/core/x.ts", 'const net = require("../net/x.ts");'],
    [
      "a worker importing the core",
      "workers/x.ts",
      'import { MAX_PIECE_COUNT } from "../src/core/limits.ts";',
    ],
    [
      "a worker importing more of hashing",
      "workers/x.ts",
      'import { HashPool } from "../src/hashing/hash-pool.ts";',
    ],
    [
      "source importing a test helper",
      "src/cli/x.ts",
      'import { child } from "../../test/helpers/child.ts";',
    ],
    ["a package in another folder", "src/session/x.ts", 'import Wire from "bittorrent-protocol";'],
    ["consola outside of the CLI", "src/session/x.ts", 'import { createConsola } from "consola/core";'],
    ["bencode outside of the core", "src/wire/x.ts", 'import bencode from "bencode";'],
    ["a package nobody listed", "src/cli/x.ts", 'import chalk from "chalk";'],
    ["a package with a scope", "src/cli/x.ts", 'import x from "@citty/x";'],
    ["SQLite outside of storage", "src/session/x.ts", 'import { Database } from "bun:sqlite";'],
    ["files in the session", "src/session/x.ts", 'import { readFile } from "node:fs/promises";'],
    ["a node module in the core", "src/core/x.ts", 'import { join } from "node:path";'],
    ["bun in the core", "src/core/x.ts", 'import { file } from "bun";'],
    ["new Worker elsewhere", "src/hashing/x.ts", "const worker = new Worker(address);"],
    ["a computed worker address elsewhere", "src/cli/x.ts", "new URL(address, import.meta.url)"],
    ["Date.now in the core", "src/core/x.ts", "const now = Date.now();"],
    ["new Date in the core", "src/core/x.ts", "const now = +new Date();"],
    ["performance.now in the core", "src/core/x.ts", "const now = performance.now();"],
    ["Math.random in the core", "src/core/x.ts", "const dice = Math.random();"],
    ["Math.random as a default", "src/core/x.ts", "constructor(random = Math.random) {}"],
    ["a clock inside a template", "src/core/x.ts", "const text = `${Date.now()}`;"],
    ["crypto in the core", "src/core/x.ts", "crypto.getRandomValues(bytes);"],
    ["a timer in the core", "src/core/x.ts", "setTimeout(() => {}, 10);"],
    ["Bun in the core", "src/core/x.ts", "Bun.SHA1.hash(bytes);"],
    ["Bun in another file of lib", "src/lib/x.ts", "Bun.SHA1.hash(bytes);"],
    ["a clock in lib/sha1.ts", "src/lib/sha1.ts", "Date.now();"],
    ["process in the core", "src/core/x.ts", "process.env.HOME"],
    ["console in the core", "src/core/x.ts", 'console.log("x");'],
    ["globalThis in the core", "src/core/x.ts", 'globalThis["Date"]'],
    ["a folder without a rule", "src/helpers/x.ts", ""],
    ["a file beside the folders", "src/x.ts", ""],
    ["a long file", "src/cli/x.ts", "\n".repeat(MAX_FILE_LINES + 1)],
    ["a long declaration file", "src/types/x.d.ts", "\n".repeat(MAX_FILE_LINES + 1)],
  ];
  test.each(offenders)("catches %s", (_, path, text) => {
    expect(problemsOf(path, text)).toHaveLength(1);
  });

  const honest: [string, string, string][] = [
    ["imports within a folder", "src/cli/commands/x.ts", 'import { run } from "../run.ts";'],
    ["imports of lower layers", "src/session/x.ts", 'import { PeerWire } from "../wire/peer-wire.ts";'],
    ["the core's own package", "src/core/x.ts", 'import bencode from "bencode";'],
    [
      "the message contract in a worker",
      "workers/x.ts",
      'import type { HashReply } from "../src/hashing/messages.ts";',
    ],
    ["the door to workers", "src/hashing/spawn.ts", "new Worker(new URL(address, import.meta.url).href);"],
    ["the platform's SHA-1", "src/lib/sha1.ts", "Bun.SHA1.hash(bytes, digest);"],
    [
      "forbidden words in comments",
      "src/core/x.ts",
      '// no Date.now\n/* import x from "../net/x.ts";\n Math.random */',
    ],
    ["forbidden words in strings", "src/core/x.ts", 'const text = "Date.now() // setTimeout";'],
    [
      "a comment sign inside a string",
      "src/cli/x.ts",
      'const url = "http://x"; import type { A } from "./a.ts";',
    ],
    ["harmless words", "src/core/x.ts", "let processed = 0; let processing: Update; candidate.process;"],
    ["a file of the longest size", "src/cli/x.ts", "\n".repeat(MAX_FILE_LINES)],
  ];
  test.each(honest)("lets pass %s", (_, path, text) => {
    expect(problemsOf(path, text)).toEqual([]);
  });
});
