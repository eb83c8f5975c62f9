import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { parseInfoHash } from "../../../src/core/torrent/ids.ts";
import { MAX_MAGNET_LENGTH, MAX_MAGNET_PEERS } from "../../../src/core/format/limits.ts";
import { formatMagnet, type Magnet, parseMagnet } from "../../../src/core/format/magnet.ts";

const hex = "0123456789abcdef0123456789abcdef01234567";
const infoHash = parseInfoHash(hex)!;
const base = `magnet:?xt=urn:btih:${hex}`;

function parsed(text: string): Magnet {
  const result = parseMagnet(text);
  if ("error" in result) throw new Error(result.error);
  return result;
}

describe("formatMagnet", () => {
  test("writes info hash, name and one x.pe per address, in this order", () => {
    const peers = [
      { host: "10.1.1.1", port: 42083 },
      { host: "10.1.1.2", port: 42070 },
    ];
    expect(formatMagnet({ infoHash, name: "model.bin", peers })).toBe(
      `magnet:?xt=urn:btih:${hex}&dn=model.bin&x.pe=10.1.1.1:42083&x.pe=10.1.1.2:42070`,
    );
    expect(formatMagnet({ infoHash, peers: [] })).toBe(base);
  });

  test("escapes characters that would end the name, the URI or a shell's quotes", () => {
    expect(formatMagnet({ infoHash, name: "a b&c=d+'é'(1)*!", peers: [] })).toBe(
      `${base}&dn=a%20b%26c%3Dd%2B%27%C3%A9%27%281%29%2A%21`,
    );
    expect(formatMagnet({ infoHash, name: "\ud800", peers: [] })).toBe(`${base}&dn=%EF%BF%BD`);
  });
});

describe("parseMagnet", () => {
  test("reads every form of the info hash", () => {
    expect(parsed(base)).toEqual({ infoHash, peers: [], ignored: [] });
    expect(parsed(`MAGNET:?XT=URN:BTIH:${hex.toUpperCase()}`).infoHash).toBe(infoHash);
    expect(parsed(`magnet:?xt=urn%3Abtih%3A${hex}`).infoHash).toBe(infoHash);
    expect(parsed(`magnet:?xt.1=urn:btih:${hex}`).infoHash).toBe(infoHash);
    expect(parsed("magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH").infoHash).toBe(infoHash);
    expect(parsed("magnet:?xt=urn:btih:aerukz4jvpg66ajdivtytk6n54asgrlh").infoHash).toBe(infoHash);
  });

  test("takes an info hash that is there several times, in whichever form, as one", () => {
    const again = `&xt=urn:btih:${hex.toUpperCase()}&xt.1=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH`;
    expect(parsed(`${base}&xt=urn:btih:${hex}${again}`).infoHash).toBe(infoHash);
  });

  test("takes a magnet of 64 KiB, the most of it unknown parameters", () => {
    const text = `${base}&tr=${"x".repeat(MAX_MAGNET_LENGTH)}`.slice(0, MAX_MAGNET_LENGTH);
    expect(MAX_MAGNET_LENGTH).toBe(65_536);
    expect(parsed(text).infoHash).toBe(infoHash);
    expect(parseMagnet(`${text}x`)).toHaveProperty("error");
  });

  test("is of a file that may be executed when x.mode is x, and nothing else", () => {
    expect(parsed(`${base}&x.mode=x`).isExecutable).toBe(true);
    for (const mode of ["", "X", "s", "4755", "xs", "x,s"]) {
      expect(parsed(`${base}&x.mode=${mode}`).isExecutable).toBeUndefined();
    }
    expect(formatMagnet({ infoHash, isExecutable: true, peers: [{ host: "10.1.1.1", port: 7 }] })).toBe(
      `${base}&x.pe=10.1.1.1:7&x.mode=x`,
    );
  });

  test("uses the version 1 topic of a hybrid magnet and skips other topics", () => {
    expect(parsed(`magnet:?xt=urn:btmh:1220aa&xt=urn:btih:${hex}&xt=urn:sha1:ABC`).infoHash).toBe(infoHash);
  });

  test("reads a name with a space written as + or as %20", () => {
    expect(parsed(`${base}&dn=a%20b+c%2B%2B`).name).toBe("a b c++");
    expect(parsed(`${base}&dn=`).name).toBeUndefined();
    expect(parsed(`${base}&dn=first&dn=second`).name).toBe("first");
  });

  test("reads repeated and comma separated peers, escaped or not, each once", () => {
    const text = `${base}&x.pe=10.0.0.1:1,10.0.0.2:2&x.pe=10.0.0.3%3A3%2C10.0.0.1:1&x.pe.4=10.0.0.4:4&x.pe=`;
    expect(parsed(text).peers.map((peer) => `${peer.host}:${peer.port}`)).toEqual([
      "10.0.0.1:1",
      "10.0.0.2:2",
      "10.0.0.3:3",
      "10.0.0.4:4",
    ]);
    expect(parsed(text).ignored).toEqual([]);
  });

  test("C2: lists bad peers as ignored, printable, and never fails because of them", () => {
    const bad = [
      "10.0.0.1:0",
      "10.0.0.1:65536",
      "10.0.0.1",
      "[::1]:80",
      "seed:42070",
      "10.0.0.256:1",
      "010.0.0.1:1",
      "\x1b[2J",
    ];
    const magnet = parsed(`${base}&x.pe=${bad.map(encodeURIComponent).join(",")}&x.pe=10.0.0.9:9`);
    expect(magnet.peers).toEqual([{ host: "10.0.0.9", port: 9 }]);
    expect(magnet.ignored).toEqual([...bad.slice(0, -1), "\\u{1b}[2J"]);
  });

  test("C2: shows no more of a bad peer than a line", () => {
    expect(parsed(`${base}&x.pe=${"y".repeat(5000)}`).ignored).toEqual([`${"y".repeat(79)}…`]);
  });

  test("C2: takes no more peers than its limit and lists the others as ignored", () => {
    const peers = Array.from({ length: MAX_MAGNET_PEERS + 3 }, (_, at) => `10.0.0.${at}:9`);
    const magnet = parsed(`${base}&x.pe=${peers.join(",")},10.0.0.0:9`);
    expect(magnet.peers).toHaveLength(MAX_MAGNET_PEERS);
    expect(magnet.ignored).toEqual(peers.slice(MAX_MAGNET_PEERS));
  });

  test("C1: skips unknown parameters, also with bad escapes", () => {
    expect(parsed(` ${base}&tr=http%ZZ&ws=x&so=0&&=&foo&x.pe=10.0.0.1:1\n`).peers).toHaveLength(1);
  });

  const bad: [string, string][] = [
    ["", "does not start"],
    ["http://example/", "does not start"],
    [hex, "does not start"],
    ["magnet:?", "is missing"],
    ["magnet:?dn=x", "is missing"],
    ["magnet:?xt=", "is missing"],
    ["magnet:?xt", "is missing"],
    ["magnet:?xt=urn:sha1:ABC", "is missing"],
    [`magnet:?xt=urn:btmh:1220${"a".repeat(64)}`, "v2 is not supported"],
    ["magnet:?xt=urn:btih:", "neither 40"],
    [`magnet:?xt=urn:btih:${hex.slice(1)}`, "neither 40"],
    [`magnet:?xt=urn:btih:${hex}0`, "neither 40"],
    [`magnet:?xt=urn:btih:${"g".repeat(40)}`, "neither 40"],
    [`magnet:?xt=urn:btih:${"1".repeat(32)}`, "neither 40"],
    [`magnet:?xt=urn:btih:%1b${hex.slice(1)}`, '"\\u{1b}'],
    [`${base}&xt=urn:btih:${"f".repeat(40)}`, "names 2 different torrents"],
    [`${base}&xt=urn:btih:${hex.slice(1)}`, "neither 40"],
    [`${base}&dn=%`, '"dn" has a bad percent escape'],
    [`${base}&dn=%ff`, '"dn" has a bad percent escape'],
    [`${base}&x.pe=%zz`, '"x.pe" has a bad percent escape'],
    ["magnet:?xt=urn%3", '"xt" has a bad percent escape'],
    [`${base}&dn=${"x".repeat(MAX_MAGNET_LENGTH)}`, "longer than"],
  ];
  test.each(bad)("C1: refuses %p", (text, why) => {
    const result = parseMagnet(text);
    expect("error" in result && result.error).toContain(why);
    expect(String("error" in result && result.error)).not.toContain("\x1b");
  });

  test("quotes no more of a long info hash than a line", () => {
    expect(parseMagnet(`magnet:?xt=urn:btih:${"z".repeat(9000)}`)).toEqual({
      error: `"xt" has neither 40 hexadecimal nor 32 base32 digits: "${"z".repeat(79)}…"`,
    });
  });

  test("reads back the output of formatMagnet", () => {
    const octet = fc.nat(255);
    const address = fc.record({
      host: fc.tuple(octet, octet, octet, octet).map((octets) => octets.join(".")),
      port: fc.integer({ min: 1, max: 65535 }),
    });
    const peers = fc.uniqueArray(address, { maxLength: 20, selector: (peer) => `${peer.host}:${peer.port}` });
    const hash = fc.stringMatching(/^[0-9a-f]{40}$/).map((text) => parseInfoHash(text)!);
    fc.assert(
      fc.property(
        hash,
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
        peers,
        (infoHash, name, peers) => {
          expect(parsed(formatMagnet({ infoHash, name, peers }))).toEqual({
            infoHash,
            name,
            peers,
            ignored: [],
          });
        },
      ),
    );
  });

  test("never throws for any text", () => {
    const part = fc.constantFrom(
      "magnet:?",
      "xt=",
      "urn:btih:",
      hex,
      "&",
      "x.pe=",
      "10.0.0.1:1",
      ",",
      "%",
      "%41",
      "dn=",
      "=",
      "\0",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string())), (parts) => {
        parseMagnet(`magnet:?${parts.join("")}`);
      }),
      { numRuns: 1000 },
    );
  });
});
