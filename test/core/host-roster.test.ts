import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { HostFeed } from "../../src/core/host-feed.ts";
import { HOST_STATES, type HostEntry, HostRoster, type HostState } from "../../src/core/host-roster.ts";
import { MAX_HOST_CLOCK_LEAD_S, MAX_KNOWN_HOSTS } from "../../src/core/limits.ts";
import { addressKey, type PeerAddress } from "../../src/core/peer-address.ts";

const NOW = 1_800_000_000;
const address = (number: number): PeerAddress => ({
  host: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
  port: 42_070,
});
const host = (number: number, state: HostState, since = NOW): HostEntry => ({
  address: address(number),
  state,
  since,
});
/** We are host 0. */
const roster = (state: HostState = "leeching", now = NOW) => new HostRoster(address(0), state, now);
const picture = (of: HostRoster) =>
  [...of.changesAfter(0)]
    .map(({ entry }) => `${addressKey(entry.address)} ${entry.state} ${entry.since}`)
    .toSorted();
const stateOf = (of: HostRoster, number: number) => of.get(address(number))?.state;

/** Few hosts and seconds, so that many compete. */
const anyEntry = fc
  .record({
    number: fc.integer({ min: 1, max: 5 }),
    state: fc.constantFrom(...HOST_STATES),
    since: fc.integer({ min: NOW - 3, max: NOW + 3 }),
  })
  .map(({ number, state, since }) => host(number, state, since));
const anyEntries = fc.array(anyEntry, { maxLength: 30 });

function merged(...lists: readonly (readonly HostEntry[])[]): HostRoster {
  const into = roster("source");
  for (const entry of lists.flat()) into.merge(entry, NOW);
  return into;
}

describe("merging", () => {
  test("the later word of a host wins, whichever comes first", () => {
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

  test("N6: a word from more than a day ahead counts as of now, and only while it changes something", () => {
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

  test("a word from up to a day ahead is kept as it is", () => {
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

  test("an older word about ourselves changes nothing", () => {
    const ours = roster("leeching");
    expect(ours.merge(host(0, "done", NOW - 1), NOW)).toBe(false);
    expect(ours.own).toEqual(host(0, "leeching", NOW));
  });
});

describe("counting", () => {
  test("those that want the file or have got it, those that are done, and those in need but us", () => {
    const into = roster("leeching");
    for (const entry of [
      host(1, "done"),
      host(2, "done"),
      host(3, "leeching"),
      host(4, "left"),
      host(5, "source"),
    ])
      into.merge(entry, NOW);
    expect([into.size, into.wanting, into.done, into.needy]).toEqual([6, 4, 2, 1]);
    expect(into.doneHosts()).toEqual(new Set(["10.0.0.1:42070", "10.0.0.2:42070"]));
    into.say(into.own.address, "done", NOW);
    expect([into.wanting, into.done, into.needy]).toEqual([4, 3, 1]);
    into.merge(host(3, "left", NOW + 1), NOW);
    expect([into.wanting, into.done, into.needy]).toEqual([3, 3, 0]);
  });
});

describe("bounds", () => {
  test("a full roster forgets only those that left, and takes in nobody else", () => {
    const into = roster();
    for (let i = 1; i < MAX_KNOWN_HOSTS - 1; i++) into.merge(host(i, i % 2 === 0 ? "done" : "leeching"), NOW);
    into.merge(host(900_000, "left"), NOW);
    expect(into.size).toBe(MAX_KNOWN_HOSTS);
    expect(into.merge(host(900_001, "left"), NOW)).toBe(false);
    expect(into.merge(host(900_002, "leeching"), NOW)).toBe(true);
    expect(into.get(address(900_000))).toBeUndefined();
    expect(into.merge(host(900_003, "done"), NOW)).toBe(false);
    expect(into.merge(host(1, "done", NOW + 1), NOW)).toBe(true);
    expect(into.size).toBe(MAX_KNOWN_HOSTS);
  });

  test("the log stays within twice the number of hosts, however often they change", () => {
    const busy = roster();
    for (let i = 0; i < 1000; i++) {
      busy.merge(host(1 + (i % 7), i % 2 === 0 ? "done" : "leeching", NOW + i), NOW);
      expect(busy.logLength).toBeLessThanOrEqual(2 * busy.size);
    }
    fc.assert(
      fc.property(anyEntries, anyEntries, (a, b) => {
        const into = roster();
        for (const entry of [...a, ...b]) {
          into.merge(entry, NOW);
          expect(into.logLength).toBeLessThanOrEqual(2 * into.size);
        }
      }),
    );
  });
});

describe("HostFeed", () => {
  test("says who we are first, then what is known, then only news", () => {
    const into = merged([host(1, "leeching"), host(2, "done")]);
    into.say(into.own.address, "done", NOW);
    const feed = new HostFeed(into);
    expect(feed.next(10)).toEqual([into.own, host(1, "leeching"), host(2, "done")]);
    expect(feed.next(10)).toEqual([]);
    expect(feed.remembered).toBe(0);
    into.merge(host(1, "done", NOW + 1), NOW);
    expect(feed.next(10)).toEqual([host(1, "done", NOW + 1)]);
    expect(feed.next(10)).toEqual([]);
  });

  test("leaves the rest for the next message", () => {
    const into = merged(Array.from({ length: 5 }, (_, i) => host(i + 1, "leeching")));
    const feed = new HostFeed(into);
    const messages = [feed.next(2), feed.next(2), feed.next(2), feed.next(2)];
    expect(messages.map((message) => message.length)).toEqual([2, 2, 2, 0]);
    expect(new Set(messages.flat()).size).toBe(6);
  });

  test("does not repeat to a peer what it has said, unless it knows better", () => {
    const into = roster("source");
    const feed = new HostFeed(into);
    feed.next(10);
    into.merge(host(1, "leeching"), NOW);
    feed.heard(host(1, "leeching"));
    into.merge(host(2, "done"), NOW);
    feed.heard(host(2, "leeching"));
    expect(feed.next(10)).toEqual([host(2, "done")]);
    into.merge(host(1, "done"), NOW);
    expect(feed.next(10)).toEqual([host(1, "done")]);
  });

  test("every peer hears each change exactly once, and ends with the whole picture", () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant("merge" as const), entry: anyEntry, said: fc.boolean() }),
      fc.record({ type: fc.constant("tell" as const), max: fc.integer({ min: 1, max: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const into = roster("source");
        const feed = new HostFeed(into);
        const peer = new HostRoster(address(99), "leeching", NOW);
        const told: string[] = [];
        const said = new Set<string>();
        const tell = (max: number) => {
          const news = feed.next(max);
          expect(news.length).toBeLessThanOrEqual(max);
          for (const entry of news) {
            told.push(JSON.stringify(entry));
            peer.merge(entry, NOW);
          }
          return news.length;
        };
        for (const one of steps) {
          if (one.type === "tell") {
            tell(one.max);
            continue;
          }
          into.merge(one.entry, NOW);
          if (!one.said) continue;
          // The peer itself has told us, and knows it therefore.
          peer.merge(one.entry, NOW);
          feed.heard(one.entry);
          const isNew = !told.includes(JSON.stringify(one.entry));
          const counts = JSON.stringify(into.get(one.entry.address)) === JSON.stringify(one.entry);
          if (isNew && counts) said.add(JSON.stringify(one.entry));
        }
        while (tell(2) > 0);
        expect(new Set(told).size).toBe(told.length);
        for (const entry of said) expect(told).not.toContain(entry);
        for (const { entry } of into.changesAfter(0)) expect(peer.get(entry.address)).toEqual(entry);
      }),
    );
  });

  test("a swarm of rosters that talk over random links agrees in the end", () => {
    const link = fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 7 }));
    const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.constantFrom(...HOST_STATES)), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.array(link, { maxLength: 20 }), changes, (extra, changes) => {
        const rosters = Array.from({ length: 8 }, (_, i) => new HostRoster(address(i), "leeching", NOW));
        const ring = rosters.map((_, i): [number, number] => [i, (i + 1) % 8]);
        const links = [...ring, ...extra].filter(([a, b]) => a !== b);
        // Both ways of each link: to tell, and to remember what was heard.
        const ways = links.flatMap(([a, b]) => {
          const [one, other] = [rosters[a]!, rosters[b]!];
          const [out, back] = [new HostFeed(one), new HostFeed(other)];
          return [
            { to: other, feed: out, back },
            { to: one, feed: back, back: out },
          ];
        });
        const round = () => {
          let told = 0;
          for (const { to, feed, back } of ways) {
            for (const entry of feed.next(3)) {
              told++;
              to.merge(entry, NOW);
              back.heard(entry);
            }
          }
          return told;
        };
        for (const [at, state] of changes) {
          rosters[at]!.say(rosters[at]!.own.address, state, NOW);
          round();
        }
        for (let rounds = 0; round() > 0; rounds++) expect(rounds).toBeLessThan(50);
        for (const one of rosters) expect(picture(one)).toEqual(picture(rosters[0]!));
        for (const one of rosters) expect(rosters[0]!.get(one.own.address)).toEqual(one.own);
      }),
    );
  });
});

function isOther(entry: HostEntry): boolean {
  return addressKey(entry.address) !== addressKey(address(0));
}
