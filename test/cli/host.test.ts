// The command line in a real process: signals, closed pipes, full disks, errors that no code caught.
import { describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signals } from "./fake-process.ts";

const program = join(import.meta.dir, "fake-program.ts");
const variables = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" };

function start(argv: readonly string[]) {
  return Bun.spawn([process.execPath, program, ...argv], { stdout: "pipe", stderr: "pipe", env: variables });
}

/** Runs until the first line of the answer stands on stdout. */
async function startServing(argv: readonly string[]) {
  const child = start(argv);
  const reader = child.stdout.getReader();
  await reader.read();
  return { child, reader };
}

describe("A signal", () => {
  for (const [signal, code] of signals) {
    test(`${signal} stops the session in order and ends with ${code}`, async () => {
      const { child } = await startServing(["serve", "wait"]);
      child.kill(signal);
      expect(await child.exited).toBe(code);
      expect(child.signalCode).toBeNull();
      expect(await new Response(child.stderr).text()).toBe("model.bin: serving 4.00 GiB\n");
    });
  }

  test("P2: ends a session that does not stop when it comes for the second time", async () => {
    const { child } = await startServing(["serve", "stubborn"]);
    child.kill("SIGINT");
    await Bun.sleep(100);
    expect(child.exitCode).toBeNull();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(143);
  });
});

describe("A signal that was ignored at the start", () => {
  // A shell that ignores a signal passes that on to what it runs, as nohup does.
  for (const [signal] of signals) {
    test(`${signal} stays ignored`, async () => {
      const script = `trap '' ${signal.slice(3)}; exec "$0" "$1" serve wait`;
      const child = Bun.spawn(["sh", "-c", script, process.execPath, program], {
        stdout: "pipe",
        stderr: "pipe",
        env: variables,
      });
      await child.stdout.getReader().read();
      child.kill(signal);
      await Bun.sleep(100);
      expect(child.exitCode).toBeNull();
      const other = signal === "SIGTERM" ? "SIGINT" : "SIGTERM";
      child.kill(other);
      expect(await child.exited).toBe(other === "SIGTERM" ? 143 : 130);
    });
  }
});

describe("Standard output", () => {
  test("whose reader has gone stops the session quietly, exit code 5", async () => {
    const { child, reader } = await startServing(["serve", "talk"]);
    await reader.cancel();
    expect(await child.exited).toBe(5);
    expect(await new Response(child.stderr).text()).not.toContain("p2pfile:");
  });

  test("whose reader has gone is no failure of --help", async () => {
    const child = Bun.spawn(
      ["sh", "-c", `"$0" "$1" --help | true; "$0" "$1" --help | head -1`, process.execPath, program],
      {
        stdout: "pipe",
        stderr: "pipe",
        env: variables,
      },
    );
    expect(await new Response(child.stdout).text()).toStartWith("Large files to many machines");
    expect(await new Response(child.stderr).text()).toBe("");
  });

  test("on a full disk is exit code 5 and one line", async () => {
    for (const argv of [["--help"], ["completion", "zsh"], ["serve", "wait"], ["download", "done"]]) {
      const command = [process.execPath, program, ...argv];
      const child = Bun.spawn(command, { stdout: Bun.file("/dev/full"), stderr: "pipe", env: variables });
      expect(await child.exited).toBe(5);
      expect(await new Response(child.stderr).text()).toContain(
        "p2pfile: standard output cannot be written (ENOSPC)\n",
      );
    }
  });

  test("is complete when the process ends, however slow its reader", async () => {
    const child = start(["serve", "flood"]);
    await Bun.sleep(300);
    const text = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    expect(text.split("\n")).toHaveLength(20_001);
  });
});

describe("An error that no code caught", () => {
  for (const word of ["crash", "reject"]) {
    test(`(${word}) is one line, a request for a report, and exit code 1`, async () => {
      const child = start(["serve", word]);
      expect(await child.exited).toBe(1);
      const text = await new Response(child.stderr).text();
      expect(text).toMatch(
        /^p2pfile: internal error: TypeError: .+; please report it with the output of --debug\n$/,
      );
    });
  }

  test("shows its stack under --debug", async () => {
    const child = start(["serve", "crash", "--debug"]);
    expect(await child.exited).toBe(1);
    expect(await new Response(child.stderr).text()).toContain("fake-program.ts:");
  });
});

test("A current directory that is gone is one line and exit code 2", async () => {
  // Bun refuses to run sources from there, so the directory vanishes under the running program.
  const script = `const { rmdirSync, mkdtempSync } = await import("node:fs");
    const directory = mkdtempSync(${JSON.stringify(join(tmpdir(), "p2pfile-gone-"))});
    const { runInProcess } = await import(${JSON.stringify(join(import.meta.dir, "../../src/cli/host.ts"))});
    process.chdir(directory);
    rmdirSync(directory);
    const { allCommands: commands } = await import(${JSON.stringify(join(import.meta.dir, "../../src/cli/commands/all-commands.ts"))});
    process.exit(await runInProcess({ argv: ["serve", "x"], commands, sessions: {}, process, ignoredSignals: new Set() }));`;
  const child = Bun.spawn([process.execPath, "-e", script], { stderr: "pipe", env: variables });
  expect(await new Response(child.stderr).text()).toBe(
    "p2pfile: the current directory does not exist any more; change to another one\n",
  );
  expect(await child.exited).toBe(2);
});

test("--version starts without loading what a session needs", async () => {
  const modules = ["commands/all-commands.ts", "host.ts"].map((path) =>
    join(import.meta.dir, "../../src/cli", path),
  );
  const script = `for (const path of ${JSON.stringify(modules)}) await import(path);
    const heavy = /consola|src.session|run-session|progress|config-file/;
    console.log(Object.keys(require.cache).filter((path) => heavy.test(path)).join());`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", env: variables });
  expect((await new Response(child.stdout).text()).trim()).toBe("");
});
