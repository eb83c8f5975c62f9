import { describe, expect, test } from "bun:test";
import { SWARM_END_GRACE_MS } from "../../../src/core/transfer/limits.ts";
import { LAST_REPORT_MS } from "../../../src/core/exchange/limits.ts";
import { seedUntilEnough, type SeedingParts, untilTold } from "../../../src/session/download/seeding.ts";
import { FAREWELL_STEP_MS, SEEDING_CHECK_MS } from "../../../src/session/limits.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

function seeding(changes: Partial<SeedingParts> = {}) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const result = seedUntilEnough({
    goal: { seconds: 60, ratio: 2 },
    size: 100,
    uploaded: () => 0,
    isDataNeeded: () => true,
    signal: stop.signal,
    clock,
    ...changes,
  });
  return { clock, stop, result };
}

describe("seedUntilEnough", () => {
  test("ends after its time, in whole seconds, with what was uploaded", async () => {
    const { clock, result } = seeding({ uploaded: () => 42 });
    await clock.pass(60_000 - SEEDING_CHECK_MS);
    expect(Bun.peek.status(result)).toBe("pending");
    await clock.pass(SEEDING_CHECK_MS);
    expect(await result).toEqual({ reason: "time", uploaded: 42, seconds: 60 });
    expect(clock.timerCount).toBe(0);
  });

  test("ends at its ratio of uploaded bytes to the size", async () => {
    let uploaded = 199;
    const { clock, result } = seeding({ uploaded: () => uploaded });
    await clock.pass(5000);
    expect(Bun.peek.status(result)).toBe("pending");
    uploaded = 200;
    await clock.pass(SEEDING_CHECK_MS);
    expect(await result).toEqual({ reason: "ratio", uploaded: 200, seconds: 5 });
  });

  test("ends when no host has lacked data for a while, which begins anew with each that does", async () => {
    let isDataNeeded = false;
    const { clock, result } = seeding({ isDataNeeded: () => isDataNeeded });
    await clock.pass(SWARM_END_GRACE_MS - SEEDING_CHECK_MS);
    isDataNeeded = true;
    await clock.pass(SEEDING_CHECK_MS);
    isDataNeeded = false;
    await clock.pass(SWARM_END_GRACE_MS - SEEDING_CHECK_MS);
    expect(Bun.peek.status(result)).toBe("pending");
    await clock.pass(SEEDING_CHECK_MS);
    expect(await result).toMatchObject({ reason: "swarm" });
  });

  test("counts its time from its own begin, in seconds that are rounded", async () => {
    const clock = new VirtualClock();
    clock.advance(1_000_000);
    const { result } = seeding({ clock, goal: { seconds: 1200, ratio: 2 } });
    await clock.pass(1_200_000 - SEEDING_CHECK_MS);
    expect(Bun.peek.status(result)).toBe("pending");
    await clock.pass(SEEDING_CHECK_MS);
    expect(await result).toMatchObject({ reason: "time", seconds: 1200 });
  });

  test("stopped long before its goal it ends at the next check", async () => {
    const { clock, stop, result } = seeding();
    await clock.pass(5000);
    stop.abort();
    await clock.pass(SEEDING_CHECK_MS);
    expect(Bun.peek.status(result)).toBe("fulfilled");
    expect(await result).toBeUndefined();
  });

  test("stopped before, it has no result, even at the moment at which it would end", async () => {
    const { clock, stop, result } = seeding({ uploaded: () => 1000 });
    stop.abort();
    await clock.pass(SEEDING_CHECK_MS);
    expect(await result).toBeUndefined();
    expect(clock.timerCount).toBe(0);
  });
});

describe("untilTold", () => {
  test("ends as soon as the last report is answered, at once if it is already", async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    let isReported = true;
    await untilTold(() => isReported, signal, clock);
    isReported = false;
    const told = untilTold(() => isReported, signal, clock);
    await clock.pass(10 * FAREWELL_STEP_MS);
    expect(Bun.peek.status(told)).toBe("pending");
    isReported = true;
    await clock.pass(FAREWELL_STEP_MS);
    expect(Bun.peek.status(told)).toBe("fulfilled");
  });

  test("ends after a while without one, and when it is stopped", async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const late = untilTold(() => false, new AbortController().signal, clock);
    const stopped = untilTold(() => false, stop.signal, clock);
    stop.abort();
    await clock.pass(FAREWELL_STEP_MS);
    expect([Bun.peek.status(late), Bun.peek.status(stopped)]).toEqual(["pending", "fulfilled"]);
    await clock.pass(LAST_REPORT_MS);
    expect(Bun.peek.status(late)).toBe("fulfilled");
  });
});
