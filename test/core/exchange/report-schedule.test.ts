import { describe, expect, test } from "bun:test";
import {
  FIRST_REPORT_SPREAD_MS,
  LAST_REPORT_MS,
  MAX_COLLECTORS,
  MIN_REPORT_INTERVAL_MS,
  REPORT_RETRY_MS,
  REPORT_TRIES,
} from "../../../src/core/exchange/limits.ts";
import { ReportSchedule } from "../../../src/core/exchange/report-schedule.ts";
import { addressKey } from "../../../src/core/format/peer-address.ts";

const address = (number: number) => ({ host: `10.0.0.${number}`, port: 42_070 });
const pinned = { isPinned: true, isConnected: false };
const connected = { isPinned: false, isConnected: true };
const taken = (needy = 0, intervalMs = MIN_REPORT_INTERVAL_MS) => ({ needy, intervalMs });
const WANTS_TOKEN = { needy: undefined, intervalMs: MIN_REPORT_INTERVAL_MS };

/** With collectors 1 to `count`; the first report is due at once. */
function schedule(count: number, how = pinned): ReportSchedule {
  const of = new ReportSchedule(() => 0);
  for (let number = 1; number <= count; number++) of.add(address(number), how, 0);
  return of;
}

const hostsOf = (addresses: readonly { host: string }[]) => addresses.map(({ host }) => host.slice(7));

describe("The first report", () => {
  test("of a fleet that starts at once is spread", () => {
    const of = new ReportSchedule(() => 0.5);
    of.add(address(1), pinned, 0);
    expect(of.due(FIRST_REPORT_SPREAD_MS / 2 - 1)).toEqual([]);
    expect(of.due(FIRST_REPORT_SPREAD_MS / 2)).toHaveLength(1);
  });

  test("goes again at once when it has got its token, and no faster when it never is taken in", () => {
    const of = schedule(1);
    expect(of.due(0)).toHaveLength(1);
    of.answered(address(1), WANTS_TOKEN, of.version, 10);
    expect(of.due(10)).toHaveLength(1);
    of.answered(address(1), WANTS_TOKEN, of.version, 20);
    expect(of.due(20)).toEqual([]);
  });
});

describe("A report", () => {
  test("follows the interval that the collector names, once for each of several collectors", () => {
    for (const count of [1, 4]) {
      const of = schedule(count);
      of.due(0);
      for (let number = 1; number <= count; number++) of.answered(address(number), taken(0, 5_000), 1, 0);
      for (let number = 1; number <= count; number++) of.answered(address(number), taken(0, 5_000), 1, 0);
      expect(of.due(count * 5_000 - 1)).toEqual([]);
      expect(of.due(count * 5_000)).toHaveLength(count);
    }
  });

  test("without an answer is repeated ever more rarely", () => {
    const of = schedule(1);
    let sent = 0;
    for (let now = 0; now < 3_600_000; now += 50) sent += of.due(now).length;
    expect(sent).toBeLessThan(30);
    expect(sent).toBeGreaterThanOrEqual(REPORT_TRIES);
  });
});

describe("The last report", () => {
  test("goes to all collectors at once, and again until each has answered it", () => {
    const of = schedule(2);
    of.due(0);
    for (const number of [1, 2]) of.answered(address(number), taken(), 1, 0);
    of.stateChanged(100);
    expect(hostsOf(of.due(100))).toEqual(["1", "2"]);
    of.answered(address(1), taken(), of.version, 110);
    expect(of.isSettled(110)).toBe(false);
    expect(hostsOf(of.due(100 + REPORT_RETRY_MS))).toEqual(["2"]);
    // The answer to an earlier one says nothing of this one.
    of.answered(address(2), taken(), of.version - 1, 400);
    expect(of.isSettled(400)).toBe(false);
    of.answered(address(2), taken(), of.version, 500);
    expect(of.isSettled(500)).toBe(true);
  });

  test("is given up after a while", () => {
    const of = schedule(1);
    of.due(0);
    of.answered(address(1), taken(), 1, 0);
    of.stateChanged(1_000);
    let sent = 0;
    for (let now = 1_000; !of.isSettled(now); now += 10) sent += of.due(now).length;
    expect(sent).toBe(LAST_REPORT_MS / REPORT_RETRY_MS);
  });

  test("waits for no address that has never answered, while another does", () => {
    const of = schedule(2);
    of.due(0);
    of.answered(address(1), taken(), 1, 0);
    of.stateChanged(100);
    of.due(100);
    of.answered(address(1), taken(), of.version, 110);
    expect(of.isSettled(110)).toBe(true);
  });

  test("is told over the connection where UDP is blocked", () => {
    const of = schedule(1, connected);
    of.stateChanged(0);
    of.due(0);
    expect(of.isSettled(1)).toBe(false);
    of.due(REPORT_RETRY_MS);
    expect(of.isSettled(REPORT_RETRY_MS)).toBe(true);
  });
});

describe("Collectors", () => {
  test("are so many at most; one that the user named takes the place of another, and a silent one gives its place up", () => {
    const of = new ReportSchedule(() => 0);
    for (let number = 1; number <= MAX_COLLECTORS + 2; number++) of.add(address(number), connected, 0);
    of.add(address(100), pinned, 0);
    expect(of.collectors).toHaveLength(MAX_COLLECTORS);
    expect(of.collectors).toContainEqual(address(100));
    const asked = new Set<string>();
    for (let now = 0; now < 60_000; now += 50) {
      for (const to of of.due(now)) {
        asked.add(to.host);
        if (addressKey(to) === addressKey(address(100))) of.answered(to, taken(), 1, now);
      }
    }
    expect(of.collectors).toContainEqual(address(100));
    expect(of.collectors).toHaveLength(MAX_COLLECTORS);
    expect(asked.size).toBe(MAX_COLLECTORS + 3);
  });

  test("decide whether hosts lack data: those that the user named before those that name themselves", () => {
    const of = schedule(1);
    of.add(address(2), connected, 0);
    expect(of.word(0)).toBe("unknown");
    of.due(0);
    of.answered(address(2), taken(0), 1, 0);
    expect(of.word(0)).toBe("none");
    of.answered(address(1), taken(3), 1, 0);
    expect(of.word(0)).toBe("needy");
    of.answered(address(1), taken(0), 1, 0);
    of.answered(address(2), taken(7), 1, 0);
    expect(of.word(0)).toBe("none");
    expect(of.word(600_000)).toBe("unknown");
  });
});
