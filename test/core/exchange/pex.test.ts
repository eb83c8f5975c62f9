import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { encodeBencode } from "../../../src/core/format/bencode.ts";
import { MAX_PEX_ADDRESSES, PEX_INTERVAL_MS } from "../../../src/core/exchange/limits.ts";
import type { PeerAddress } from "../../../src/core/format/peer-address.ts";
import { encodePex, parsePex, PexFeed, type PexPeer } from "../../../src/core/exchange/pex.ts";

const address = (last: number): PeerAddress => ({ host: `10.0.${last >> 8}.${last & 255}`, port: 42070 });
const peers = (from: number, to: number, seed = false): PexPeer[] =>
  Array.from({ length: to - from }, (_, at) => ({ address: address(from + at), seed }));
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe("encodePex", () => {
  test("writes compact addresses and one flag byte for each that was added", () => {
    const added = [
      { address: { host: "10.0.0.1", port: 0x1234 }, seed: false },
      { address: { host: "10.0.0.2", port: 1 }, seed: true },
    ];
    expect(encodePex({ added, dropped: [{ host: "10.0.0.3", port: 0xffff }] })).toEqual(
      bytes(
        "d5:added12:\x0a\0\0\x01\x12\x34\x0a\0\0\x02\0\x017:added.f2:\0\x027:dropped6:\x0a\0\0\x03\xff\xffe",
      ),
    );
  });

  test("is read back by parsePex", () => {
    const anyAddress = fc.record({ host: fc.ipV4(), port: fc.integer({ min: 1, max: 65535 }) });
    const added = fc.array(fc.record({ address: anyAddress, seed: fc.boolean() }), { maxLength: 50 });
    fc.assert(
      fc.property(added, fc.array(anyAddress, { maxLength: 50 }), (added, dropped) => {
        expect(parsePex(encodePex({ added, dropped }))).toEqual({ added, dropped });
      }),
    );
  });
});

describe("parsePex", () => {
  test("takes absent lists as empty and ignores IPv6 and unknown keys", () => {
    expect(parsePex(bytes("de"))).toEqual({ added: [], dropped: [] });
    expect(parsePex(encodeBencode({ added6: new Uint8Array(18), "added6.f": "x", x: [1] }))).toEqual({
      added: [],
      dropped: [],
    });
  });

  test("skips port 0 and keeps each flag with its address", () => {
    const list = bytes("\x0a\0\0\x01\0\0\x0a\0\0\x02\0\x09");
    const message = parsePex(encodeBencode({ added: list, "added.f": bytes("\0\x12"), dropped: list }));
    expect(message?.added).toEqual([{ address: { host: "10.0.0.2", port: 9 }, seed: true }]);
    expect(message?.dropped).toEqual([{ host: "10.0.0.2", port: 9 }]);
  });

  test("takes missing flags as none set", () => {
    const list = bytes("\x0a\0\0\x01\0\x09\x0a\0\0\x02\0\x09");
    const message = parsePex(encodeBencode({ added: list, "added.f": bytes("\x02") }));
    expect(message?.added.map((peer) => peer.seed)).toEqual([true, false]);
  });

  test("W20: reads no more than its limit of ten thousand addresses", () => {
    const list = new Uint8Array(60_000).fill(7);
    const message = parsePex(encodeBencode({ added: list, dropped: list }));
    expect(message?.added).toHaveLength(MAX_PEX_ADDRESSES);
    expect(message?.dropped).toHaveLength(MAX_PEX_ADDRESSES);
  });

  const bad = [
    "",
    "le",
    "i1e",
    "l-3:",
    "d5:added5:aaaaae",
    "d7:dropped7:aaaaaaae",
    "d5:added6:aaaaaae5:added0:e",
    "dex",
  ];
  test.each(bad)("refuses %p", (text) => {
    expect(parsePex(bytes(text))).toBeUndefined();
  });

  test("reads a list of another type as absent", () => {
    expect(parsePex(bytes("d5:addedi6e7:droppedlee"))).toEqual({ added: [], dropped: [] });
  });
});

describe("PexFeed", () => {
  test("tells everything at first, then only what changed", () => {
    const feed = new PexFeed();
    expect(feed.next(peers(0, 3), 0)).toEqual({ added: peers(0, 3), dropped: [] });
    expect(feed.next(peers(1, 4), PEX_INTERVAL_MS)).toEqual({ added: peers(3, 4), dropped: [address(0)] });
    expect(feed.next(peers(1, 4), 2 * PEX_INTERVAL_MS)).toBeUndefined();
    expect(feed.next(peers(0, 4), 2 * PEX_INTERVAL_MS)).toEqual({ added: peers(0, 1), dropped: [] });
  });

  test("never speaks more often than once a minute", () => {
    const feed = new PexFeed();
    expect(feed.next(peers(0, 1), 1000)).toBeDefined();
    expect(feed.next(peers(0, 2), 1000 + PEX_INTERVAL_MS - 1)).toBeUndefined();
    expect(feed.next(peers(0, 2), 1000 + PEX_INTERVAL_MS)).toBeDefined();
  });

  test("having nothing to say does not start the minute", () => {
    const feed = new PexFeed();
    expect(feed.next([], 0)).toBeUndefined();
    expect(feed.next(peers(0, 1), 1)).toBeDefined();
  });

  test("leaves for the next message what does not fit into 50 added and 50 dropped", () => {
    const feed = new PexFeed();
    expect(feed.next(peers(0, 120), 0)?.added).toEqual(peers(0, 50));
    expect(feed.next(peers(0, 120), PEX_INTERVAL_MS)?.added).toEqual(peers(50, 100));
    expect(feed.next(peers(0, 120), 2 * PEX_INTERVAL_MS)?.added).toEqual(peers(100, 120));
    expect(feed.next([], 3 * PEX_INTERVAL_MS)?.dropped).toHaveLength(50);
    expect(feed.next([], 4 * PEX_INTERVAL_MS)?.dropped).toHaveLength(50);
    expect(feed.next([], 5 * PEX_INTERVAL_MS)?.dropped).toHaveLength(20);
    expect(feed.next([], 6 * PEX_INTERVAL_MS)).toBeUndefined();
  });

  test("a peer that follows its messages ends up with exactly the connected addresses", () => {
    const rounds = fc.array(fc.uniqueArray(fc.nat(80), { maxLength: 60 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(rounds, (rounds) => {
        const feed = new PexFeed();
        const heard = new Set<string>();
        let now = 0;
        const apply = (connected: readonly number[]): void => {
          now += PEX_INTERVAL_MS;
          const message = feed.next(
            connected.map((last) => ({ address: address(last), seed: false })),
            now,
          );
          for (const peer of message?.added ?? []) heard.add(peer.address.host);
          for (const dropped of message?.dropped ?? []) heard.delete(dropped.host);
        };
        for (const connected of rounds) apply(connected);
        const last = rounds.at(-1)!;
        apply(last);
        apply(last);
        expect([...heard].sort()).toEqual(last.map((value) => address(value).host).sort());
      }),
    );
  });
});
