import { expect, test } from "bun:test";
import { toHex } from "../../src/lib/bytes.ts";
import { SHA1_LENGTH, sha1, sha1Into } from "../../src/lib/sha1.ts";

// Test vectors of FIPS 180-4.
const vectors: [string, string][] = [
  ["", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
  ["abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"],
];
test.each(vectors)("sha1 of %p", (text, digest) => {
  expect(toHex(sha1(new TextEncoder().encode(text)))).toBe(digest);
});

test("sha1Into writes into its 20 bytes of shared memory and nowhere else", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(SHA1_LENGTH + 2));
  sha1Into(new TextEncoder().encode("abc"), shared.subarray(1, 1 + SHA1_LENGTH));
  expect(toHex(Uint8Array.from(shared))).toBe("00a9993e364706816aba3e25717850c26c9cd0d89d00");
});
