import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { encodeBencode } from "../../../src/core/format/bencode.ts";
import { encodeHosts, parseHosts } from "../../../src/core/exchange/host-message.ts";
import { HOST_STATES, type HostEntry } from "../../../src/core/exchange/host-roster.ts";
import { MAX_HOSTS_PER_MESSAGE } from "../../../src/core/exchange/limits.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const one: HostEntry = { address: { host: "10.0.0.1", port: 0x1234 }, state: "done", since: 0x6a1b2c3d };
const ONE = "\x0a\0\0\x01\x12\x34\x03\x6a\x1b\x2c\x3d";

const anyEntry: fc.Arbitrary<HostEntry> = fc.record({
  address: fc.record({ host: fc.ipV4(), port: fc.integer({ min: 1, max: 65535 }) }),
  state: fc.constantFrom(...HOST_STATES),
  since: fc.nat(0xffff_ffff),
});

describe("encodeHosts", () => {
  test("writes eleven bytes for each host: address, state, seconds", () => {
    expect(encodeHosts([one])).toEqual(bytes(`d1:h11:${ONE}e`));
    expect(encodeHosts([])).toEqual(bytes("d1:h0:e"));
  });

  test("numbers the states 0 leeching, 1 left, 2 source, 3 done", () => {
    const states = (["leeching", "left", "source", "done"] as const).map(
      (state) => encodeHosts([{ ...one, state }])["d1:h11:".length + 6],
    );
    expect(states).toEqual([0, 1, 2, 3]);
  });

  test("is read back by parseHosts", () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: MAX_HOSTS_PER_MESSAGE }), (entries) => {
        expect(parseHosts(encodeHosts(entries))?.hosts).toEqual(entries);
      }),
    );
  });
});

describe("parseHosts", () => {
  test("skips keys it does not know", () => {
    expect(parseHosts(bytes(`d1:ai1e1:h11:${ONE}1:zlee`))?.hosts).toEqual([one]);
  });

  test("skips hosts with port 0 and with states it does not know, and keeps the others", () => {
    const noPort = "\x0a\0\0\x02\0\0\x03\0\0\0\x01";
    const unknown = "\x0a\0\0\x03\0\x09\x04\0\0\0\x01";
    const far = "\x0a\0\0\x04\0\x09\xff\0\0\0\x01";
    expect(parseHosts(bytes(`d1:h44:${noPort}${unknown}${ONE}${far}e`))?.hosts).toEqual([one]);
  });

  test("reads no more than its limit of five thousand hosts", () => {
    expect(parseHosts(encodeBencode({ h: new Uint8Array(55_000).fill(1) }))?.hosts).toHaveLength(
      MAX_HOSTS_PER_MESSAGE,
    );
  });

  test("answers whatever bytes come with hosts that can be written again, or with nothing", () => {
    const damaged = fc
      .tuple(fc.array(anyEntry, { maxLength: 5 }), fc.nat(), fc.nat(255), fc.nat(60))
      .map(([entries, at, byte, cut]) => {
        const message = encodeHosts(entries);
        message[at % message.length] = byte;
        return message.subarray(0, Math.max(0, message.length - Math.max(0, cut - 40)));
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array()), (message) => {
        const entries = parseHosts(message)?.hosts;
        if (entries !== undefined) expect(parseHosts(encodeHosts(entries))?.hosts).toEqual(entries);
      }),
    );
  });

  const bad = [
    "",
    "de",
    "le",
    "d1:hi1ee",
    "d1:hlee",
    `d1:h10:${ONE.slice(1)}e`,
    `d1:h12:${ONE}\0e`,
    `d1:h11:${ONE}ex`,
    `d1:h11:${ONE}1:h0:e`,
    `d1:h11:${ONE}`,
    "d1:xllleeee1:h0:e",
  ];
  test.each(bad)("refuses %p", (text) => {
    expect(parseHosts(bytes(text))).toBeUndefined();
  });
});

describe("what the sender says of itself", () => {
  const own = { destination: "0123456789abcdef", state: "failed" } as const;

  test("is read as it was written", () => {
    expect(parseHosts(encodeHosts([], own))).toEqual({ hosts: [], own });
    expect(parseHosts(encodeHosts([]))).toEqual({ hosts: [], own: undefined });
  });

  test.each([
    ["of another length", { h: new Uint8Array(0), d: new Uint8Array(7), s: 3 }],
    ["without a state", { h: new Uint8Array(0), d: new Uint8Array(8) }],
    ["of an unknown state", { h: new Uint8Array(0), d: new Uint8Array(8), s: 5 }],
    ["of a negative state", { h: new Uint8Array(0), d: new Uint8Array(8), s: -1 }],
  ])("%s is skipped", (_, dict) => {
    expect(parseHosts(encodeBencode(dict))).toEqual({ hosts: [], own: undefined });
  });
});
