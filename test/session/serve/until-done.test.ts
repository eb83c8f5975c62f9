import { describe, expect, test } from "bun:test";
import { SEEDING_CHECK_MS } from "../../../src/session/limits.ts";
import { hostsDoneWithAll, untilDone } from "../../../src/session/serve/until-done.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

const file = (hosts: readonly string[], isServed = true) => ({ isServed, doneHosts: () => new Set(hosts) });

describe("hostsDoneWithAll", () => {
  test("counts hosts that have every file", () => {
    expect(hostsDoneWithAll([file(["a", "b", "c"]), file(["b", "c", "d"])])).toBe(2);
    expect(hostsDoneWithAll([file(["a", "b"]), file([])])).toBe(0);
    expect(hostsDoneWithAll([file(["a"])])).toBe(1);
  });

  test("a file that cannot be served any more is not waited for", () => {
    expect(hostsDoneWithAll([file(["a", "b"]), file([], false)])).toBe(2);
    expect(hostsDoneWithAll([file(["a"], false)])).toBe(0);
  });
});

describe("untilDone", () => {
  test("resolves with the number of hosts when there are enough", async () => {
    const clock = new VirtualClock();
    const hosts = ["a"];
    const done = untilDone(2, [file(hosts)], new AbortController().signal, clock);
    await clock.pass(10 * SEEDING_CHECK_MS);
    expect(Bun.peek.status(done)).toBe("pending");
    hosts.push("b", "c");
    await clock.pass(SEEDING_CHECK_MS);
    expect(await done).toBe(3);
    expect(clock.timerCount).toBe(0);
  });

  test("resolves with undefined when it is stopped, or when there is no file left", async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const done = untilDone(2, [file(["a"])], stop.signal, clock);
    const never = untilDone(1, [file(["a"], false)], new AbortController().signal, clock);
    stop.abort();
    await clock.pass(SEEDING_CHECK_MS);
    expect([await done, await never]).toEqual([undefined, undefined]);
  });
});
