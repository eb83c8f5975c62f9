// The configuration file: what it may contain, and how everything else is refused.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settingsOf } from "../../src/cli/command-table.ts";
import { allCommands } from "../../src/cli/commands/all-commands.ts";
import { parseConfig } from "../../src/cli/settings/config-file.ts";
import { runCaptured } from "./fake-environment.ts";

const settings = settingsOf(allCommands);

const good: readonly (readonly [yaml: string, values: Record<string, string>])[] = [
  ["", {}],
  ["# nothing but a comment\n", {}],
  ["---\nport: 5\n...\n", { port: "5" }],
  ["port: 5 # port: 6\n", { port: "5" }],
  ["upload-limit: 0.5\nseeding: true\n", { "upload-limit": "0.5", seeding: "true" }],
  ["seeding-ratio: 150%\n", { "seeding-ratio": "150%" }],
  ['{"port": 5, "dir": "/a"}', { port: "5", dir: "/a" }],
  ["peers: 10.0.0.1:1,10.0.0.2:2\n", { peers: "10.0.0.1:1,10.0.0.2:2" }],
  ["peers:\n  - 10.0.0.1:1\n  - 10.0.0.2:2\n", { peers: "10.0.0.1:1,10.0.0.2:2" }],
  ["peers: []\n", { peers: "" }],
  ['dir: "a, port: b"\nport: 1\n', { dir: "a, port: b", port: "1" }],
  ["dir: /srv/port:80\nport: 1\n", { dir: "/srv/port:80", port: "1" }],
];

const bad: readonly (readonly [yaml: string, message: string])[] = [
  ["uplod-limit: 5\n", "unknown key 'uplod-limit'; did you mean 'upload-limit'?"],
  ["upload_limit: 5\n", "unknown key 'upload_limit'; did you mean 'upload-limit'?"],
  ["colour: 5\n", "unknown key 'colour'"],
  ["__proto__: 5\n", "unknown key '__proto__'"],
  ["config: x\n", "config: cannot be set in the configuration file itself"],
  ["port: 5\nport: 6\n", "port: is there twice"],
  ['port: 5\n"port": 6\n', "port: is there twice"],
  ["{port: 5, dir: x, port: 6}", "port: is there twice"],
  ['{"port": 5, "port": 6}', "port: is there twice"],
  ["port:\n", "port: has no value"],
  ["port: [1, 2]\n", "port: must be one value"],
  ["port:\n  a: b\n", "port: must be one value"],
  ["peers: [1, 2]\n", "peers: must be one value or a list of addresses"],
  ["just text\n", "must be lines of 'flag: value' (upload-limit: 50)"],
  ["- port\n", "must be lines of 'flag: value' (upload-limit: 50)"],
  ["port: 1\n---\nport: 2\n", "must be lines of 'flag: value' (upload-limit: 50)"],
];

describe("The configuration file", () => {
  for (const [yaml, values] of good) {
    test(`takes ${JSON.stringify(yaml)}`, () => {
      expect(Object.fromEntries(parseConfig("c", yaml, settings))).toEqual(values);
    });
  }
  for (const [yaml, message] of bad) {
    test(`refuses ${JSON.stringify(yaml)}`, () => {
      expect(() => parseConfig("c", yaml, settings)).toThrow(new RegExp(`^c: ${RegExp.escape(message)}$`));
    });
  }

  test("refuses what is not YAML with the parser's reason on one line", () => {
    expect(() => parseConfig("c", "port: [1\n", settings)).toThrow(/^c: is not YAML \(.+\)$/);
  });
});

describe("Reading the configuration file", () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "p2pfile-config-"));
    mkdirSync(join(directory, "sub"));
    writeFileSync(join(directory, "long.yaml"), "#".repeat(70_000));
    writeFileSync(join(directory, "latin.yaml"), new Uint8Array([0x64, 0x69, 0x72, 0x3a, 0x20, 0xe9]));
    writeFileSync(join(directory, "both.yaml"), "seeding-time: nonsense\nport: 5\n");
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const cases: readonly (readonly [file: string, message: string])[] = [
    ["none.yaml", "the configuration file cannot be read (there is no such file)"],
    ["sub", "the configuration file cannot be read (it is a directory)"],
    ["long.yaml", "is too long for a configuration file (at most 65536 bytes)"],
    ["latin.yaml", "the configuration file cannot be read (it is not UTF-8)"],
  ];
  for (const [file, message] of cases) {
    test(`${file} is refused`, async () => {
      const path = join(directory, file);
      const result = await runCaptured(["serve", "x", "--config", path]);
      expect(result.stderr).toBe(`p2pfile: ${path}: ${message}\n`);
      expect(result.exitCode).toBe(2);
    });
  }

  for (const [file, message] of cases) {
    test(`${file} is refused when P2PFILE_CONFIG names it`, async () => {
      const path = join(directory, file);
      const result = await runCaptured(["serve", "x"], { variables: { P2PFILE_CONFIG: path } });
      expect(result.stderr).toBe(`p2pfile: ${path}: ${message}\n`);
      expect(result.exitCode).toBe(2);
      expect(result.served).toBeUndefined();
    });
  }

  test("a named file is read although $HOME has one or is not set", async () => {
    const variables = { P2PFILE_CONFIG: "both.yaml" };
    const result = await runCaptured(["serve", "x"], {
      variables,
      home: undefined,
      workingDirectory: directory,
    });
    expect(result.served?.port).toBe(5);
  });

  test("an empty P2PFILE_CONFIG names no file, an empty --config is refused", async () => {
    const variables = { P2PFILE_CONFIG: "" };
    expect((await runCaptured(["serve", "x"], { variables, workingDirectory: directory })).exitCode).toBe(0);
    const result = await runCaptured(["serve", "x", "--config", ""], {
      variables: { P2PFILE_CONFIG: join(directory, "both.yaml") },
    });
    expect(result.stderr).toBe("p2pfile: --config: '' is not a file\n");
    expect(result.exitCode).toBe(2);
  });

  test("a file of $HOME that is there but cannot be read is refused", async () => {
    const home = join(directory, "home");
    mkdirSync(join(home, ".p2pfile.yaml"), { recursive: true });
    const result = await runCaptured(["serve", "x"], { home });
    expect(result.stderr).toContain("the configuration file cannot be read (it is a directory)");
    expect(result.exitCode).toBe(2);
  });

  test("an empty $HOME is none: the working directory is not searched", async () => {
    writeFileSync(join(directory, ".p2pfile.yaml"), "port: nonsense\n");
    const before = process.cwd();
    process.chdir(directory);
    try {
      const result = await runCaptured(["serve", "x"], { home: "", workingDirectory: directory });
      expect(result.exitCode).toBe(0);
    } finally {
      process.chdir(before);
    }
  });

  test("a file of exactly the greatest length is taken", async () => {
    const path = join(directory, "full.yaml");
    writeFileSync(path, `port: 5\n${"#".repeat(65536 - 8)}`);
    expect((await runCaptured(["serve", "x", "--config", path])).served?.port).toBe(5);
  });

  test("without --config a file that is not there does not matter, nor does a missing $HOME", async () => {
    expect((await runCaptured(["serve", "x"], { home: join(directory, "no-such-home") })).exitCode).toBe(0);
    expect((await runCaptured(["serve", "x"], { home: undefined })).exitCode).toBe(0);
  });

  test("without --config a home that leads nowhere for this user counts as one without the file", async () => {
    const loop = join(directory, "loop");
    symlinkSync(loop, loop);
    for (const home of [loop, join(directory, "x".repeat(300)), join(directory, "long.yaml")]) {
      expect((await runCaptured(["serve", "x"], { home })).exitCode).toBe(0);
    }
  });

  test("a key of the other command is left alone", async () => {
    const result = await runCaptured(["serve", "x", "--config", join(directory, "both.yaml")]);
    expect(result.exitCode).toBe(0);
    expect(result.served?.port).toBe(5);
  });
});
