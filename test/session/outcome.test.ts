import { describe, expect, test } from "bun:test";
import { BusyError, ExitCode, NoPeerError, SourceError } from "../../src/lib/errors.ts";
import { aborted, FailureList } from "../../src/session/outcome.ts";
import type { SessionEvent } from "../../src/session/report/session-event.ts";

function aRun() {
  const events: SessionEvent[] = [];
  const debug: string[] = [];
  const failures = new FailureList({
    emit: (event) => events.push(event),
    logger: { debug: (text: string) => debug.push(text), info: () => {}, warn: () => {} },
    signal: new AbortController().signal,
    workingDirectory: "/",
    io: "map",
  });
  return { events, debug, failures };
}

describe("FailureList", () => {
  test("a run without failures is done", () => {
    expect(aRun().failures.exitCode).toBe(ExitCode.done);
  });

  test("the first failure's code is the run's, and every failure is told with its place on the command line", () => {
    const { events, failures } = aRun();
    failures.add(1, "b.bin", new SourceError("b.bin: no such file"));
    failures.add(0, "a.bin", new BusyError("a.bin: busy"));
    expect(failures.exitCode).toBe(ExitCode.source);
    expect(events).toEqual([
      {
        type: "failed",
        index: 1,
        subject: "b.bin",
        message: "b.bin: no such file",
        exitCode: ExitCode.source,
      },
      { type: "failed", index: 0, subject: "a.bin", message: "a.bin: busy", exitCode: ExitCode.busy },
    ]);
  });

  test("the cause is for the debug log alone", () => {
    const { events, debug, failures } = aRun();
    failures.add(0, "x", new NoPeerError("no peer", { cause: new Error("ECONNREFUSED") }));
    expect(debug).toEqual(["x: ECONNREFUSED"]);
    expect(JSON.stringify(events)).not.toContain("ECONNREFUSED");
  });

  test("an error that is not ours concerns the whole run", () => {
    const { events, failures } = aRun();
    const bug = new TypeError("undefined is not an object");
    expect(() => failures.add(0, "x", bug)).toThrow(bug);
    expect([failures.exitCode, events.length]).toEqual([ExitCode.done, 0]);
  });
});

describe("aborted", () => {
  test("resolves when the signal is aborted, before or after the call", async () => {
    const controller = new AbortController();
    let told = false;
    const after = aborted(controller.signal).then(() => (told = true));
    await Promise.resolve();
    expect(told).toBe(false);
    controller.abort();
    await after;
    await aborted(controller.signal);
    expect(told).toBe(true);
  });
});
