// One more command in the table, and nothing else: the help, the completion, the suggestions, the check of arguments, the
// settings and the restart of the engine know it.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, CommandInput } from "../../src/cli/command.ts";
import { settingsOf, takesSettings } from "../../src/cli/command-table.ts";
import { allCommands } from "../../src/cli/commands/all-commands.ts";
import { inspectCommand } from "../../src/cli/commands/inspect-command.ts";
import { completionScript } from "../../src/cli/completion/completion-script.ts";
import { shells } from "../../src/cli/completion/shells.ts";
import {
  type EngineProcess,
  restartWithEngineSettings,
  withEngineSettings,
} from "../../src/cli/engine-settings.ts";
import { sessionFlags } from "../../src/cli/settings/session-flags.ts";
import { runCaptured } from "./fake-environment.ts";

const calls: CommandInput[] = [];
const mirror: Command = {
  name: "mirror",
  summary: "Keep a directory equal to another one",
  argument: { name: "host", description: "where to look", isRepeated: true, completes: ["alpha", "beta"] },
  flags: {
    config: sessionFlags.config,
    pace: { type: "string", alias: "p", valueHint: "N", description: "turns per hour", default: "12" },
    only: { type: "string", valueHint: "A,B", description: "names", listOf: "names" },
    deep: { type: "boolean", description: "directories too (Default: off)" },
  },
  examples: ["p2pfile mirror alpha --pace 6"],
  movesData: true,
  run: (input) => (calls.push(input), Promise.resolve(0)),
};
const commands = [...allCommands, mirror];
const run = (...argv: readonly string[]) => runCaptured(argv, {}, commands);
const error = async (...argv: readonly string[]) => (await run(...argv)).stderr;

describe("A command that is one file and one line", () => {
  test("is called with its flags, defaults filled in, and its words", async () => {
    expect((await run("mirror", "alpha", "--deep", "beta", "--only=a", "--only", "b")).exitCode).toBe(0);
    const input = calls.at(-1);
    expect(input?.words).toEqual(["alpha", "beta"]);
    expect([...(input?.given ?? [])]).toEqual(["deep", "only"]);
    expect([input?.flags["pace"], input?.flags["deep"], input?.flags["only"]]).toEqual(["12", true, "a,b"]);
    expect(input?.commands).toEqual(commands);
  });

  test("stands in the list of commands and has a help of its own", async () => {
    const { stdout: list } = await run("help");
    expect(list).toContain("mirror    Keep a directory equal to another one");
    expect(list).toContain("  p2pfile mirror alpha --pace 6\n");
    expect(list).not.toContain("  p2pfile help serve\n");
    const { stdout: help } = await run("help", "mirror");
    for (const words of [
      "USAGE p2pfile mirror",
      "<HOST...>",
      "-p, --pace=<N>",
      "(Default: 12)",
      "where to look",
    ])
      expect(help).toContain(words);
    expect(help).toContain("Each flag can also be set by its variable");
    expect((await run("mirror", "-h")).stdout).toBe(help);
  });

  test("is suggested for a slip of the fingers, and so are its flags", async () => {
    expect(await error("miror")).toBe("p2pfile: unknown command 'miror'; did you mean 'mirror'?\n");
    expect(await error("help", "mirorr")).toContain("did you mean 'mirror'?");
    expect(await error("mirror", "x", "--pacee", "3")).toContain("did you mean --pace?");
    expect(await error("help", "--pace", "3")).toContain("'help' does not have this flag, 'mirror' has");
    expect(await error("--deep")).toContain("flags stand after the command ('p2pfile mirror …')");
  });

  test("has its arguments checked", async () => {
    expect(await error("mirror")).toBe("p2pfile: mirror: HOST is missing; see 'p2pfile mirror --help'\n");
    expect(await error("mirror", "x", "--pace")).toBe("p2pfile: --pace: a value is missing (--pace=N)\n");
    expect(await error("mirror", "x", "--deep=1")).toContain("--deep: takes no value");
  });

  test("is completed in every shell, its flags and words too", () => {
    for (const shell of shells) {
      const script = completionScript(shell, commands);
      for (const word of ["mirror", "pace", "no-deep", "alpha", "beta"]) expect(script).toContain(word);
    }
  });

  test("has settings that variables and the configuration file may hold", async () => {
    expect(takesSettings(mirror)).toBe(true);
    expect(Object.keys(settingsOf(commands))).toContain("pace");
    const variables = { P2PFILE_PACEE: "3" };
    const { stderr } = await runCaptured(["serve", "x"], { variables }, commands);
    expect(stderr).toContain("P2PFILE_PACEE is not a setting; did you mean P2PFILE_PACE?");
  });

  test("that takes no settings adds none", () => {
    const { pace } = mirror.flags;
    expect(pace).toBeDefined();
    expect(Object.keys(settingsOf([{ ...mirror, flags: { pace: pace! } }]))).toEqual([]);
  });

  test("has the engine set up for it when it moves data", () => {
    const restarted = (table: readonly Command[], changes: Partial<EngineProcess> = {}) => {
      const calls: string[][] = [];
      withDefinition(() =>
        restartWithEngineSettings(["mirror", "alpha"], table, {
          env: {},
          execPath: process.execPath,
          argv0: "p2pfile",
          execve: (_file: string, words: readonly string[] = []) => {
            calls.push([...words]);
            throw new Error("a process that is replaced does not come back");
          },
          ...changes,
        }),
      );
      return calls;
    };
    expect(restarted(commands)).toEqual([["p2pfile", "mirror", "alpha"]]);
    expect(restarted(allCommands)).toEqual([]);
    expect(restarted([{ ...mirror, movesData: false }])).toEqual([]);
    expect(restarted(commands, { execPath: "/nowhere/p2pfile" })).toEqual([]);
    expect(restarted(commands, { env: withEngineSettings({}) ?? {} })).toEqual([]);
    expect(allCommands.filter(({ movesData }) => movesData).map(({ name }) => name)).toEqual([
      "serve",
      "download",
    ]);
  });
});

/** As build.ts defines it in the executable. */
function withDefinition(action: () => void): void {
  Reflect.set(globalThis, "P2PFILE_EXECUTABLE", true);
  try {
    action();
  } finally {
    Reflect.deleteProperty(globalThis, "P2PFILE_EXECUTABLE");
  }
}

describe("A command that inspects", () => {
  const depth = inspectCommand({
    name: "depth",
    summary: "Print how deep it is",
    flags: {},
    examples: ["p2pfile depth"],
    inspect: () => Promise.resolve({ metres: 3, secret: "x" }),
    text: ({ metres }) => `${metres} m deep`,
    fields: ({ metres }) => ({ metres, share: Infinity }),
  });

  test("prints its value as text, or with --json as one object of this schema", async () => {
    const print = async (...argv: readonly string[]) => (await runCaptured(argv, {}, [depth])).stdout;
    expect(await print("depth")).toBe("3 m deep\n");
    expect(await print("depth", "--json")).toBe('{"v":1,"metres":3,"share":null}\n');
    expect(await print("depth", "--no-json")).toBe("3 m deep\n");
  });

  test("takes neither variables nor a configuration file", async () => {
    const variables = { P2PFILE_JSON: "true", P2PFILE_CONFIG: "/nowhere/at-all" };
    expect((await runCaptured(["depth"], { variables }, [depth])).stdout).toBe("3 m deep\n");
    expect((await runCaptured(["depth", "-h"], {}, [depth])).stdout).not.toContain("set by its variable");
  });
});

describe("README.md", () => {
  const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");

  for (const command of allCommands) {
    test(`shows ${command.name} and its flags`, () => {
      expect(readme).toMatch(new RegExp(`^    p2pfile ${command.name}\\b`, "m"));
      for (const flag of Object.keys(command.flags)) expect(readme).toContain(`--${flag}`);
    });
  }
});
