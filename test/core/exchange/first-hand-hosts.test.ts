import { describe, expect, test } from "bun:test";
import { FirstHandHosts } from "../../../src/core/exchange/first-hand-hosts.ts";
import { MAX_FIRST_HAND_HOSTS, MIN_DESTINATIONS_KEPT } from "../../../src/core/exchange/limits.ts";

const host = (number: number) => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
const numbers = (hosts: FirstHandHosts) => [hosts.size, hosts.wanting, hosts.done, hosts.needy];

describe("A host", () => {
  test("is an address, however many destinations it has", () => {
    const hosts = new FirstHandHosts(1);
    for (const destination of ["a", "b", "c"]) hosts.heard(host(1), destination, "done");
    hosts.heard(host(2), "a", "leeching");
    expect(numbers(hosts)).toEqual([2, 2, 1, 1]);
    expect([...hosts.doneHosts()]).toEqual([[host(1), new Set(["a", "b", "c"])]]);
  });

  test("that has been done stays so, and lacks data again when a run fetches the file once more", () => {
    const hosts = new FirstHandHosts(1);
    hosts.heard(host(1), "a", "done");
    hosts.heard(host(1), "a", "leeching");
    expect(numbers(hosts)).toEqual([1, 1, 1, 1]);
    hosts.heard(host(1), "a", "left");
    expect(numbers(hosts)).toEqual([1, 1, 1, 0]);
    expect(hosts.stateOf(host(1), "a")).toBe("left");
  });

  test("that left, failed or had the file from the start does not want it", () => {
    const hosts = new FirstHandHosts(1);
    for (const [number, state] of (["left", "failed", "source"] as const).entries())
      hosts.heard(host(number), "a", state);
    expect(numbers(hosts)).toEqual([3, 0, 0, 0]);
  });
});

describe("A full table", () => {
  test("gives up the host that is not done and was heard longest ago", () => {
    const hosts = new FirstHandHosts(1);
    hosts.heard(host(0), "a", "done");
    for (let i = 1; i < MAX_FIRST_HAND_HOSTS; i++) hosts.heard(host(i), "a", "leeching");
    hosts.heard(host(1), "a", "leeching");
    hosts.heard(host(900_000), "a", "done");
    expect(numbers(hosts)).toEqual([MAX_FIRST_HAND_HOSTS, MAX_FIRST_HAND_HOSTS, 2, MAX_FIRST_HAND_HOSTS - 2]);
    expect(hosts.stateOf(host(1), "a")).toBe("leeching");
    expect(hosts.stateOf(host(2), "a")).toBeUndefined();
  });

  test("W25: keeps no host out: one that is done is counted whatever filled it", () => {
    for (const state of ["leeching", "left", "source", "failed", "done"] as const) {
      const hosts = new FirstHandHosts(1);
      for (let i = 0; i < MAX_FIRST_HAND_HOSTS; i++) hosts.heard(host(i), "a", state);
      hosts.heard(host(900_000), "a", "done");
      expect(hosts.doneHosts().has(host(900_000))).toBe(true);
      expect(hosts.size).toBe(MAX_FIRST_HAND_HOSTS);
    }
  });

  test("of destinations forgets one that is not done first", () => {
    const hosts = new FirstHandHosts(1);
    hosts.heard(host(1), "done", "done");
    for (let i = 0; i < 3 * MIN_DESTINATIONS_KEPT; i++) hosts.heard(host(1), `${i}`, "leeching");
    expect([...(hosts.doneHosts().get(host(1)) ?? [])]).toEqual(["done"]);
    expect(hosts.needy).toBe(MIN_DESTINATIONS_KEPT - 1);
  });
});
