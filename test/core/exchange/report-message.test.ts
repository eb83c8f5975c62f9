import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { FIRST_HAND_STATES } from "../../../src/core/exchange/first-hand-hosts.ts";
import {
  MAX_REPORT_INTERVAL_MS,
  MAX_REPORT_LENGTH,
  MAX_REPORT_TEXT_LENGTH,
} from "../../../src/core/exchange/limits.ts";
import {
  encodeReport,
  encodeReportAnswer,
  looksLikeReport,
  parseReport,
  parseReportAnswer,
  type Report,
  transactionOfAnswer,
} from "../../../src/core/exchange/report-message.ts";
import { encodeBencode } from "../../../src/core/format/bencode.ts";
import { infoHashOf } from "../../../src/core/torrent/ids.ts";

const ID = new Uint8Array(20).fill(7);
const TRANSACTION = new Uint8Array(8).fill(0x31);
const TOKEN = new Uint8Array(8).fill(9);
const report: Report = {
  infoHash: infoHashOf(new Uint8Array(20).fill(3)),
  destination: "0123456789abcdef",
  state: "failed",
  progress: 1000,
  failure: 5,
  text: "disk full",
};
const encode = (changes: Partial<Report> = {}, token: Uint8Array | undefined = TOKEN) =>
  encodeReport({ transaction: TRANSACTION, report: { ...report, ...changes }, token }, ID);

describe("A report", () => {
  test("is read as it was written, with and without a token", () => {
    const any = fc.record({
      infoHash: fc.uint8Array({ minLength: 20, maxLength: 20 }).map(infoHashOf),
      destination: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => bytes.toHex()),
      state: fc.constantFrom(...FIRST_HAND_STATES),
      progress: fc.integer({ min: 0, max: 1000 }),
      failure: fc.integer({ min: 0, max: 255 }),
      text: fc.stringMatching(/^[ -~]{0,64}$/),
    });
    fc.assert(
      fc.property(any, fc.boolean(), (one, hasToken) => {
        const token = hasToken ? TOKEN : undefined;
        const bytes = encodeReport({ transaction: TRANSACTION, report: one, token }, ID);
        expect(looksLikeReport(bytes)).toBe(true);
        expect(bytes.length).toBeLessThanOrEqual(MAX_REPORT_LENGTH);
        expect(parseReport(bytes)).toEqual({ transaction: TRANSACTION, report: one, token });
      }),
    );
  });

  test("has a bounded text, cut between characters and escaped", () => {
    const text = parseReport(encode({ text: "ä".repeat(100) }))?.report.text ?? "";
    expect(new TextEncoder().encode(text)).toHaveLength(MAX_REPORT_TEXT_LENGTH);
    expect(parseReport(encode({ text: "\u001b[2J" }))?.report.text).toBe("\\u{1b}[2J");
  });

  test.each([
    ["an unknown state", { s: 5 }],
    ["a negative state", { s: -1 }],
    ["progress beyond the whole", { p: 1001 }],
    ["a failure that is no exit code", { f: 256 }],
    ["a destination of another length", { d: new Uint8Array(7) }],
    ["an info hash of another length", { info_hash: new Uint8Array(19) }],
    ["an id of another length", { id: new Uint8Array(19) }],
  ])("with %s is none", (_, changes) => {
    const args = { id: ID, info_hash: ID, d: new Uint8Array(8), s: 0, p: 0 };
    const bytes = (more: object) =>
      encodeBencode({ a: { ...args, ...more }, q: "pf_report", t: TRANSACTION, y: "q" });
    expect(parseReport(bytes({}))).toBeDefined();
    expect(parseReport(bytes(changes))).toBeUndefined();
  });

  test("is not mistaken for a query of the DHT, nor the other way round", () => {
    const ping = encodeBencode({ a: { id: ID }, q: "ping", t: "aa", y: "q" });
    expect(looksLikeReport(ping)).toBe(false);
    expect(transactionOfAnswer(ping)).toBeUndefined();
    const pong = encodeBencode({ r: { id: ID }, t: "aa", y: "r" });
    expect(transactionOfAnswer(pong)).toBeUndefined();
  });
});

describe("An answer", () => {
  test("is never longer than the query, whatever it says", () => {
    const query = encode({ failure: 0, text: "", progress: 0, state: "leeching" }, undefined);
    const answer = { intervalMs: MAX_REPORT_INTERVAL_MS, needy: 99_999, token: TOKEN };
    const bytes = encodeReportAnswer(TRANSACTION, answer, ID, query.length);
    expect(bytes?.length).toBeLessThanOrEqual(query.length);
    expect(encodeReportAnswer(TRANSACTION, answer, ID, (bytes?.length ?? 0) - 1)).toBeUndefined();
  });

  test("is read as it was written, and known by its transaction before it is decoded", () => {
    for (const needy of [undefined, 0, 7]) {
      const answer = { intervalMs: 1234, needy, token: TOKEN };
      const bytes = encodeReportAnswer(TRANSACTION, answer, ID, 1000) ?? new Uint8Array(0);
      expect(transactionOfAnswer(bytes)).toBe(TRANSACTION.toHex());
      expect(parseReportAnswer(bytes)).toEqual(answer);
    }
  });

  test("with an absurd interval counts as the longest, and is none without a token", () => {
    const bytes = (reply: object) => encodeBencode({ r: { id: ID, ...reply }, t: TRANSACTION, y: "r" });
    expect(parseReportAnswer(bytes({ i: 2 ** 50, token: TOKEN }))?.intervalMs).toBe(MAX_REPORT_INTERVAL_MS);
    expect(parseReportAnswer(bytes({ i: 5 }))).toBeUndefined();
    expect(parseReportAnswer(bytes({ i: -5, token: TOKEN }))).toBeUndefined();
    expect(parseReportAnswer(bytes({ i: 5, n: -1, token: TOKEN }))).toBeUndefined();
  });
});

test("Whatever bytes come are a report, an answer, or nothing", () => {
  const damaged = fc.tuple(fc.nat(), fc.nat(255), fc.nat(40)).map(([at, byte, cut]) => {
    const bytes = encode().slice();
    bytes[at % bytes.length] = byte;
    return bytes.subarray(0, bytes.length - Math.max(0, cut - 30));
  });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 500 })), (bytes) => {
      looksLikeReport(bytes);
      transactionOfAnswer(bytes);
      parseReport(bytes);
      parseReportAnswer(bytes);
    }),
  );
});
