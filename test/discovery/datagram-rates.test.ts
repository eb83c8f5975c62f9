import { describe, expect, test } from "bun:test";
import {
  DATAGRAM_HOST_BURST,
  DATAGRAM_HOST_RATE,
  DATAGRAM_TOTAL_BURST,
  DATAGRAM_TOTAL_RATE,
  QUERY_BURST,
  QUERY_RATE,
  REPLY_HOST_BURST,
  REPLY_HOST_RATE,
  REPLY_TOTAL_BURST,
  REPLY_TOTAL_RATE,
} from "../../src/discovery/limits.ts";
import { DatagramRates } from "../../src/discovery/datagram-rates.ts";

/** The longest reply. */
const REPLY = 680;
const host = (i: number) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
const times = (count: number, is: (i: number) => boolean) =>
  Array.from({ length: count }, (_, i) => is(i)).filter(Boolean).length;

describe("DatagramRates", () => {
  test("30 processes behind one address have a rate each for what they send us", () => {
    const rates = new DatagramRates();
    times(10_000, () => rates.mayRead({ host: "10.0.0.1", port: 42_070 }, 0));
    for (let port = 42_071; port < 42_100; port++)
      expect(times(40, () => rates.mayRead({ host: "10.0.0.1", port }, 0))).toBe(40);
  });

  test("D10: a flood from all ports of a host is held to the rate of the host, and another host is still read", () => {
    const rates = new DatagramRates();
    const flood = (now: number) =>
      times(60_000, (i) => rates.mayRead({ host: "10.0.0.1", port: 1 + i }, now));
    expect(flood(0)).toBe(DATAGRAM_HOST_BURST);
    expect(flood(1000)).toBe(DATAGRAM_HOST_RATE);
    expect(times(50, () => rates.mayRead({ host: "10.0.0.2", port: 1 }, 1000))).toBe(50);
  });

  test("D10: a flood from many hosts is held to the rate of all", () => {
    const rates = new DatagramRates();
    const flood = (now: number) => times(60_000, (i) => rates.mayRead({ host: host(i), port: 1 }, now));
    expect(flood(0)).toBe(DATAGRAM_TOTAL_BURST);
    expect(flood(1000)).toBe(DATAGRAM_TOTAL_RATE);
  });

  test("1000 machines that start together are all read and all answered, three queries each", () => {
    const rates = new DatagramRates();
    const isServed = (i: number) => {
      const from = { host: host(i % 1000), port: 42_070 };
      return rates.mayRead(from, 0) && rates.mayReply(from, REPLY, 0);
    };
    expect(times(3000, isServed)).toBe(3000);
  });

  test("1000 machines that send a query a second are all answered, for as long as they do", () => {
    const rates = new DatagramRates();
    for (let second = 1; second <= 20; second++) {
      const now = second * 1000;
      const isServed = (i: number) => rates.mayReply({ host: host(i), port: 42_070 }, REPLY, now);
      expect(times(1000, isServed)).toBe(1000);
    }
  });

  test("30 processes of one host that send three queries a second are all answered", () => {
    const rates = new DatagramRates();
    for (let second = 1; second <= 20; second++) {
      const isServed = (i: number) =>
        rates.mayReply({ host: "10.0.0.1", port: 42_070 + (i % 30) }, REPLY, second * 1000);
      expect(times(90, isServed)).toBe(90);
    }
  });

  test("D3: a host gets a burst of replies and then its rate, whatever ports are named", () => {
    const rates = new DatagramRates();
    let port = 0;
    const flood = (now: number) =>
      times(20_000, () => rates.mayReply({ host: "10.0.0.1", port: ++port }, REPLY, now)) * REPLY;
    expect(flood(0)).toBeLessThanOrEqual(REPLY_HOST_BURST);
    expect(flood(1000)).toBeLessThanOrEqual(REPLY_HOST_RATE + REPLY);
    expect(flood(1000)).toBe(0);
  });

  test("D3: all replies together are bounded, however many hosts are named", () => {
    const rates = new DatagramRates();
    let sent = 0;
    for (let now = 0; now <= 10_000; now += 10)
      sent += times(500, (i) => rates.mayReply({ host: host(now * 50 + i), port: 1 }, REPLY, now)) * REPLY;
    expect(sent).toBeLessThanOrEqual(REPLY_TOTAL_BURST + 10 * REPLY_TOTAL_RATE);
    expect(sent).toBeGreaterThan(0.95 * (REPLY_TOTAL_BURST + 10 * REPLY_TOTAL_RATE));
  });

  test("D3: our own queries are bounded too, and no flood of others' uses them up", () => {
    const rates = new DatagramRates();
    times(100_000, (i) => rates.mayReply({ host: host(i), port: 1 }, REPLY, 0));
    expect(times(100_000, () => rates.mayAsk(0))).toBe(QUERY_BURST);
    expect(times(100_000, () => rates.mayAsk(1000))).toBe(QUERY_RATE);
  });
});
