import { describe, expect, test } from "bun:test";
import { SEEDING_CHECK_MS } from "../../../src/session/limits.ts";
import { hostsDoneWithAll, untilDone } from "../../../src/session/serve/until-done.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

/** Hosts as "address" or "address destination". */
const file = (hosts: readonly string[], isServed = true) => ({
  isServed,
  doneHosts: () => {
    const done = new Map<string, Set<string>>();
    for (const [host = "", id = ""] of hosts.map((text) => text.split(" ")))
      done.set(host, (done.get(host) ?? new Set()).add(id));
    return done;
  },
});
const goal = (hosts: number) => ({ hosts, perAddress: 1 });

describe("hostsDoneWithAll", () => {
  test("counts hosts that have every file", () => {
    expect(hostsDoneWithAll([file(["a", "b", "c"]), file(["b", "c", "d"])], 1)).toBe(2);
    expect(hostsDoneWithAll([file(["a", "b"]), file([])], 1)).toBe(0);
    expect(hostsDoneWithAll([file(["a"])], 1)).toBe(1);
  });

  test("counts an address once, or as many of its destinations as are asked for", () => {
    const one = file(["a 1", "a 2", "a 3", "b 1"]);
    expect([1, 2, 3, 9].map((perAddress) => hostsDoneWithAll([one], perAddress))).toEqual([2, 3, 4, 4]);
    const other = file(["a 2", "a 3", "b 2"]);
    expect([1, 2, 3, 9].map((perAddress) => hostsDoneWithAll([one, other], perAddress))).toEqual([
      2, 3, 3, 3,
    ]);
  });

  test("a file that cannot be served any more is not waited for", () => {
    expect(hostsDoneWithAll([file(["a", "b"]), file([], false)], 1)).toBe(2);
    expect(hostsDoneWithAll([file(["a"], false)], 1)).toBe(0);
  });
});

describe("untilDone", () => {
  test("resolves with the number of hosts when there are enough", async () => {
    const clock = new VirtualClock();
    const hosts = ["a"];
    const done = untilDone(goal(2), [file(hosts)], new AbortController().signal, clock);
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
    const done = untilDone(goal(2), [file(["a"])], stop.signal, clock);
    const never = untilDone(goal(1), [file(["a"], false)], new AbortController().signal, clock);
    stop.abort();
    await clock.pass(SEEDING_CHECK_MS);
    expect([await done, await never]).toEqual([undefined, undefined]);
  });
});
