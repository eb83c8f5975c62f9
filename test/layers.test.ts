// Imports go down only, the core is pure, files stay small: read from the source text, with proof that each rule bites.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { importCircles } from "./helpers/import-circles.ts";
import { homeOf, importsOf, layerRules, MAX_FILE_LINES, problemsOf } from "./helpers/layer-rules.ts";

const root = join(import.meta.dir, "..");
const files = [...new Bun.Glob("{src,workers}/**/*.{ts,js,mjs,cjs,tsx,jsx}").scanSync(root)].sort();

describe("the source tree", () => {
  test("N6: keeps every rule", () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((path) => problemsOf(path, readFileSync(join(root, path), "utf8")))).toEqual([]);
  });

  test("has a rule for each folder, and a folder for each rule", () => {
    for (const home of Object.keys(layerRules)) {
      expect([home, files.some((path) => homeOf(path) === home)]).toEqual([home, true]);
    }
  });

  test("has no circle of imports, types included, nor have the benchmarks", () => {
    const all = [...files, ...new Bun.Glob("bench/**/*.ts").scanSync(root)];
    const imports = new Map(
      all.map((path) => [path, importsOf(path, readFileSync(join(root, path), "utf8"))] as const),
    );
    expect(imports.get("src/main.ts")).toContain("src/cli/host.ts");
    expect(importCircles(imports)).toEqual([]);
  });
});

describe("the search for circles", () => {
  const circlesOf = (imports: Readonly<Record<string, readonly string[]>>) =>
    importCircles(new Map(Object.entries(imports)));

  test("finds none where every import goes down", () => {
    expect(circlesOf({ a: ["b", "c"], b: ["d"], c: ["d"], d: ["elsewhere"] })).toEqual([]);
  });

  test("finds each circle with all of its files", () => {
    expect(circlesOf({ a: ["b"], b: ["c", "d"], c: ["a"], d: ["e"], e: ["d"], f: ["a"] })).toEqual([
      ["d", "e"],
      ["a", "b", "c"],
    ]);
  });

  test("finds a file that imports itself", () => {
    expect(circlesOf({ a: ["a"] })).toEqual([["a"]]);
  });

  test("reads imports of types", () => {
    expect(importsOf("src/a/x.ts", 'import type { Y } from "../b/y.ts";')).toEqual(["src/b/y.ts"]);
  });
});

describe("the checker", () => {
  const offenders: [string, string, string][] = [
    ["an upward import", "src/core/transfer/x.ts", 'import { Dht } from "../../discovery/dht.ts";'],
    ["an upward import from L2", "src/net/x.ts", 'import { Swarm } from "../session/swarm.ts";'],
    ["the session importing the CLI", "src/session/peer/x.ts", 'import { run } from "../../cli/run.ts";'],
    ["lib importing core", "src/lib/x.ts", 'import { Geometry } from "../core/torrent/geometry.ts";'],
    [
      "a room that knows the one above",
      "src/core/picker/x.ts",
      'import { T } from "../transfer/transfer.ts";',
    ],
    ["a type of the room above", "src/core/format/x.ts", 'import type { T } from "../swarm/peer-book.ts";'],
    [
      "a room of the session that knows another",
      "src/session/file/x.ts",
      'import { Swarm } from "../network/swarm.ts";',
    ],
    ["a sibling import", "src/wire/x.ts", 'import { TcpConnection } from "../net/tcp-connection.ts";'],
    ["a leaked type", "src/storage/x.ts", 'import type { HashReply } from "../hashing/messages.ts";'],
    [
      "an import over several lines",
      "src/core/transfer/x.ts",
      'import {\n  a,\n  b,\n} from "../../net/x.ts";',
    ],
    ["a re-export", "src/core/transfer/x.ts", 'export * from "../../wire/peer-wire.ts";'],
    ["a side effect import", "src/core/transfer/x.ts", 'import "../../wire/peer-wire.ts";'],
    ["a dynamic import", "src/core/transfer/x.ts", 'const later = await import("../../wire/peer-wire.ts");'],
    ["a type by import()", "src/core/transfer/x.ts", 'let wire: import("../../wire/peer-wire.ts").PeerWire;'],
    ["a computed import", "src/cli/x.ts", "await import(name);"],
    [
      "a URL to another layer",
      "src/core/transfer/x.ts",
      'new URL("../../../workers/hash-worker.ts", import.meta.url);',
    ],
    ["require", "src/core/transfer/x.ts", 'const net = require("../../net/x.ts");'],
    [
      "a worker importing the core",
      "workers/x.ts",
      'import { MAX_PIECE_COUNT } from "../src/core/torrent/limits.ts";',
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
    ["a package in another folder", "src/session/peer/x.ts", 'import Wire from "bittorrent-protocol";'],
    ["consola outside of the CLI", "src/session/peer/x.ts", 'import { createConsola } from "consola/core";'],
    ["bencode in another room", "src/wire/x.ts", 'import bencode from "bencode";'],
    ["a package that is not listed", "src/cli/x.ts", 'import chalk from "chalk";'],
    ["a package with a scope", "src/cli/x.ts", 'import x from "@citty/x";'],
    ["SQLite outside of storage", "src/session/peer/x.ts", 'import { Database } from "bun:sqlite";'],
    ["files in the session", "src/session/peer/x.ts", 'import { readFile } from "node:fs/promises";'],
    ["a node module in the core", "src/core/transfer/x.ts", 'import { join } from "node:path";'],
    ["bun in the core", "src/core/transfer/x.ts", 'import { file } from "bun";'],
    ["new Worker elsewhere", "src/hashing/x.ts", "const worker = new Worker(address);"],
    ["the name of the C library elsewhere", "workers/x.ts", 'const library = dlopen("libc.so.6", symbols);'],
    ["the name of musl's C library elsewhere", "src/storage/x.ts", 'dlopen("libc.musl-x86_64.so.1", {});'],
    ["a computed worker address elsewhere", "src/cli/x.ts", "new URL(address, import.meta.url)"],
    ["Date.now in the core", "src/core/transfer/x.ts", "const now = Date.now();"],
    ["new Date in the core", "src/core/transfer/x.ts", "const now = +new Date();"],
    ["performance.now in the core", "src/core/transfer/x.ts", "const now = performance.now();"],
    ["Math.random in the core", "src/core/transfer/x.ts", "const dice = Math.random();"],
    ["Math.random as a default", "src/core/transfer/x.ts", "constructor(random = Math.random) {}"],
    ["a clock inside a template", "src/core/transfer/x.ts", "const text = `${Date.now()}`;"],
    ["crypto in the core", "src/core/transfer/x.ts", "crypto.getRandomValues(bytes);"],
    ["a timer in the core", "src/core/transfer/x.ts", "setTimeout(() => {}, 10);"],
    ["a task in the core", "src/core/transfer/x.ts", "queueMicrotask(() => {});"],
    ["a monotonic clock in discovery", "src/discovery/x.ts", "const now = performance.now();"],
    ["a timer in discovery", "src/discovery/x.ts", "setTimeout(() => {}, 10);"],
    ["random bytes in discovery", "src/discovery/x.ts", "crypto.getRandomValues(bytes);"],
    ["the time of day in storage", "src/storage/x.ts", "const name = `x-${Date.now()}`;"],
    ["a new Date in storage", "src/storage/x.ts", "const now = new Date();"],
    ["a random name in storage", "src/storage/x.ts", "const name = crypto.randomUUID();"],
    ["chance in the wire", "src/wire/x.ts", "const dice = Math.random();"],
    ["a clock in net", "src/net/x.ts", "const now = Bun.nanoseconds();"],
    ["a clock in hashing", "src/hashing/x.ts", "const now = process.hrtime();"],
    ["a clock in a worker", "workers/x.ts", "const now = performance.now();"],
    ["a clock elsewhere in the session", "src/session/peer/x.ts", "const now = performance.now();"],
    ["chance elsewhere in the session", "src/session/node.ts", "constructor(random = Math.random) {}"],
    ["a clock elsewhere in the command line", "src/cli/x.ts", "const now = Date.now();"],
    ["Bun in the core", "src/core/transfer/x.ts", "Bun.SHA1.hash(bytes);"],
    ["Bun in another file of lib", "src/lib/x.ts", "Bun.SHA1.hash(bytes);"],
    ["a clock in lib/sha1.ts", "src/lib/sha1.ts", "Date.now();"],
    ["process in the core", "src/core/transfer/x.ts", "process.env.HOME"],
    ["console in the core", "src/core/transfer/x.ts", 'console.log("x");'],
    ["globalThis in the core", "src/core/transfer/x.ts", 'globalThis["Date"]'],
    ["a folder without a rule", "src/helpers/x.ts", ""],
    ["a file beside the folders", "src/x.ts", ""],
    ["a long file", "src/cli/x.ts", "\n".repeat(MAX_FILE_LINES + 1)],
    ["a long declaration file", "src/types/x.d.ts", "\n".repeat(MAX_FILE_LINES + 1)],
  ];
  test.each(offenders)("catches %s", (_, path, text) => {
    expect(problemsOf(path, text)).toHaveLength(1);
  });

  const allowed: [string, string, string][] = [
    ["imports within a folder", "src/cli/commands/x.ts", 'import { run } from "../run.ts";'],
    [
      "imports of lower layers",
      "src/session/peer/x.ts",
      'import { PeerWire } from "../../wire/peer-wire.ts";',
    ],
    ["the package of a room", "src/core/format/x.ts", 'import bencode from "bencode";'],
    [
      "the message contract in a worker",
      "workers/x.ts",
      'import type { HashReply } from "../src/hashing/messages.ts";',
    ],
    ["the door to workers", "src/hashing/spawn.ts", "new Worker(new URL(address, import.meta.url).href);"],
    ["the door of time and chance", "src/session/clock.ts", "performance.now() + Math.random();"],
    ["a time that is given", "src/cli/x.ts", "new Date(now()).toISOString();"],
    ["a timer in the session", "src/session/network/x.ts", "setInterval(() => {}, 10);"],
    ["the platform's SHA-1", "src/lib/sha1.ts", "Bun.SHA1.hash(bytes, digest);"],
    [
      "forbidden words in comments",
      "src/core/transfer/x.ts",
      '// no Date.now\n/* import x from "../net/x.ts";\n Math.random */',
    ],
    ["forbidden words in strings", "src/core/transfer/x.ts", 'const text = "Date.now() // setTimeout";'],
    [
      "a comment sign inside a string",
      "src/cli/x.ts",
      'const url = "http://x"; import type { A } from "./a.ts";',
    ],
    [
      "harmless words",
      "src/core/transfer/x.ts",
      "let processed = 0; let processing: Update; candidate.process;",
    ],
    ["a file of the longest size", "src/cli/x.ts", "\n".repeat(MAX_FILE_LINES)],
  ];
  test.each(allowed)("allows %s", (_, path, text) => {
    expect(problemsOf(path, text)).toEqual([]);
  });
});
