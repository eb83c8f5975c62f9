// Which exit code a session ends with, and what is said of it.
import { describe, expect, test } from "bun:test";
import { StopReason } from "../../src/cli/environment.ts";
import { DiskError, ExitCode, InvariantError } from "../../src/lib/errors.ts";
import { FakeEnvironment, runCaptured } from "./fake-environment.ts";
import { type Script, runScript } from "./scripted-session.ts";
import { progress } from "./session-script.ts";

describe("The exit code", () => {
  test("is the session's own", async () => {
    for (const code of [0, 3, 4, 5, 6, 7, 8] as const) {
      expect((await runScript(["serve", "x"], () => code)).exitCode).toBe(code);
    }
  });

  test("is the signal's when the session was stopped, however it says so", async () => {
    const endings: readonly Script[] = [
      () => 0,
      () => 130,
      ({ signal }) => Promise.reject(signal.reason),
      () => Promise.reject(new DOMException("stopped", "AbortError")),
    ];
    for (const ending of endings) {
      const result = await runScript(["serve", "x"], (context, environment) => {
        environment.stop.abort(new StopReason("stopped by SIGTERM", ExitCode.terminated));
        return ending(context, environment);
      });
      expect([result.exitCode, result.stderr]).toEqual([143, ""]);
    }
  });

  test("is that of an error that comes after the signal and is no stop", async () => {
    const result = await runScript(["serve", "x"], (_, environment) => {
      environment.stop.abort(new StopReason("stopped by SIGTERM", ExitCode.terminated));
      throw new DiskError("/srv: the disk is full");
    });
    expect([result.exitCode, result.stderr]).toEqual([5, "p2pfile: /srv: the disk is full\n"]);
  });

  test("is 1 when an operation says that it was aborted and no signal came", async () => {
    const result = await runScript(["serve", "x"], () => {
      throw new DOMException("stopped", "AbortError");
    });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toStartWith("p2pfile: internal error: AbortError: stopped; ");
  });

  test("stays that of a failed file when the answer could not be written either", async () => {
    for (const failure of ["EPIPE", "ENOSPC"]) {
      const result = await runScript(["serve", "x"], (_, environment) => {
        environment.stdout.failure = failure;
        return 3;
      });
      expect(result.exitCode).toBe(3);
    }
  });

  test("stays the signal's when the answer could not be written either", async () => {
    const result = await runScript(["serve", "x"], (_, environment) => {
      environment.stdout.failure = "EPIPE";
      environment.stop.abort(new StopReason("stopped by SIGINT", ExitCode.interrupted));
      return 0;
    });
    expect([result.exitCode, result.stderr]).toEqual([130, ""]);
  });

  test("stays that of a failed file when the rest is stopped by a signal", async () => {
    const result = await runScript(["serve", "x", "y"], (_, environment) => {
      environment.stop.abort(new StopReason("stopped by SIGINT", ExitCode.interrupted));
      return 3;
    });
    expect(result.exitCode).toBe(3);
  });

  test("is 5 when the answer could not be written, with a word about it unless the reader just left", async () => {
    const closed = await runScript(
      ["serve", "x"],
      (_, environment) => ((environment.stdout.failure = "EPIPE"), 0),
    );
    expect([closed.exitCode, closed.stderr]).toEqual([5, ""]);
    const full = await runScript(
      ["serve", "x"],
      (_, environment) => ((environment.stdout.failure = "ENOSPC"), 0),
    );
    expect([full.exitCode, full.stderr]).toEqual([
      5,
      "p2pfile: standard output cannot be written (ENOSPC)\n",
    ]);
    const stdout = Object.assign(new FakeEnvironment().stdout, { failure: "EPIPE" });
    expect((await runCaptured(["--help"], { stdout })).exitCode).toBe(0);
    stdout.failure = "ENOSPC";
    expect((await runCaptured(["--help"], { stdout })).exitCode).toBe(5);
  });

  test("is 1 for a bug, with one line that asks for a report and a stack only under --debug", async () => {
    for (const error of [new TypeError("x is not\na function"), new InvariantError("two seeds"), "text"]) {
      const quiet = await runScript(["serve", "x"], () => Promise.reject(error));
      expect(quiet.exitCode).toBe(1);
      expect(quiet.stderr).toMatch(
        /^p2pfile: internal error: [^\n]+; please report it with the output of --debug\n$/,
      );
    }
    const loud = await runScript(["serve", "x", "--debug"], () => {
      throw new Error("outer", { cause: new Error("inner") });
    });
    expect(loud.stderr).toContain("caused by: Error: inner");
    expect(loud.stderr).toContain("    at ");
  });

  test("causes that lead back to themselves are shown eight times at most, those of a text once", async () => {
    const error = new Error("outer");
    error.cause = error;
    const { stderr } = await runScript(["serve", "x", "--debug"], () => Promise.reject(error));
    expect(stderr.split("caused by: ")).toHaveLength(8);
    const text = await runScript(["serve", "x", "--debug"], () => Promise.reject("oh"));
    expect(text.stderr).toBe('p2pfile: internal error: oh; please report it with the lines below\n"oh"\n');
    const ours = await runScript(["serve", "x", "--debug"], () => {
      throw new DiskError("/srv: full", { cause: new Error("ENOSPC") });
    });
    expect(ours.stderr).toMatch(/^p2pfile: \/srv: full\nDiskError: [^]*\ncaused by: Error: ENOSPC\n/);
    expect(ours.stderr.split("caused by: ")).toHaveLength(2);
  });

  test("of an error that ends a session is said below the screen that the live lines have left", async () => {
    const environment = new FakeEnvironment();
    environment.stderr.isTerminal = true;
    const script: Script = (context) => {
      context.emit(progress({}));
      throw new DiskError("/srv: full");
    };
    const { stderr } = await runScript(["serve", "x"], script, environment);
    expect(stderr).toEndWith("\r\u001b[1A\u001b[Jp2pfile: /srv: full\n");
  });

  test("leaves no timer behind, whatever happened", async () => {
    for (const script of [() => ExitCode.done, () => Promise.reject(new Error("bug"))]) {
      expect((await runScript(["serve", "x"], script)).environment.timerCount).toBe(0);
    }
  });
});
