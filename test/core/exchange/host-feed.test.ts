import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { HostFeed } from "../../../src/core/exchange/host-feed.ts";
import { HOST_STATES, HostRoster } from "../../../src/core/exchange/host-roster.ts";
import { address, anyEntry, host, merged, NOW, picture, roster } from "./roster-fixture.ts";

describe("HostFeed", () => {
  test("gives our own entry first, then what is known, then only changes", () => {
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
        const sent: string[] = [];
        const said = new Set<string>();
        const tell = (max: number) => {
          const news = feed.next(max);
          expect(news.length).toBeLessThanOrEqual(max);
          for (const entry of news) {
            sent.push(JSON.stringify(entry));
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
          // The peer itself has sent it, and knows it therefore.
          peer.merge(one.entry, NOW);
          feed.heard(one.entry);
          const isNew = !sent.includes(JSON.stringify(one.entry));
          const counts = JSON.stringify(into.get(one.entry.address)) === JSON.stringify(one.entry);
          if (isNew && counts) said.add(JSON.stringify(one.entry));
        }
        while (tell(2) > 0);
        expect(new Set(sent).size).toBe(sent.length);
        for (const entry of said) expect(sent).not.toContain(entry);
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
          let sent = 0;
          for (const { to, feed, back } of ways) {
            for (const entry of feed.next(3)) {
              sent++;
              to.merge(entry, NOW);
              back.heard(entry);
            }
          }
          return sent;
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
