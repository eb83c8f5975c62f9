// A second bencode decoder, written from BEP 3 and our own rules, independently of src/core/format/bencode.ts, to compare with.
import { assertNever } from "../../../src/lib/assert.ts";
import type { BencodeLimits } from "../../../src/core/format/bencode.ts";

export type Reference =
  | { readonly type: "integer"; readonly value: number }
  | { readonly type: "string"; readonly bytes: Uint8Array }
  | { readonly type: "list"; readonly items: readonly Reference[] }
  | { readonly type: "dict"; readonly entries: readonly (readonly [key: Uint8Array, value: Reference])[] };

class Bad extends Error {}

/** @returns the first value and the index after it, or undefined when the rules forbid it. */
export function readReference(
  input: Uint8Array,
  limits: BencodeLimits,
): { readonly value: Reference; readonly end: number } | undefined {
  const text = Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString("latin1");
  let at = 0;
  let items = 0;

  function take(pattern: RegExp): string {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) throw new Bad();
    at += found.length;
    return found;
  }

  function string(): Uint8Array {
    const length = Number(take(/(?:0|[1-9]\d{0,15}):/y).slice(0, -1));
    if (length > text.length - at) throw new Bad();
    at += length;
    return input.subarray(at - length, at);
  }

  function value(depth: number): Reference {
    if (++items > limits.maxItems) throw new Bad();
    switch (text[at]) {
      case "i": {
        const integer = BigInt(take(/i(?:0|-?[1-9]\d{0,15})e/y).slice(1, -1));
        if (integer > BigInt(Number.MAX_SAFE_INTEGER) || integer < BigInt(Number.MIN_SAFE_INTEGER))
          throw new Bad();
        return { type: "integer", value: Number(integer) };
      }
      case "l": {
        if (depth > limits.maxDepth) throw new Bad();
        at++;
        const list: Reference[] = [];
        while (text[at] !== "e") list.push(value(depth + 1));
        at++;
        return { type: "list", items: list };
      }
      case "d": {
        if (depth > limits.maxDepth) throw new Bad();
        at++;
        const entries: [Uint8Array, Reference][] = [];
        const names = new Set<string>();
        while (text[at] !== "e") {
          if (++items > limits.maxItems) throw new Bad();
          const key = string();
          const name = nameOf(key);
          if (name === "__proto__" || names.has(name)) throw new Bad();
          names.add(name);
          entries.push([key, value(depth + 1)]);
        }
        at++;
        return { type: "dict", entries };
      }
      default:
        return { type: "string", bytes: string() };
    }
  }

  try {
    return { value: value(1), end: at };
  } catch (error) {
    if (error instanceof Bad) return undefined;
    throw error;
  }
}

/** The package's name for a key: its text, or hexadecimal digits if it is not UTF-8 (or contains U+FFFD). */
export function nameOf(key: Uint8Array): string {
  const text = new TextDecoder().decode(key);
  return text.includes("\uFFFD") ? Buffer.from(key).toString("hex") : text;
}

/** True when the keys of every dictionary are sorted (BEP 3) and plain ASCII: then the encoding is unique. */
export function isCanonical(value: Reference): boolean {
  switch (value.type) {
    case "integer":
    case "string":
      return true;
    case "list":
      return value.items.every(isCanonical);
    case "dict":
      return value.entries.every(([key, inner], index) => {
        const previous = value.entries[index - 1]?.[0];
        const isSorted = previous === undefined || Buffer.compare(previous, key) < 0;
        return isSorted && key.every((byte) => byte < 0x80) && isCanonical(inner);
      });
    default:
      return assertNever(value);
  }
}
