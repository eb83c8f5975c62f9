import { describe, expect, test } from "bun:test";
import { DHT_TOKEN_EPOCH_MS } from "../../src/discovery/limits.ts";
import { AnnounceTokens } from "../../src/discovery/announce-tokens.ts";

const secret = new Uint8Array(20).fill(1);
const hash = new Uint8Array(20).fill(2);
const tokens = new AnnounceTokens(secret);

describe("AnnounceTokens", () => {
  const token = tokens.make("10.0.0.1", hash, 0);

  test("D4: a token is valid for its host and its info hash alone", () => {
    expect(token).toHaveLength(20);
    expect(tokens.isValid(token, "10.0.0.1", hash, 0)).toBe(true);
    expect(tokens.isValid(token, "10.0.0.2", hash, 0)).toBe(false);
    expect(tokens.isValid(token, "10.0.0.1", new Uint8Array(20).fill(3), 0)).toBe(false);
  });

  test("D4: a token is valid for its epoch and the next", () => {
    expect(tokens.isValid(token, "10.0.0.1", hash, 2 * DHT_TOKEN_EPOCH_MS - 1)).toBe(true);
    expect(tokens.isValid(token, "10.0.0.1", hash, 2 * DHT_TOKEN_EPOCH_MS)).toBe(false);
    const future = tokens.make("10.0.0.1", hash, DHT_TOKEN_EPOCH_MS);
    expect(tokens.isValid(future, "10.0.0.1", hash, 0)).toBe(false);
  });

  test("D4: another secret, a cut and a lengthened token are refused", () => {
    const others = new AnnounceTokens(new Uint8Array(20).fill(9)).make("10.0.0.1", hash, 0);
    for (const bad of [others, token.subarray(0, 19), Buffer.concat([token, Buffer.of(0)]), Buffer.alloc(0)])
      expect(tokens.isValid(bad, "10.0.0.1", hash, 0)).toBe(false);
  });
});
