import { describe, expect, test } from "bun:test";
import { watchPatience } from "../../../src/session/download/patience.ts";
import { SEEDING_CHECK_MS } from "../../../src/session/limits.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

class Fixture {
  readonly clock = new VirtualClock();
  timeouts = 0;
  progress: string | undefined = "metadata";
  readonly end: () => void;

  constructor(timeoutSeconds: number) {
    this.end = watchPatience({
      clock: this.clock,
      timeoutSeconds,
      progress: () => this.progress,
      onTimeout: () => this.timeouts++,
    });
  }
}

describe("watchPatience", () => {
  test("is over when nothing has arrived for so long", async () => {
    const fixture = new Fixture(5);
    await fixture.clock.pass(5000);
    expect(fixture.timeouts).toBe(0);
    await fixture.clock.pass(200);
    expect(fixture.timeouts).toBeGreaterThan(0);
  });

  test("is over at the check at which the time is full", async () => {
    const fixture = new Fixture(5);
    // The first check sees where the download stands.
    await fixture.clock.pass(SEEDING_CHECK_MS + 5000 - 1);
    expect(fixture.timeouts).toBe(0);
    await fixture.clock.pass(1);
    expect(fixture.timeouts).toBe(1);
  });

  test("begins anew with everything that arrives", async () => {
    const fixture = new Fixture(5);
    for (let bytes = 0; bytes < 10; bytes++) {
      await fixture.clock.pass(4000);
      fixture.progress = `downloading ${bytes}`;
    }
    expect(fixture.timeouts).toBe(0);
  });

  test("does not count while nothing is waited for", async () => {
    const fixture = new Fixture(5);
    fixture.progress = undefined;
    await fixture.clock.pass(60_000);
    expect(fixture.timeouts).toBe(0);
    fixture.progress = "downloading 0";
    await fixture.clock.pass(4900);
    expect(fixture.timeouts).toBe(0);
  });

  test("of 0 is never over, and ends when it is ended", async () => {
    const endless = new Fixture(0);
    await endless.clock.pass(3_600_000);
    endless.end();
    const ended = new Fixture(1);
    ended.end();
    await ended.clock.pass(60_000);
    expect([endless.timeouts, ended.timeouts, ended.clock.timerCount]).toEqual([0, 0, 0]);
  });
});
