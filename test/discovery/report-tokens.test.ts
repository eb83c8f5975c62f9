import { expect, test } from "bun:test";
import { REPORT_TOKEN_LENGTH } from "../../src/core/exchange/limits.ts";
import { AnnounceTokens } from "../../src/discovery/announce-tokens.ts";
import { DHT_TOKEN_EPOCH_MS } from "../../src/discovery/limits.ts";
import { ReportTokens } from "../../src/discovery/report-tokens.ts";

const SECRET = new Uint8Array(20).fill(1);
const tokens = new ReportTokens(SECRET);
const token = tokens.make("10.0.0.1", 0);

test("a token proves its host alone, for its epoch and the next", () => {
  expect(token).toHaveLength(REPORT_TOKEN_LENGTH);
  expect(tokens.isValid(token, "10.0.0.1", 2 * DHT_TOKEN_EPOCH_MS - 1)).toBe(true);
  expect(tokens.isValid(token, "10.0.0.1", 2 * DHT_TOKEN_EPOCH_MS)).toBe(false);
  expect(tokens.isValid(token, "10.0.0.2", 0)).toBe(false);
});

test("another secret, a cut and a lengthened token are refused", () => {
  expect(new ReportTokens(new Uint8Array(20)).isValid(token, "10.0.0.1", 0)).toBe(false);
  expect(tokens.isValid(token.subarray(1), "10.0.0.1", 0)).toBe(false);
  expect(tokens.isValid(Uint8Array.of(...token, 0), "10.0.0.1", 0)).toBe(false);
});

test("a token of the DHT is none, even under the same secret", () => {
  const announce = new AnnounceTokens(SECRET).make("10.0.0.1", new Uint8Array(20), 0);
  for (const other of [announce, announce.subarray(0, REPORT_TOKEN_LENGTH)])
    expect(tokens.isValid(other, "10.0.0.1", 0)).toBe(false);
});
