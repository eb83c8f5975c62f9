import { describe, expect, test } from "bun:test";
import { heapStats } from "bun:jsc";
import * as fc from "fast-check";
import { HOST_STATES, type HostEntry, HostRoster } from "../../../src/core/exchange/host-roster.ts";
import { MAX_HOST_CLOCK_LEAD_S, MAX_KNOWN_HOSTS } from "../../../src/core/exchange/limits.ts";
import { addressKey } from "../../../src/core/format/peer-address.ts";
import { address, anyEntry, host, merged, NOW, picture, roster } from "./roster-fixture.ts";

const stateOf = (of: HostRoster, number: number) => of.get(address(number))?.state;
const anyEntries = fc.array(anyEntry, { maxLength: 30 });

describe("merging", () => {
  test("the later entry of a host wins, in whatever order they arrive", () => {
    const into = roster();
    expect(into.merge(host(1, "done", NOW), NOW)).toBe(true);
    expect(into.merge(host(1, "leeching", NOW - 60), NOW)).toBe(false);
    expect(stateOf(into, 1)).toBe("done");
    expect(into.merge(host(1, "leeching", NOW + 1), NOW)).toBe(true);
    expect(stateOf(into, 1)).toBe("leeching");
  });

  test("of the same second, done wins over source, source over left, left over leeching", () => {
    for (const [low, state] of HOST_STATES.entries()) {
      for (const other of HOST_STATES.slice(0, low)) {
        expect(stateOf(merged([host(1, state), host(1, other)]), 1)).toBe(state);
        expect(stateOf(merged([host(1, other), host(1, state)]), 1)).toBe(state);
      }
    }
  });

  test("is commutative, associative and idempotent", () => {
    fc.assert(
      fc.property(anyEntries, anyEntries, anyEntries, (a, b, c) => {
        const whole = picture(merged(a, b, c));
        expect(picture(merged(c, b, a))).toEqual(whole);
        expect(picture(merged(a, b, c, a, b, c))).toEqual(whole);
        // What a roster says stands for everything that it has heard.
        const said = [...merged(b, c).changesAfter(0)].map(({ entry }) => entry).filter(isOther);
        expect(picture(merged(a, said))).toEqual(whole);
      }),
    );
  });

  test("N6: an entry from more than a day ahead counts as of now, and only while it changes something", () => {
    const into = roster();
    const future = NOW + 2 * MAX_HOST_CLOCK_LEAD_S;
    expect(into.merge(host(1, "leeching", future), NOW)).toBe(true);
    expect(into.get(address(1))?.since).toBe(NOW);
    expect(into.merge(host(1, "leeching", future), NOW + 1)).toBe(false);
    expect(into.merge(host(1, "done", future + 5), NOW)).toBe(true);
    expect(into.get(address(1))).toEqual(host(1, "done", NOW));
    // A clock that was put right is believed again.
    expect(into.merge(host(1, "leeching", NOW + 10), NOW + 10)).toBe(true);
  });

  test("an entry from up to a day ahead is kept as it is", () => {
    const ahead = host(1, "leeching", NOW + MAX_HOST_CLOCK_LEAD_S);
    expect(merged([ahead]).get(address(1))).toEqual(ahead);
  });
});

describe("what is known at first hand", () => {
  test("stands over an entry with a later time", () => {
    const into = roster();
    into.merge(host(1, "leeching", NOW + 600), NOW);
    expect(into.say(address(1), "done", NOW)).toBe(true);
    expect(into.get(address(1))).toEqual(host(1, "done", NOW + 601));
    expect(into.say(address(1), "done", NOW + 9999)).toBe(false);
  });

  test("leeching and done in the same second end as done everywhere", () => {
    const into = roster();
    const before = into.own;
    into.say(into.own.address, "done", NOW);
    expect(picture(merged([into.own, before]))).toEqual(picture(merged([before, into.own])));
    expect(into.own).toEqual(host(0, "done", NOW));
  });

  test("what an earlier process on our port left behind is overruled", () => {
    const [ours, theirs] = [roster("leeching"), merged([host(0, "left", NOW + 3600)])];
    const other = new HostRoster(address(9), "source", NOW);
    other.merge(host(0, "left", NOW + 3600), NOW);
    expect(stateOf(other, 0)).toBe("left");
    expect(ours.merge(host(0, "left", NOW + 3600), NOW)).toBe(true);
    expect(ours.own).toEqual(host(0, "leeching", NOW + 3601));
    expect(other.merge(ours.own, NOW)).toBe(true);
    expect(stateOf(other, 0)).toBe("leeching");
    expect(theirs.own.state).toBe("source");
  });

  test("an older entry of our own address changes nothing", () => {
    const ours = roster("leeching");
    expect(ours.merge(host(0, "done", NOW - 1), NOW)).toBe(false);
    expect(ours.own).toEqual(host(0, "leeching", NOW));
  });
});

describe("counting", () => {
  test("those that want the file or have got it and those that are done, each address once", () => {
    const into = roster("leeching");
    for (const entry of [
      host(1, "done"),
      host(2, "done"),
      host(3, "leeching"),
      host(4, "left"),
      host(5, "source"),
    ])
      into.merge(entry, NOW);
    expect([into.size, into.wanting, into.done]).toEqual([6, 4, 2]);
    into.merge({ ...host(1, "done"), address: { ...address(1), port: 1 } }, NOW);
    expect([into.size, into.wanting, into.done]).toEqual([7, 4, 2]);
    into.say(into.own.address, "done", NOW);
    expect([into.wanting, into.done]).toEqual([4, 3]);
    into.merge(host(3, "left", NOW + 1), NOW);
    expect([into.wanting, into.done]).toEqual([3, 3]);
  });
});

describe("hearsay", () => {
  test("fills the picture, stands behind what a host says itself, and is passed on to no peer", () => {
    const into = roster();
    expect(into.hear(host(1, "leeching"), NOW)).toBe(true);
    expect(into.hear(host(1, "leeching", NOW + 5), NOW)).toBe(false);
    expect(into.hear(host(1, "done", NOW + 5), NOW)).toBe(true);
    expect([stateOf(into, 1), into.wanting, into.done]).toEqual(["done", 2, 1]);
    expect(picture(into)).toEqual(picture(roster()));
    expect(into.merge(host(1, "leeching"), NOW)).toBe(true);
    expect(into.hear(host(1, "left", NOW + 9), NOW)).toBe(false);
    expect([stateOf(into, 1), into.hearsaySize, into.version]).toEqual(["leeching", 0, 2]);
  });

  test("is bounded, and the latest stays", () => {
    const into = roster();
    for (let i = 1; i <= MAX_KNOWN_HOSTS + 10; i++) into.hear(host(i, "done"), NOW);
    expect(into.hearsaySize).toBe(MAX_KNOWN_HOSTS);
    expect([stateOf(into, 10), stateOf(into, MAX_KNOWN_HOSTS + 10)]).toEqual([undefined, "done"]);
  });

  test("of our own address is overruled", () => {
    const into = roster("leeching");
    expect(into.hear(host(0, "left", NOW + 3600), NOW)).toBe(true);
    expect(into.own).toEqual(host(0, "leeching", NOW + 3601));
  });
});

describe("bounds", () => {
  test("a full roster forgets the host that spoke first, and takes in every other", () => {
    const into = roster();
    for (let i = 1; i < MAX_KNOWN_HOSTS; i++) into.merge(host(i, "done"), NOW);
    expect(into.merge(host(900_000, "leeching"), NOW)).toBe(true);
    expect(into.size).toBe(MAX_KNOWN_HOSTS);
    expect([into.get(address(1)), stateOf(into, 2), into.own.state]).toEqual([undefined, "done", "leeching"]);
  });

  test("the memory is bounded by the number of hosts, however often they change", () => {
    const busy = roster();
    Bun.gc(true);
    const before = heapStats().heapSize;
    const states = [host(1, "done"), host(1, "leeching")] as const;
    for (let i = 0; i < 300_000; i++) busy.merge({ ...states[i % 2 ? 1 : 0], since: NOW + i }, NOW + i);
    Bun.gc(true);
    // Each change that is kept takes 100 bytes or more.
    expect(heapStats().heapSize - before).toBeLessThan(5e6);
    expect([...busy.changesAfter(0)]).toHaveLength(busy.size);
  });
});

function isOther(entry: HostEntry): boolean {
  return addressKey(entry.address) !== addressKey(address(0));
}
