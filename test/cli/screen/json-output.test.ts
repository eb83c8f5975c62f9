// Which progress `--json` holds back, and what becomes of it.
import { describe, expect, test } from "bun:test";
import type { SessionEvent } from "../../../src/session/report/session-event.ts";
import { runScript } from "../scripted-session.ts";
import { oneOfEach, progress } from "../session-script.ts";

describe("Progress that comes too early", () => {
  const told = async (...events: readonly (readonly [after: number, event: SessionEvent])[]) => {
    const { stdout } = await runScript(["serve", "a", "--json"], (context, environment) => {
      for (const [after, event] of events) {
        environment.advance(after);
        context.emit(event);
      }
      return 0;
    });
    return stdout.split("\n").flatMap((line) => {
      if (line === "") return [];
      const { event, transfers } = JSON.parse(line);
      return [transfers === undefined ? event : transfers[0].completed];
    });
  };
  const at = (done: number) => progress({ completed: done });
  const event = (type: SessionEvent["type"]) => oneOfEach.find((event) => event.type === type)!;

  for (const end of ["completed", "seedingEnded", "hostsDone", "failed"] as const) {
    test(`is written before ${end}, the latest of it and only once`, async () => {
      const events = await told(
        [0, at(1)],
        [300, at(40)],
        [300, at(70)],
        [100, event(end)],
        [10, event(end)],
      );
      expect(events).toEqual([1, 70, end, end]);
    });
  }

  test("is not written before an event that ends nothing", async () => {
    const events = await told([0, at(1)], [500, at(40)], [100, event("warning")], [100, event("serving")]);
    expect(events).toEqual([1, "warning", "serving"]);
  });

  test("is not written any more once newer progress stands there", async () => {
    const events = await told([0, at(0)], [500, at(40)], [500, at(100)], [10, event("completed")]);
    expect(events).toEqual([0, 100, "completed"]);
  });

  test("is not forgotten over the hashing of another file", async () => {
    const hashing = event("hashing");
    const events = await told([0, at(1)], [500, at(40)], [0, hashing], [1, hashing], [1, event("failed")]);
    expect(events).toEqual([1, "hashing", 40, "failed"]);
  });

  test("counts its second from the last that was written", async () => {
    const events = await told([0, at(1)], [999, at(2)], [1, at(3)], [999, at(4)], [1, at(5)]);
    expect(events).toEqual([1, 3, 5]);
  });
});
