// The completion scripts: bash for real, the other shells for real where they are installed, and all of them complete.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allCommands } from "../../src/cli/commands/all-commands.ts";
import { completionScript } from "../../src/cli/completion/completion-script.ts";
import { shells } from "../../src/cli/completion/shells.ts";
import { runCaptured } from "./fake-environment.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "p2pfile-completion-"));
  for (const shell of shells)
    writeFileSync(join(directory, `script.${shell}`), completionScript(shell, allCommands));
  mkdirSync(join(directory, "files/model dir"), { recursive: true });
  writeFileSync(join(directory, "files/model one.bin"), "");
  writeFileSync(join(directory, "files/other.yaml"), "");
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What bash offers after `words`, the last of which is being typed. "=" is a word of its own, as in bash. */
async function complete(...words: readonly string[]): Promise<string[]> {
  const script = `source "$1"; shift
    COMP_WORDS=(p2pfile "$@"); COMP_CWORD=$#
    $(complete -p p2pfile | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const child = Bun.spawn(
    ["bash", "--norc", "-c", script, "bash", join(directory, "script.bash"), ...words],
    {
      cwd: join(directory, "files"),
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [text, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(errors).toBe("");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .sort();
}

describe("bash", () => {
  test("completes commands and the flags of the program", async () => {
    const names = allCommands.map((command) => command.name);
    expect(await complete("")).toEqual(["--help", "--version", "-h", ...names].sort());
    expect(await complete("se")).toEqual(["serve"]);
    expect(await complete("--v")).toEqual(["--version"]);
    expect(await complete("xyz")).toEqual([]);
  });

  test("completes every flag of every command", async () => {
    for (const command of allCommands) {
      const expected = Object.entries(command.flags).flatMap(([name, { type }]) =>
        type === "boolean" ? [`--${name}`, `--no-${name}`] : [`--${name}`],
      );
      expect(await complete(command.name, "--")).toEqual([...expected, "--help"].sort());
    }
  });

  test("completes flags after other flags and their values", async () => {
    expect(await complete("serve", "--port", "5", "x", "--up")).toEqual(["--upload-limit"]);
    expect(await complete("download", "m", "-o", ".", "--seeding-")).toEqual([
      "--seeding-ratio",
      "--seeding-time",
    ]);
  });

  test("completes files for serve, --config and -o, directories for --dir, names with spaces whole", async () => {
    const all = ["model dir", "model one.bin", "other.yaml"];
    expect(await complete("serve", "")).toEqual(all);
    expect(await complete("serve", "one.bin", "mod")).toEqual(["model dir", "model one.bin"]);
    expect(await complete("serve", "--config", "oth")).toEqual(["other.yaml"]);
    expect(await complete("download", "--dir", "")).toEqual(["model dir"]);
    expect(await complete("download", "-o", "mo")).toEqual(["model dir", "model one.bin"]);
    expect(await complete("download", "--dir", "=")).toEqual(["model dir"]);
    expect(await complete("download", "--dir", "=", "mo")).toEqual(["model dir"]);
  });

  test("offers nothing for values that only the user knows, and no files for magnets", async () => {
    expect(await complete("serve", "--port", "")).toEqual([]);
    expect(await complete("serve", "--upload-limit", "=", "")).toEqual([]);
    expect(await complete("download", "")).toEqual([]);
  });

  test("takes everything after -- for files", async () => {
    expect(await complete("serve", "--", "--")).toEqual([]);
    expect(await complete("serve", "--", "--port", "oth")).toEqual(["other.yaml"]);
  });

  test("completes shells and commands where they are arguments, once", async () => {
    expect(await complete("completion", "")).toEqual([...shells].sort());
    expect(await complete("completion", "bash", "")).toEqual([]);
    expect(await complete("help", "d")).toEqual(["download"]);
    expect(await complete("help", "serve", "")).toEqual([]);
    expect(await complete("version", "")).toEqual([]);
  });

  // An interactive bash on a terminal of its own, as util-linux's script gives it.
  test.skipIf(Bun.which("script") === null)("completes under a real TAB", async () => {
    const child = Bun.spawn(["script", "-qec", "bash --norc --noprofile -i", "/dev/null"], {
      cwd: join(directory, "files"),
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      env: { PATH: process.env["PATH"] ?? "", TERM: "dumb", HISTFILE: "/dev/null", PS1: "$ " },
    });
    const typed = [
      `p2pfile() { printf 'GOT'; printf '<%s>' "$@"; echo; }; source ../script.bash`,
      "p2pfile down\t--se\t=1 --dir=mod\t",
      "p2pfile serve --confi\toth\t -- model\\ o\t",
      "exit",
    ];
    await child.stdin.write(typed.map((line) => `${line}\n`).join(""));
    await child.stdin.end();
    const text = await new Response(child.stdout).text();
    expect(text).toContain("GOT<download><--seeding=1><--dir=model dir/>");
    expect(text).toContain("GOT<serve><--config><other.yaml><--><model one.bin>");
  });
});

describe("Every script", () => {
  const checks = {
    bash: ["bash", "-n"],
    zsh: ["zsh", "-n"],
    fish: ["fish", "--no-execute"],
    powershell: ["pwsh", "-NoProfile", "-File"],
  } as const;
  for (const shell of shells) {
    const [program, ...flags] = checks[shell];
    const installed = Bun.which(program) !== null;
    test.skipIf(!installed)(`for ${shell} is accepted by ${program}`, async () => {
      const child = Bun.spawn([program, ...flags, join(directory, `script.${shell}`)], { stderr: "pipe" });
      expect(await new Response(child.stderr).text()).toBe("");
      expect(await child.exited).toBe(0);
    });

    test(`for ${shell} names every command and flag`, () => {
      const script = completionScript(shell, allCommands);
      for (const command of allCommands) {
        expect(script).toContain(command.name);
        for (const name of Object.keys(command.flags)) {
          expect(script).toContain(shell === "fish" ? `-l ${name}` : `--${name}`);
        }
      }
    });

    test(`for ${shell} closes every quote and bracket`, () => {
      expect(unclosed(completionScript(shell, allCommands), shell)).toEqual([]);
    });

    test(`for ${shell} is what the command prints`, async () => {
      const { stdout, exitCode } = await runCaptured(["completion", shell]);
      expect([stdout, exitCode]).toEqual([completionScript(shell, allCommands), 0]);
    });
  }

  test("quotes what a description may contain", () => {
    const [serve] = allCommands;
    const hostile = {
      ...serve!,
      flags: {
        flag: { type: "string" as const, valueHint: "VALUE", description: "it's [a:b] \\ $(x) `y`" },
      },
    };
    for (const shell of shells) expect(unclosed(completionScript(shell, [hostile]), shell)).toEqual([]);
    expect(completionScript("zsh", [hostile])).toContain("[it'\\''s \\[a\\:b\\] \\\\ $(x) `y`]");
    expect(completionScript("fish", [hostile])).toContain("'it\\'s [a:b] \\\\ $(x) `y`'");
    expect(completionScript("powershell", [hostile])).toContain("'it''s [a:b] \\ $(x) `y`'");
  });
});

/** Brackets left open or closed twice, outside of single quotes; a quote left open swallows the rest and shows too. */
function unclosed(script: string, shell: string): string[] {
  const withoutComments = script.replaceAll(/^\s*#.*$/gm, "");
  const escaped = shell === "fish" ? /'(?:[^'\\]|\\.)*'/gs : /'[^']*'/gs;
  const bare = withoutComments
    .replaceAll(shell === "zsh" ? /\\'/g : /(?!)/g, "")
    .replaceAll(escaped, "")
    .replaceAll(/^\s*\S[^()\n]*\)(?= |$)/gm, (label) =>
      /^\s*("[^"]*"|[\w| -]+)\)/.test(label) ? "" : label,
    );
  const closing: Record<string, string> = { "(": ")", "[": "]", "{": "}" };
  const open: string[] = [];
  for (const [character] of bare.matchAll(/[()[\]{}']/g)) {
    const expected = closing[character];
    if (expected !== undefined) open.push(expected);
    else if (open.pop() !== character) return [`unexpected ${character}`];
  }
  return open;
}
