import { afterEach, describe, expect, jest, test } from "bun:test";
import { hostStream } from "../../src/cli/host-stream.ts";
import { OUTPUT_FLUSH_MS } from "../../src/cli/limits.ts";
import { FakeWritable, systemError } from "./fake-process.ts";

function opened() {
  const writable = new FakeWritable();
  const failures: string[] = [];
  return { writable, failures, stream: hostStream(writable, (code) => failures.push(code)) };
}

afterEach(() => {
  jest.useRealTimers();
});

describe("A stream of the process", () => {
  test("counts what its reader has not taken, and a flush waits for that", async () => {
    const { writable, stream } = opened();
    writable.isTaken = false;
    stream.write("four");
    stream.write("");
    stream.write("five5");
    expect([writable.text, stream.backlog]).toEqual(["fourfive5", 9]);
    let isFlushed = false;
    const flushed = stream.flush().finally(() => (isFlushed = true));
    await Bun.sleep(0);
    expect(isFlushed).toBe(false);
    writable.take();
    expect(await flushed).toBeUndefined();
    expect(stream.backlog).toBe(0);
  });

  test("that fails a write says why, once, and takes nothing more", async () => {
    const { writable, failures, stream } = opened();
    writable.failure = systemError("ENOSPC");
    stream.write("a");
    stream.write("b");
    writable.fail("EPIPE");
    expect([writable.text, failures, await stream.flush()]).toEqual(["a", ["ENOSPC"], "ENOSPC"]);
  });

  test("whose reader goes ends a flush that is waiting", async () => {
    const { writable, failures, stream } = opened();
    writable.isTaken = false;
    stream.write("a");
    const flushed = stream.flush();
    writable.fail("EPIPE");
    expect([await flushed, failures]).toEqual(["EPIPE", ["EPIPE"]]);
  });

  test("names an error that has no code", async () => {
    const { writable, stream } = opened();
    writable.failure = new Error("odd");
    stream.write("a");
    expect(await stream.flush()).toBe("unknown error");
  });

  test("is not waited for longer than OUTPUT_FLUSH_MS", async () => {
    jest.useFakeTimers();
    const { writable, stream } = opened();
    writable.isTaken = false;
    stream.write("a");
    const flushed = stream.flush();
    jest.advanceTimersByTime(OUTPUT_FLUSH_MS - 1);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(1);
    expect(await flushed).toBe("ETIMEDOUT");
  });

  test("leaves no timer behind when it was taken in time", async () => {
    jest.useFakeTimers();
    const { writable, stream } = opened();
    writable.isTaken = false;
    stream.write("a");
    const flushed = stream.flush();
    writable.take();
    expect([await flushed, jest.getTimerCount()]).toEqual([undefined, 0]);
  });

  test("has the size of its terminal as it is, and 80 × 24 where there is none", () => {
    const { writable, stream } = opened();
    expect([stream.isTerminal, stream.columns, stream.rows]).toEqual([false, 80, 24]);
    Object.assign(writable, { isTTY: true, columns: 0, rows: 0 });
    expect([stream.isTerminal, stream.columns, stream.rows]).toEqual([true, 80, 24]);
    Object.assign(writable, { columns: 132, rows: 50 });
    expect([stream.columns, stream.rows]).toEqual([132, 50]);
  });
});
