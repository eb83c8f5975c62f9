import { describe, expect, test } from "bun:test";
import { hostsDoneWithAll, untilDone } from "../../../src/session/serve/until-done.ts";

const file = (hosts: readonly string[], isServed = true) => ({ isServed, doneHosts: () => new Set(hosts) });

describe("hostsDoneWithAll", () => {
  test("counts hosts that have every file", () => {
    expect(hostsDoneWithAll([file(["a", "b", "c"]), file(["b", "c", "d"])])).toBe(2);
    expect(hostsDoneWithAll([file(["a", "b"]), file([])])).toBe(0);
    expect(hostsDoneWithAll([file(["a"])])).toBe(1);
  });

  test("waits for nobody to get a file that cannot be served any more", () => {
    expect(hostsDoneWithAll([file(["a", "b"]), file([], false)])).toBe(2);
    expect(hostsDoneWithAll([file(["a"], false)])).toBe(0);
  });
});

describe("untilDone", () => {
  test("resolves with the number of hosts when there are enough", async () => {
    const hosts = ["a"];
    const done = untilDone(2, [file(hosts)], new AbortController().signal);
    hosts.push("b", "c");
    expect(await done).toBe(3);
  });

  test("resolves with undefined when it is stopped, or when there is no file left", async () => {
    const stop = new AbortController();
    const done = untilDone(2, [file(["a"])], stop.signal);
    stop.abort();
    expect(await done).toBeUndefined();
    expect(await untilDone(1, [file(["a"], false)], new AbortController().signal)).toBeUndefined();
  });
});
