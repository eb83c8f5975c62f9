import { describe, expect, test } from "bun:test";
import type { SessionEvent } from "../../../src/session/report/session-event.ts";
import { runScript } from "../scripted-session.ts";
import { magnet, oneOfEach } from "../session-script.ts";

describe("A notice", () => {
  const told = async (...events: readonly SessionEvent[]) =>
    (await runScript(["download", magnet], ({ emit }) => (events.forEach(emit), 0))).stderr;
  const change = (type: SessionEvent["type"], changes: object) =>
    ({ ...oneOfEach.find((event) => event.type === type), ...changes }) as SessionEvent;

  test("of a file that was there, or hashed earlier, says so", async () => {
    expect(await told(change("completed", { existed: true }))).toBe("model.bin: already complete\n");
    expect(await told(change("serving", { cached: true }))).toBe(
      "model.bin: serving 4.00 GiB, hashed earlier\n",
    );
  });

  test("of a single host that is done is in the singular", async () => {
    expect(await told({ type: "hostsDone", hosts: 1, wanted: 1 })).toBe("1 host is done: serving ends\n");
  });

  test("of a failure names the subject once", async () => {
    const failed = (message: string) => change("failed", { subject: "b.bin", message });
    expect(await told(failed("b.bin: busy"))).toBe("p2pfile: b.bin: busy\n");
    expect(await told(failed("busy"))).toBe("p2pfile: b.bin: busy\n");
  });

  test("of a time has hundredths below a second, tenths below ten, and no rate where none is known", async () => {
    const times = [0, 999, 1000, 9999, 10_000];
    const texts = await Promise.all(times.map((elapsedMs) => told(change("completed", { elapsedMs }))));
    expect(texts.map((text) => text.trim().slice("model.bin: complete, 4.00 GiB in ".length))).toEqual([
      "0.00s",
      "1.00s, 4.00 GiB/s",
      "1.0s, 4.00 GiB/s",
      "10.0s, 410 MiB/s",
      "10s, 410 MiB/s",
    ]);
  });
});
