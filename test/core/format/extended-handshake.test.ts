import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type BencodeInput, encodeBencode } from "../../../src/core/format/bencode.ts";
import {
  extendedHandshakeFields,
  parseExtendedHandshake,
} from "../../../src/core/format/extended-handshake.ts";
import { BLOCK_LENGTH, MAX_INBOUND_REQUESTS, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import {
  MAX_CLIENT_NAME_LENGTH,
  MAX_METADATA_LENGTH,
  MAX_PEER_REQUEST_QUEUE,
} from "../../../src/core/format/limits.ts";

const parse = (fields: Record<string, BencodeInput>) => parseExtendedHandshake(encodeBencode(fields));
const parseText = (text: string) => parseExtendedHandshake(new TextEncoder().encode(text));

describe("parseExtendedHandshake", () => {
  test("parses the handshake of libtorrent", () => {
    const fields = {
      m: { ut_metadata: 2, ut_pex: 1, upload_only: 3, lt_donthave: 7, ut_holepunch: 4 },
      metadata_size: 31_235,
      p: 6881,
      reqq: 500,
      upload_only: 0,
      v: "libtorrent/2.0.8.0",
      yourip: new Uint8Array(4),
      complete_ago: -1,
    };
    expect(parse(fields)).toEqual({
      extensions: new Map([
        ["lt_donthave", 7],
        ["upload_only", 3],
        ["ut_holepunch", 4],
        ["ut_metadata", 2],
        ["ut_pex", 1],
      ]),
      metadataSize: 31_235,
      listenPort: 6881,
      requestQueue: 500,
      uploadOnly: false,
      collects: false,
      client: "libtorrent/2.0.8.0",
    });
  });

  test("takes an empty dictionary as a peer without extensions", () => {
    expect(parseText("de")).toEqual({ extensions: new Map(), uploadOnly: false, collects: false });
  });

  test("keeps id 0, which disables an extension, and treats toString as a plain name", () => {
    expect(parse({ m: { ut_pex: 0, toString: 255 } })?.extensions).toEqual(
      new Map([
        ["toString", 255],
        ["ut_pex", 0],
      ]),
    );
  });

  const size = (metadata_size: BencodeInput) => parse({ metadata_size })?.metadataSize;
  test("W19: accepts a metadata size from 1 to the limit and no other", () => {
    expect(size(1)).toBe(1);
    expect(size(MAX_METADATA_LENGTH)).toBe(MAX_METADATA_LENGTH);
    for (const bad of [
      0,
      -1,
      MAX_METADATA_LENGTH + 1,
      2 ** 31,
      2 ** 32,
      2 ** 32 + 1,
      -(2 ** 32) + 1,
      "5",
      [1],
    ]) {
      expect(size(bad)).toBeUndefined();
      expect(parse({ metadata_size: bad })).toBeDefined();
    }
    expect(parseText("d13:metadata_sizei9223372036854775808ee")).toBeUndefined();
  });

  test("leaves out an invalid port", () => {
    expect([0, -1, 65536, 2 ** 32 + 80, "80"].map((p) => parse({ p })?.listenPort)).toEqual(
      Array(5).fill(undefined),
    );
    expect(parse({ p: 65535 })?.listenPort).toBe(65535);
  });

  test("W18: clamps the request queue to its limits", () => {
    expect([-1, 0, 1, 250, 10 ** 9].map((reqq) => parse({ reqq })?.requestQueue)).toEqual([
      1,
      1,
      1,
      250,
      MAX_PEER_REQUEST_QUEUE,
    ]);
    expect(parse({ reqq: "250" })?.requestQueue).toBeUndefined();
  });

  const longest = (length: BencodeInput) => parse({ pf_request_length: length })?.requestLength;
  test("accepts a longest request of whole blocks, clamped to ours", () => {
    expect([1, 3, 8].map((blocks) => longest(blocks * BLOCK_LENGTH))).toEqual([16_384, 49_152, 131_072]);
    expect([9, 2 ** 20, 2 ** 31].map((blocks) => longest(blocks * BLOCK_LENGTH))).toEqual(
      Array(3).fill(MAX_REQUEST_LENGTH),
    );
  });

  test("ignores any other longest request", () => {
    for (const bad of [
      0,
      -1,
      -BLOCK_LENGTH,
      1,
      BLOCK_LENGTH - 1,
      BLOCK_LENGTH + 1,
      100_000,
      "131072",
      [131_072],
    ]) {
      expect(longest(bad)).toBeUndefined();
      expect(parse({ pf_request_length: bad })).toBeDefined();
    }
  });

  test("reads upload_only as BEP 21 writes it", () => {
    expect([1, 0, 2, "1"].map((upload_only) => parse({ upload_only })?.uploadOnly)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test("truncates the client name and escapes it for the log", () => {
    expect(parse({ v: "evil\x1b[2J" })?.client).toBe("evil\\u{1b}[2J");
    expect(parse({ v: "x".repeat(10_000) })?.client).toHaveLength(MAX_CLIENT_NAME_LENGTH);
    expect(parse({ v: Uint8Array.of(0xff) })?.client).toBeUndefined();
    expect(parse({ v: 7 })?.client).toBeUndefined();
  });

  test("refuses an extension with an invalid message id", () => {
    for (const id of [-1, 256, 2 ** 32 + 1, "1", { toString: 1 }, [1]]) {
      expect(parse({ m: { ut_metadata: id } })).toBeUndefined();
    }
  });

  const bad = [
    "",
    "le",
    "i1e",
    "l-3:",
    "d-3:",
    "d1:mi1ee",
    "d1:mlee",
    "d1:m1:xe",
    "d1:md1:a",
    "d1:md1:ai1e1:ai2eee",
    "dex",
  ];
  test.each(bad)("W18: refuses %p", (text) => {
    expect(parseText(text)).toBeUndefined();
  });

  test("W18: refuses ten thousand extensions and deep nesting", () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`x${at}`, 1]));
    expect(parse({ m: many })).toBeUndefined();
    expect(parse({ x: [[[[[]]]]] })).toBeUndefined();
  });
});

describe("extendedHandshakeFields", () => {
  test("has our name, port, request queue and longest request", () => {
    expect(
      extendedHandshakeFields({
        client: "p2pfile 1.0",
        port: 42083,
        uploadOnly: true,
        collects: false,
        metadataSize: 512,
      }),
    ).toEqual({
      v: "p2pfile 1.0",
      p: 42083,
      reqq: MAX_INBOUND_REQUESTS,
      pf_request_length: MAX_REQUEST_LENGTH,
      upload_only: 1,
      metadata_size: 512,
    });
  });

  test("leaves out the metadata size while we have no metadata", () => {
    expect(
      extendedHandshakeFields({ client: "x", port: 1, uploadOnly: false, collects: false }),
    ).not.toHaveProperty("metadata_size");
  });

  test("is parsed back to the same values", () => {
    const self = fc.record({
      client: fc.stringMatching(/^[ -~]{0,64}$/),
      port: fc.integer({ min: 1, max: 65535 }),
      uploadOnly: fc.boolean(),
      collects: fc.boolean(),
      metadataSize: fc.integer({ min: 1, max: MAX_METADATA_LENGTH }),
    });
    fc.assert(
      fc.property(self, ({ client, port, uploadOnly, collects, metadataSize }) => {
        expect(
          parse({ ...extendedHandshakeFields({ client, port, uploadOnly, collects, metadataSize }), m: {} }),
        ).toEqual({
          extensions: new Map(),
          client,
          listenPort: port,
          uploadOnly,
          collects,
          metadataSize,
          requestQueue: MAX_INBOUND_REQUESTS,
          requestLength: MAX_REQUEST_LENGTH,
        });
      }),
    );
  });
});
