// The help: complete, in lines that fit, and where it belongs.
import { describe, expect, test } from "bun:test";
import packageJson from "../../package.json" with { type: "json" };
import { allCommands } from "../../src/cli/commands/all-commands.ts";
import { ExitCode } from "../../src/lib/errors.ts";
import { FakeEnvironment, runCaptured } from "./fake-environment.ts";

describe("The help", () => {
  for (const command of allCommands) {
    test(`of ${command.name} names every flag, every default and an example`, async () => {
      const { stdout, stderr, exitCode } = await runCaptured([command.name, "--help"]);
      expect(exitCode).toBe(0);
      expect(stderr).toBe("");
      if (command.argument !== undefined) expect(stdout).toContain(command.argument.name.toUpperCase());
      for (const [name, definition] of Object.entries(command.flags)) {
        const line = stdout.split("\n").find((line) => line.includes(` --${name}`));
        expect(line).toBeDefined();
        // `--magnet` alone has no default, and can have none.
        if (name !== "magnet") expect(line).toContain("(Default: ");
        if ("default" in definition) expect(line).toContain(`(Default: ${definition.default})`);
      }
      for (const example of command.examples) expect(stdout).toContain(example);
      expect(command.examples.length).toBeGreaterThan(0);
      for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    });

    test(`of ${command.name} is the same in three ways, wherever the flag stands`, async () => {
      const { stdout } = await runCaptured(["help", command.name]);
      expect((await runCaptured([command.name, "-h"])).stdout).toBe(stdout);
      expect((await runCaptured([command.name, "x", "--port", "nonsense", "--help"])).stdout).toBe(stdout);
    });
  }

  test("of the program names every command, every exit code and the version", async () => {
    const { stdout, stderr, exitCode } = await runCaptured(["--help"]);
    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
    for (const command of allCommands) expect(stdout).toContain(`${command.name}    ${command.summary}`);
    for (const code of Object.values(ExitCode)) expect(stdout).toMatch(new RegExp(`\\b${code}\\b`));
    expect(stdout).toContain(packageJson.version);
    expect((await runCaptured(["-h"])).stdout).toBe(stdout);
    expect((await runCaptured(["help"])).stdout).toBe(stdout);
  });

  test("is a file after --", async () => {
    expect((await runCaptured(["serve", "--", "--help"])).served?.files).toEqual(["--help"]);
  });

  test("has no colours unless its own stream is a terminal that wants them", async () => {
    const help = async (variables: Record<string, string>) => {
      const environment = new FakeEnvironment();
      environment.stdout.isTerminal = true;
      return (await runCaptured(["--help"], { stdout: environment.stdout, variables })).stdout;
    };
    expect((await runCaptured(["--help"])).stdout).not.toContain("\u001b");
    expect(await help({ NO_COLOR: "yes" })).not.toContain("\u001b");
    expect(await help({ TERM: "dumb" })).not.toContain("\u001b");
  });
});

test("--version prints the version alone", async () => {
  const { stdout, stderr, exitCode } = await runCaptured(["--version"]);
  expect([stdout, stderr, exitCode]).toEqual([`${packageJson.version}\n`, "", 0]);
});
