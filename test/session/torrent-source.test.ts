import { describe, expect, test } from "bun:test";
import {
  parseTorrentSource,
  sourceInfoHash,
  sourcePeers,
  sourceWarnings,
} from "../../src/session/torrent-source.ts";

const HASH = "0123456789abcdef0123456789abcdef01234567";

function parsed(text: string) {
  const source = parseTorrentSource(text);
  if ("error" in source) throw new Error(source.error);
  return source;
}

describe("A magnet as the source of a download", () => {
  test("keeps its text and gives its info hash and its peers", () => {
    const text = `magnet:?xt=urn:btih:${HASH.toUpperCase()}&dn=a&x.pe=10.0.0.1:1&x.pe=10.0.0.2:2`;
    const source = parsed(text);
    expect([source.type, source.text, String(sourceInfoHash(source))]).toEqual(["magnet", text, HASH]);
    expect(sourcePeers(source)).toEqual([
      { host: "10.0.0.1", port: 1 },
      { host: "10.0.0.2", port: 2 },
    ]);
    expect(sourceWarnings(source)).toEqual([]);
  });

  test("warns of each address that it cannot use, in a form that cannot steer a terminal", () => {
    const source = parsed(`magnet:?xt=urn:btih:${HASH}&x.pe=[::1]:5,10.0.0.1:1,a%1b[31m:5`);
    expect(sourceWarnings(source)).toEqual([
      "x.pe=[::1]:5 is no IPv4 address with a port; ignored",
      "x.pe=a\\u{1b}[31m:5 is no IPv4 address with a port; ignored",
    ]);
    expect(sourcePeers(source)).toEqual([{ host: "10.0.0.1", port: 1 }]);
  });
});

test("Of many addresses that it cannot use a magnet names five and counts the rest", () => {
  const warnings = sourceWarnings(parsed(`magnet:?xt=urn:btih:${HASH}&x.pe=${"a:1,".repeat(40)}`));
  expect(warnings).toHaveLength(6);
  expect(warnings.at(-1)).toBe("35 more entries of x.pe are ignored");
});

describe("A text that is no source", () => {
  const refused: readonly (readonly [text: string, error: string])[] = [
    ["", 'bad magnet : it does not start with "magnet:?"'],
    ["model.torrent", 'bad magnet model.torrent: it does not start with "magnet:?"'],
    [HASH, `bad magnet ${HASH}: it does not start with "magnet:?"`],
    ["http://a/b", 'bad magnet http://a/b: it does not start with "magnet:?"'],
    ["magnet:?dn=x", 'bad magnet magnet:?dn=x: "xt=urn:btih:" with the info hash is missing'],
    ["y".repeat(10_000), `bad magnet ${"y".repeat(79)}…: it does not start with "magnet:?"`],
    ["a\u001b[31m", 'bad magnet a\\u{1b}[31m: it does not start with "magnet:?"'],
  ];
  for (const [text, error] of refused) {
    test(`${JSON.stringify(text.slice(0, 80))} is quoted with what is wrong`, () => {
      expect(parseTorrentSource(text)).toEqual({ error });
    });
  }
});
