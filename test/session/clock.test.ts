import { describe, expect, test } from "bun:test";
import {
  CLIENT_MARK,
  newPeerIdBytes,
  systemClock,
  waitUntil,
  wallMs,
  wallSeconds,
} from "../../src/session/clock.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";

describe("waitUntil", () => {
  test("asks at once, and sets no timer when it is so already", async () => {
    const clock = new VirtualClock();
    await waitUntil(clock, 10, () => true);
    expect(clock.timerCount).toBe(0);
  });

  test("asks at every step, and ends with its timer", async () => {
    const clock = new VirtualClock();
    let asked = 0;
    const waiting = waitUntil(clock, 10, () => ++asked === 4);
    await clock.pass(29);
    expect([asked, Bun.peek.status(waiting)]).toEqual([3, "pending"]);
    await clock.pass(1);
    expect([asked, Bun.peek.status(waiting), clock.timerCount]).toEqual([4, "fulfilled", 0]);
  });
});

test("the clock of the system goes on, and its timers run until they are stopped", async () => {
  const before = systemClock.now();
  let runs = 0;
  await new Promise<void>((resolve) => {
    const stop = systemClock.every(1, () => {
      if (++runs < 3) return;
      stop();
      resolve();
    });
  });
  expect(systemClock.now()).toBeGreaterThan(before);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(runs).toBe(3);
});

test("a peer id begins with the mark of the client (BEP 20), and no two are the same", async () => {
  const [one, two] = [newPeerIdBytes(), newPeerIdBytes()];
  expect(new TextDecoder().decode(one.subarray(0, 8))).toBe(CLIENT_MARK);
  expect([one.length, Buffer.compare(one, two) === 0]).toEqual([20, false]);
});

test("the time of day is in milliseconds for people and in whole seconds for other machines", () => {
  expect(Math.abs(wallMs() - Date.now())).toBeLessThan(60_000);
  expect(Math.abs(wallSeconds() - Date.now() / 1000)).toBeLessThan(60);
  expect(Number.isInteger(wallSeconds())).toBe(true);
});
