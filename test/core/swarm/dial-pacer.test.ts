import { describe, expect, test } from "bun:test";
import { DialPacer } from "../../../src/core/swarm/dial-pacer.ts";
import {
  HEARSAY_DIALS_PER_HOST,
  HEARSAY_HOST_WINDOW_MS,
  HOST_DIAL_WINDOW_MS,
  MAX_DIALS_PER_HOST,
  MAX_HEARSAY_DIALS,
} from "../../../src/core/swarm/limits.ts";

const host = (index: number): string => `10.0.${index >> 8}.${index & 255}`;

/** When the dials began that a torrent gets which asks every `tickMs` for `duration`; `hostAt`: whom it wants. */
function dialsOf(
  pacer: DialPacer,
  tickMs: number,
  duration: number,
  hostAt: (asked: number) => string,
  isPinned = false,
): number[] {
  const begun: number[] = [];
  let asked = 0;
  for (let now = 1_000; now < 1_000 + duration; now += tickMs) {
    for (let i = 0; i < 50; i++) if (pacer.at(now).take(hostAt(asked++), isPinned)) begun.push(now);
  }
  return begun;
}

/** Most dials within any window. */
function most(times: readonly number[], windowMs: number): number {
  return Math.max(...times.map((end) => times.filter((at) => at > end - windowMs && at <= end).length));
}

describe("W20: Hearsay", () => {
  test.each([10, 100])(
    "is dialled as often as allowed within any second, with a heart beat of %d ms",
    (tickMs) => {
      const begun = dialsOf(new DialPacer(), tickMs, 5_000, host);
      expect(most(begun, 1_000)).toBe(MAX_HEARSAY_DIALS);
      expect(begun.length).toBe(5 * MAX_HEARSAY_DIALS);
    },
  );

  test("of one host is dialled twice in ten seconds", () => {
    const begun = dialsOf(new DialPacer(), 100, 30_000, () => host(1));
    expect(most(begun, HEARSAY_HOST_WINDOW_MS)).toBe(HEARSAY_DIALS_PER_HOST);
    expect(begun.length).toBe(3 * HEARSAY_DIALS_PER_HOST);
  });

  test("of a host that answers with handshakes is not bounded by those", () => {
    const pacer = new DialPacer();
    for (let i = 0; i < 10; i++) {
      expect(pacer.at(1_000 + i).take(host(1), false)).toBe(true);
      pacer.answered(host(1), false);
    }
    for (let i = 0; i < HEARSAY_DIALS_PER_HOST; i++) expect(pacer.at(1_100).take(host(1), false)).toBe(true);
    expect(pacer.at(1_100).mayDial(host(1), false)).toBe(false);
  });

  test("leaves dials of pinned addresses alone, and those leave it alone", () => {
    const pacer = new DialPacer();
    dialsOf(pacer, 100, 100, host);
    expect(pacer.at(1_000).mayDial(host(999), false)).toBe(false);
    expect(pacer.at(1_000).take(host(999), true)).toBe(true);
    expect(pacer.at(3_000).take(host(999), false)).toBe(true);
  });
});

describe("W20: One host", () => {
  test("gets ten unanswered connects a second, also when the user named 100 ports of it", () => {
    const begun = dialsOf(new DialPacer(), 10, 5_000, () => host(1), true);
    expect(most(begun, HOST_DIAL_WINDOW_MS)).toBe(MAX_DIALS_PER_HOST);
    expect(begun.length).toBe(5 * MAX_DIALS_PER_HOST);
  });

  test("is forgotten after the longest window", () => {
    const pacer = new DialPacer();
    dialsOf(pacer, 100, 60_000, host);
    expect(pacer.size).toBeLessThanOrEqual((MAX_HEARSAY_DIALS * HEARSAY_HOST_WINDOW_MS) / 1_000);
  });
});
