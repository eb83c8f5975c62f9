import { describe, expect, test } from "bun:test";
import {
  DHT_GREETING_PAUSE_MS,
  MAX_DHT_GREETINGS,
  MAX_DHT_GREETINGS_WAITING,
  MAX_RATE_SOURCES,
} from "../../src/core/limits.ts";
import { addressKey } from "../../src/core/peer-address.ts";
import { Newcomers } from "../../src/discovery/newcomers.ts";

const id = new Uint8Array(20);
const from = (i: number) => ({ host: "10.0.0.1", port: 1 + i });

function greeter() {
  const pinged: string[] = [];
  const open: (() => void)[] = [];
  const newcomers = new Newcomers((address, done) => {
    pinged.push(addressKey(address));
    open.push(done);
  });
  return { newcomers, pinged, open };
}

describe("Newcomers", () => {
  test("D7: whoever asks is pinged once, and again after the pause", () => {
    const { newcomers, pinged, open } = greeter();
    for (let i = 0; i < 5; i++) newcomers.heard(from(0), id, i);
    expect(pinged).toEqual(["10.0.0.1:1"]);
    open.pop()?.();
    newcomers.heard(from(0), id, DHT_GREETING_PAUSE_MS - 1);
    expect(pinged).toHaveLength(1);
    newcomers.heard(from(0), id, DHT_GREETING_PAUSE_MS);
    expect(pinged).toHaveLength(2);
  });

  test("D7: a new id at a known address is pinged at once", () => {
    const { newcomers, pinged } = greeter();
    newcomers.heard(from(0), id, 0);
    newcomers.heard(from(0), new Uint8Array(20).fill(1), 0);
    expect(pinged).toHaveLength(2);
  });

  test("D7: those who never answer hold a few places, and the others come in their turn", () => {
    const { newcomers, pinged, open } = greeter();
    for (let i = 0; i < 100; i++) newcomers.heard(from(i), id, 0);
    expect(pinged).toHaveLength(MAX_DHT_GREETINGS);
    for (let done = open.shift(); done !== undefined; done = open.shift()) done();
    expect(pinged).toEqual(Array.from({ length: 100 }, (_, i) => addressKey(from(i))));
  });

  test("D7: who finds the queue full is heard the next time it asks", () => {
    const { newcomers, pinged, open } = greeter();
    const room = MAX_DHT_GREETINGS + MAX_DHT_GREETINGS_WAITING;
    for (let i = 0; i < room + 1; i++) newcomers.heard(from(i), id, 0);
    for (let done = open.shift(); done !== undefined; done = open.shift()) done();
    expect(pinged).toHaveLength(room);
    newcomers.heard(from(room), id, 1);
    expect(pinged.at(-1)).toBe(addressKey(from(room)));
  });

  test("D7: the memory of greetings is bounded", () => {
    const { newcomers, open } = greeter();
    for (let i = 0; i < 2 * MAX_RATE_SOURCES; i++) {
      newcomers.heard(from(i), id, 0);
      open.pop()?.();
    }
    expect(newcomers.size).toBe(MAX_RATE_SOURCES);
  });
});
