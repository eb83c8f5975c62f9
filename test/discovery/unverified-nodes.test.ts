import { describe, expect, test } from "bun:test";
import {
  DHT_PING_DELAY_MS,
  DHT_PING_PAUSE_MS,
  MAX_DHT_PINGS,
  MAX_DHT_PINGS_QUEUED,
  MAX_RATE_SOURCES,
} from "../../src/discovery/limits.ts";
import { addressKey } from "../../src/core/format/peer-address.ts";
import { UnverifiedNodes } from "../../src/discovery/unverified-nodes.ts";

const id = new Uint8Array(20);
const from = (i: number) => ({ host: "10.0.0.1", port: 1 + i });

function pinger() {
  const pinged: string[] = [];
  const open: (() => void)[] = [];
  const planned: { readonly after: number; readonly run: () => void }[] = [];
  const unverified = new UnverifiedNodes(
    ({ address }, done) => {
      pinged.push(addressKey(address));
      open.push(done);
    },
    (after, run) => planned.push({ after, run }),
  );
  return { unverified, pinged, open, planned };
}

describe("UnverifiedNodes", () => {
  test("D7: a node that sends queries is pinged once, and again after the pause", () => {
    const { unverified, pinged, open } = pinger();
    for (let i = 0; i < 5; i++) unverified.heard({ address: from(0), id }, i, true);
    expect(pinged).toEqual(["10.0.0.1:1"]);
    open.pop()?.();
    unverified.heard({ address: from(0), id }, DHT_PING_PAUSE_MS - 1, true);
    expect(pinged).toHaveLength(1);
    unverified.heard({ address: from(0), id }, DHT_PING_PAUSE_MS, true);
    expect(pinged).toHaveLength(2);
  });

  test("D7: a new id at a known address is pinged at once", () => {
    const { unverified, pinged } = pinger();
    unverified.heard({ address: from(0), id }, 0, true);
    unverified.heard({ address: from(0), id: new Uint8Array(20).fill(1) }, 0, true);
    expect(pinged).toHaveLength(2);
  });

  test("D7: nodes that never answer take a few pings in flight, and the others follow", () => {
    const { unverified, pinged, open } = pinger();
    for (let i = 0; i < 100; i++) unverified.heard({ address: from(i), id }, 0, true);
    expect(pinged).toHaveLength(MAX_DHT_PINGS);
    for (let done = open.shift(); done !== undefined; done = open.shift()) done();
    expect(pinged).toEqual(Array.from({ length: 100 }, (_, i) => addressKey(from(i))));
  });

  test("D7: a node that finds the queue full is queued at its next query", () => {
    const { unverified, pinged, open } = pinger();
    const room = MAX_DHT_PINGS + MAX_DHT_PINGS_QUEUED;
    for (let i = 0; i < room + 1; i++) unverified.heard({ address: from(i), id }, 0, true);
    for (let done = open.shift(); done !== undefined; done = open.shift()) done();
    expect(pinged).toHaveLength(room);
    unverified.heard({ address: from(room), id }, 1, true);
    expect(pinged.at(-1)).toBe(addressKey(from(room)));
  });

  test("nodes are pinged after the delay while the table needs none, a few at a time", () => {
    const { unverified, pinged, open, planned } = pinger();
    for (let i = 0; i < 20; i++) unverified.heard({ address: from(i), id }, i, false);
    expect([pinged.length, planned.map(({ after }) => after)]).toEqual([0, [DHT_PING_DELAY_MS]]);
    planned[0]?.run();
    expect(pinged).toHaveLength(MAX_DHT_PINGS);
    unverified.heard({ address: from(20), id }, 20, false);
    for (let done = open.shift(); done !== undefined; done = open.shift()) done();
    expect(pinged).toHaveLength(20);
    planned[1]?.run();
    expect(pinged).toHaveLength(21);
  });

  test("as soon as the table needs nodes all delayed ones are pinged", () => {
    const { unverified, pinged, planned } = pinger();
    unverified.heard({ address: from(0), id }, 0, false);
    unverified.heard({ address: from(1), id }, 1, true);
    expect(pinged).toEqual(["10.0.0.1:1", "10.0.0.1:2"]);
    for (const { run } of planned) run();
    expect(pinged).toHaveLength(2);
  });

  test("D7: delayed nodes are as bounded as queued ones", () => {
    const { unverified, pinged, open, planned } = pinger();
    for (let i = 0; i < 2 * MAX_DHT_PINGS_QUEUED; i++) unverified.heard({ address: from(i), id }, 0, false);
    for (const { run } of planned) run();
    for (let done = open.shift(); done !== undefined; done = open.shift()) done();
    expect(pinged).toHaveLength(MAX_DHT_PINGS_QUEUED);
  });

  test("D7: the memory of pings is bounded", () => {
    const { unverified, open } = pinger();
    for (let i = 0; i < 2 * MAX_RATE_SOURCES; i++) {
      unverified.heard({ address: from(i), id }, 0, true);
      open.pop()?.();
    }
    expect(unverified.size).toBe(MAX_RATE_SOURCES);
  });
});
