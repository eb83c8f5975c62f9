// The strict scanner and the decoder behind it, compared with a second decoder.
import {
  type BencodeLimits,
  type BencodeValue,
  decodeBencode,
  encodeBencode,
  scanPrefix,
} from "../../../src/core/format/bencode.ts";
import { MAX_BENCODE_DEPTH, MAX_BENCODE_ITEMS } from "../../../src/core/format/limits.ts";
import { MAX_DATAGRAM_BENCODE_DEPTH, MAX_DATAGRAM_BENCODE_ITEMS } from "../../../src/discovery/limits.ts";
import { assertNever } from "../../../src/lib/assert.ts";
import { bytesEqual, concatBytes } from "../../../src/lib/bytes.ts";
import { defineTarget, promise } from "../engine/target.ts";
import { isCanonical, nameOf, readReference, type Reference } from "../oracles/bencode-reference.ts";

interface Subject {
  readonly scan: (bytes: Uint8Array, limits: BencodeLimits) => number | undefined;
  readonly decode: (bytes: Uint8Array, limits: BencodeLimits) => BencodeValue | undefined;
}

const subject: Subject = { scan: scanPrefix, decode: decodeBencode };
const allLimits: readonly BencodeLimits[] = [
  { maxDepth: MAX_BENCODE_DEPTH, maxItems: MAX_BENCODE_ITEMS },
  { maxDepth: MAX_DATAGRAM_BENCODE_DEPTH, maxItems: MAX_DATAGRAM_BENCODE_ITEMS },
];

function check({ scan, decode }: Subject, input: Uint8Array): string {
  return allLimits.map((limits) => checkWithin(scan, decode, input, limits)).join();
}

function checkWithin(
  scan: Subject["scan"],
  decode: Subject["decode"],
  input: Uint8Array,
  limits: BencodeLimits,
): string {
  const expected = readReference(input, limits);
  const end = scan(input, limits);
  promise(end === expected?.end, `the scanner ends at ${end}, the grammar at ${expected?.end}`);
  const value = decode(input, limits);
  promise((value !== undefined) === (end === input.length), "decoded if and only if it is one whole value");
  if (expected === undefined || end === undefined) return "bad";
  if (value === undefined) return `${shape(expected.value)} and more`;
  promise(isSame(value, expected.value), "the decoded value is the one written");
  if (isCanonical(expected.value)) {
    promise(bytesEqual(encodeBencode(value), input), "what is in canonical form is written again as it was");
  }
  return shape(expected.value);
}

/** The kinds of values in it, not their number. */
function shape(value: Reference): string {
  switch (value.type) {
    case "integer":
      return value.value < 0 ? "-" : "i";
    case "string":
      return value.bytes.length === 0 ? "0" : "s";
    case "list":
      return `l${[...new Set(value.items.map(shape))].sort().join("")}e`.slice(0, 8);
    case "dict":
      return `d${[...new Set(value.entries.map(([, inner]) => shape(inner)))].sort().join("")}e`.slice(0, 8);
    default:
      return assertNever(value);
  }
}

function isSame(value: BencodeValue | undefined, reference: Reference): boolean {
  switch (reference.type) {
    case "integer":
      return Object.is(value, reference.value);
    case "string":
      return value instanceof Uint8Array && bytesEqual(value, reference.bytes);
    case "list":
      return (
        Array.isArray(value) &&
        value.length === reference.items.length &&
        reference.items.every((item, index) => isSame(value[index], item))
      );
    case "dict":
      return (
        value instanceof Map &&
        value.size === reference.entries.length &&
        reference.entries.every(([key, inner]) => isSame(value.get(nameOf(key)), inner))
      );
    default:
      return assertNever(reference);
  }
}

export const bencodeTarget = defineTarget({
  name: "bencode",
  runs: 25_000,
  maxLength: 256 * 1024,
  tokens: [
    "i0e",
    "i-1e",
    "le",
    "de",
    "d",
    "l",
    "e",
    "0:",
    "0:i0e",
    "1:a",
    "1:b",
    "9:__proto__",
    "2:\xff\xfe",
    "2:ff",
    "3:\xef\xbb\xbf",
  ],
  numbers: [
    MAX_BENCODE_DEPTH,
    MAX_BENCODE_ITEMS,
    MAX_DATAGRAM_BENCODE_DEPTH,
    MAX_DATAGRAM_BENCODE_ITEMS,
    Number.MAX_SAFE_INTEGER,
  ],
  subject,
  check,
  accepts: (input) => decodeBencode(input) !== undefined,
  planted: {
    "a string may end one byte beyond the input": {
      ...subject,
      scan: (bytes, limits) => {
        const end = scanPrefix(concatBytes([bytes, Uint8Array.of(0)]), limits);
        return end === undefined ? undefined : Math.min(end, bytes.length);
      },
    },
    "one level too deep is let in": {
      ...subject,
      scan: (bytes, limits) => scanPrefix(bytes, { ...limits, maxDepth: limits.maxDepth + 1 }),
    },
    "the limit of items is forgotten": {
      ...subject,
      scan: (bytes, limits) => scanPrefix(bytes, { ...limits, maxItems: Infinity }),
    },
    "the decoder throws on an empty key": {
      ...subject,
      decode: (bytes, limits) => {
        const value = decodeBencode(bytes, limits);
        if (value instanceof Map && value.has("")) throw new TypeError("no name");
        return value;
      },
    },
    "a negative number loses its sign": {
      ...subject,
      decode: (bytes, limits) => {
        const value = decodeBencode(bytes, limits);
        return typeof value === "number" ? Math.abs(value) : value;
      },
    },
  },
});
