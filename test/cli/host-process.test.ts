// The command line over a process in memory: what signals, failing streams and uncaught errors do. The same over a real
// process is in host.test.ts.
import { afterEach, describe, expect, jest, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allCommands } from "../../src/cli/commands/all-commands.ts";
import { runInProcess } from "../../src/cli/host.ts";
import { PROGRESS_LINE_MS } from "../../src/cli/limits.ts";
import { ExitCode } from "../../src/lib/errors.ts";
import type { SessionContext } from "../../src/session/context.ts";
import type { ServeOptions } from "../../src/session/options.ts";
import { FakeProcess, signals, systemError } from "./fake-process.ts";
import { progress, serving } from "./session-script.ts";

type Script = (context: SessionContext) => Promise<ExitCode>;

/** `session`: the run of a `serve` that is under way, and its context. */
async function start(script: Script, argv = ["serve", "x"], process = new FakeProcess()) {
  const begun = Promise.withResolvers<SessionContext>();
  const session = (_: unknown, context: SessionContext) => {
    begun.resolve(context);
    return script(context);
  };
  const exitCode = runInProcess({
    argv,
    commands: allCommands,
    sessions: { serve: session, download: session },
    process,
    ignoredSignals: new Set(),
  });
  return { process, exitCode, context: await begun.promise };
}

const untilAborted: Script = ({ signal }) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(ExitCode.done)));

describe("A signal", () => {
  for (const [signal, code] of signals) {
    test(`${signal} stops the session, whose end is then ${code}`, async () => {
      const { process, exitCode } = await start(untilAborted);
      process.send(signal);
      expect(await exitCode).toBe(code);
      expect(process.exits).toEqual([]);
    });
  }

  test("that is the second one ends the process at once with its own code", async () => {
    const { process, context } = await start(() => new Promise(() => {}));
    process.send("SIGINT");
    expect([context.signal.aborted, process.exits]).toEqual([true, []]);
    process.send("SIGTERM");
    expect(process.exits).toEqual([143]);
  });
});

describe("A session", () => {
  test("gets the directory of the process, and its end waits until standard error is read", async () => {
    const slow = new FakeProcess();
    slow.stderr.isTaken = false;
    const script: Script = async ({ emit }) => {
      emit(serving());
      return ExitCode.done;
    };
    const { process, exitCode, context } = await start(script, ["serve", "x"], slow);
    expect(context.workingDirectory).toBe("/nowhere");
    expect(await Promise.race([exitCode, Bun.sleep(0).then(() => "waiting")])).toBe("waiting");
    process.stderr.take();
    expect(await exitCode).toBe(0);
    expect(process.stdout.text).toStartWith("magnet:?");
    expect(process.stderr.text).toBe("model.bin: serving 4.00 GiB\n");
  });

  test("stops when standard output is closed, with code 5 and no word", async () => {
    const { process, exitCode } = await start(untilAborted);
    process.stdout.fail("EPIPE");
    expect(await exitCode).toBe(5);
    expect(process.stderr.text).toBe("");
  });

  test("goes on when standard error is closed", async () => {
    const { process, exitCode, context } = await start(untilAborted);
    process.stderr.failure = systemError("EPIPE");
    context.emit(serving());
    expect(context.signal.aborted).toBe(false);
    process.send("SIGTERM");
    expect(await exitCode).toBe(143);
  });
});

describe("An error that no code caught", () => {
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    test(`(${event}) is one line and ends the process with 1 when the line is written`, async () => {
      const { process } = await start(() => new Promise(() => {}));
      process.stderr.isTaken = false;
      process.send(event, new TypeError("x is not a function"));
      await Promise.resolve();
      expect(process.exits).toEqual([]);
      process.stderr.take();
      await Bun.sleep(0);
      expect(process.exits).toEqual([1]);
      expect(process.stderr.text).toBe(
        "p2pfile: internal error: TypeError: x is not a function; please report it with the output of --debug\n",
      );
    });
  }

  test("shows its stack under --debug", async () => {
    const { process } = await start(() => new Promise(() => {}), ["serve", "x", "--debug"]);
    process.send("uncaughtException", new TypeError("x"));
    expect(process.stderr.text).toContain("    at ");
  });
});

describe("The settings of a process", () => {
  test("are read from its variables and from the file in its $HOME", async () => {
    const home = mkdtempSync(join(tmpdir(), "p2pfile-home-"));
    try {
      writeFileSync(join(home, ".p2pfile.yaml"), "json: true\nport: 5\n");
      const process = new FakeProcess();
      process.env = { HOME: home, P2PFILE_PORT: "6" };
      let port: number | undefined;
      const serve = (options: ServeOptions, { emit }: SessionContext) => {
        ({ port } = options);
        emit(serving());
        return Promise.resolve(ExitCode.done);
      };
      const sessions = { serve, download: untilNever };
      expect(
        await runInProcess({
          argv: ["serve", "x"],
          commands: allCommands,
          sessions,
          process,
          ignoredSignals: new Set(),
        }),
      ).toBe(0);
      expect(port).toBe(6);
      const { event, time } = JSON.parse(process.stdout.text);
      expect(event).toBe("serving");
      expect(Math.abs(Date.now() - Date.parse(time))).toBeLessThan(60_000);
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});

describe("Progress", () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test("is written while the session says nothing new, and its timer ends with the session", async () => {
    jest.useFakeTimers();
    const { process, exitCode, context } = await start(untilAborted);
    context.emit(progress({}));
    jest.advanceTimersByTime(PROGRESS_LINE_MS);
    expect(process.stderr.text).toStartWith("model.bin: 42% of 4.00 GiB, ");
    process.send("SIGTERM");
    expect([await exitCode, jest.getTimerCount()]).toEqual([143, 0]);
  });
});

test("A directory that is gone is one line and exit code 2", async () => {
  const process = new FakeProcess();
  process.cwd = () => {
    throw systemError("ENOENT");
  };
  const exitCode = await runInProcess({
    argv: ["serve", "x"],
    commands: allCommands,
    sessions: { serve: untilNever, download: untilNever },
    process,
    ignoredSignals: new Set(),
  });
  expect([exitCode, process.stderr.text]).toEqual([
    2,
    "p2pfile: the current directory does not exist any more; change to another one\n",
  ]);
});

function untilNever(): Promise<ExitCode> {
  throw new Error("no session was expected");
}

test("A current directory whose path is not UTF-8 is one line and exit code 4, and no session begins", async () => {
  const process = new FakeProcess();
  process.cwd = () => "/srv/d\uFFFD";
  const exitCode = await runInProcess({
    argv: ["download", "magnet:"],
    commands: allCommands,
    sessions: {
      serve: () => Promise.reject(new Error("begun")),
      download: () => Promise.reject(new Error("begun")),
    },
    process,
    ignoredSignals: new Set(),
  });
  expect(exitCode).toBe(ExitCode.destination);
  expect(process.stderr.text).toBe(
    "p2pfile: /srv/d\uFFFD: the path of the current directory is not valid UTF-8; change to another one\n",
  );
});
