// Bencode (BEP 3) with a strict scanner in front of the package: some inputs of four bytes make the package's decoder loop
// without end, so it sees scanned bytes only. Knows the grammar, no message and no field.
import bencode from "bencode";
import { assert, present } from "../../lib/assert.ts";
import { MAX_BENCODE_DEPTH, MAX_BENCODE_ITEMS } from "./limits.ts";

/** A decoded value. Byte strings stay bytes; integers lie within ±(2^53 - 1). */
export type BencodeValue = number | Uint8Array | readonly BencodeValue[] | BencodeDict;

/** Keys are UTF-8 text. A key that is not UTF-8 appears as the lower-case hexadecimal digits of its bytes. */
export type BencodeDict = ReadonlyMap<string, BencodeValue>;

/** A value to encode: a BencodeValue, text (encoded as UTF-8) or a plain record. */
export type BencodeInput =
  | number
  | string
  | Uint8Array
  | readonly BencodeInput[]
  | ReadonlyMap<string, BencodeInput>
  | { readonly [key: string]: BencodeInput };

export interface BencodeLimits {
  /** Nested containers, the outermost included. */
  readonly maxDepth: number;
  /** Values and dictionary keys together. */
  readonly maxItems: number;
}

const peerLimits: BencodeLimits = { maxDepth: MAX_BENCODE_DEPTH, maxItems: MAX_BENCODE_ITEMS };

const INTEGER = 0x69; // "i"
const LIST = 0x6c; // "l"
const DICT = 0x64; // "d"
const END = 0x65; // "e"
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Replaces bad bytes and drops a byte order mark, as the package does, so that both give a key the same name. */
const keyDecoder = new TextDecoder();
const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Checks the first value of `bytes` without building it: canonical numbers, string lengths within `bytes`, unique keys (in
 * any order), no key `__proto__`, nothing beyond `limits`. O(bytes), iterative, never throws.
 * @returns the index after the first value, where a ut_metadata message has its payload; undefined when a check fails.
 */
export function scanPrefix(bytes: Uint8Array, limits: BencodeLimits = peerLimits): number | undefined {
  /** One entry per open container: the key names seen so far of a dictionary, undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  let items = 0;
  let at = 0;
  do {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    if (byte === END) {
      if (open.length === 0 || (open.at(-1) !== undefined && !expectsKey)) return undefined;
      open.pop();
      expectsKey = open.at(-1) !== undefined;
      at++;
      continue;
    }
    if (++items > limits.maxItems) return undefined;
    const keys = open.at(-1);
    if (keys !== undefined && expectsKey) {
      const end = stringEnd(bytes, at);
      if (end === undefined) return undefined;
      const name = keyName(bytes.subarray(bytes.indexOf(COLON, at) + 1, end));
      if (name === "__proto__" || keys.has(name)) return undefined;
      keys.add(name);
      expectsKey = false;
      at = end;
    } else if (byte === LIST || byte === DICT) {
      if (open.length >= limits.maxDepth) return undefined;
      open.push(byte === DICT ? new Set() : undefined);
      expectsKey = byte === DICT;
      at++;
    } else {
      const end = byte === INTEGER ? integerEnd(bytes, at) : stringEnd(bytes, at);
      if (end === undefined) return undefined;
      expectsKey = keys !== undefined;
      at = end;
    }
  } while (open.length > 0);
  return at;
}

/** @returns the value when `bytes` is exactly one valid value, else undefined. Never throws, never hangs. */
export function decodeBencode(
  bytes: Uint8Array,
  limits: BencodeLimits = peerLimits,
): BencodeValue | undefined {
  if (scanPrefix(bytes, limits) !== bytes.length) return undefined;
  try {
    return toValue(bencode.decode(bytes));
  } catch {
    // The package recurses: with a `maxDepth` beyond the stack it throws.
    return undefined;
  }
}

/** Dictionaries are written with sorted keys. @throws InvariantError for a number that is not a safe integer. */
export function encodeBencode(value: BencodeInput): Uint8Array {
  assertEncodable(value);
  return bencode.encode(value);
}

export function asDict(value: BencodeValue | undefined): BencodeDict | undefined {
  return value instanceof Map ? value : undefined;
}

/** The getters below return undefined when the key is absent or its value is of another type. */
export function dictInteger(dict: BencodeDict, key: string): number | undefined {
  const value = dict.get(key);
  return typeof value === "number" ? value : undefined;
}

export function dictBytes(dict: BencodeDict, key: string): Uint8Array | undefined {
  const value = dict.get(key);
  return value instanceof Uint8Array ? value : undefined;
}

/** @returns undefined also when the bytes are not UTF-8. */
export function dictText(dict: BencodeDict, key: string): string | undefined {
  const bytes = dictBytes(dict, key);
  return bytes === undefined ? undefined : decodeText(bytes);
}

export function dictDict(dict: BencodeDict, key: string): BencodeDict | undefined {
  return asDict(dict.get(key));
}

export function dictList(dict: BencodeDict, key: string): readonly BencodeValue[] | undefined {
  const value = dict.get(key);
  return Array.isArray(value) ? value : undefined;
}

/** @returns the text, a byte order mark included, or undefined when `bytes` is not UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return textDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function integerEnd(bytes: Uint8Array, start: number): number | undefined {
  const negative = bytes[start + 1] === MINUS;
  const first = start + (negative ? 2 : 1);
  const end = digitsEnd(bytes, first, Number.MAX_SAFE_INTEGER);
  if (end === undefined || bytes[end] !== END || (negative && bytes[first] === ZERO)) return undefined;
  return end + 1;
}

function stringEnd(bytes: Uint8Array, start: number): number | undefined {
  const colon = digitsEnd(bytes, start, bytes.length);
  if (colon === undefined || bytes[colon] !== COLON) return undefined;
  let length = 0;
  for (let at = start; at < colon; at++) length = length * 10 + (present(bytes[at]) - ZERO);
  return length <= bytes.length - colon - 1 ? colon + 1 + length : undefined;
}

/** @returns the index after a decimal number without leading zeros that is at most `max`. */
function digitsEnd(bytes: Uint8Array, start: number, max: number): number | undefined {
  let value = 0;
  let at = start;
  for (; ; at++) {
    const digit = bytes[at];
    if (digit === undefined || digit < ZERO || digit > NINE) break;
    value = value * 10 + (digit - ZERO);
    if (value > max) return undefined;
  }
  return at === start || (bytes[start] === ZERO && at > start + 1) ? undefined : at;
}

/** The name that the package gives a key: keys that it would merge, such as 0xff and the text "ff", count as duplicates. */
function keyName(key: Uint8Array): string {
  const text = keyDecoder.decode(key);
  return text.includes("\uFFFD") ? key.toHex() : text;
}

function toValue(decoded: unknown): BencodeValue {
  if (typeof decoded === "number" || decoded instanceof Uint8Array) return decoded;
  if (Array.isArray(decoded)) return decoded.map(toValue);
  return new Map(
    Object.entries(decoded as Record<string, unknown>).map(([key, value]) => [key, toValue(value)]),
  );
}

/** The package silently drops values it cannot encode and rounds fractions. */
function assertEncodable(value: BencodeInput): void {
  if (typeof value === "string" || value instanceof Uint8Array) return;
  if (typeof value === "number") {
    assert(Number.isSafeInteger(value), `${value} cannot be bencoded`);
    return;
  }
  assert(typeof value === "object" && value !== null, `a ${typeof value} cannot be bencoded`);
  const isIterable = Array.isArray(value) || value instanceof Map;
  const parts: Iterable<BencodeInput> = isIterable ? value.values() : Object.values(value);
  for (const part of parts) assertEncodable(part);
}
