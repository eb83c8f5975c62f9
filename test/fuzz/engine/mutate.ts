// Makes a new input from known ones: changes bytes, ranges, tokens, numbers and lengths of the format, and whole parts of
// inputs that are a series. The same random numbers make the same input.
import { concatBytes } from "../../../src/lib/bytes.ts";
import type { Target } from "./target.ts";

type Random = () => number;
type Mutator = (bytes: Uint8Array, random: Random, material: Material) => Uint8Array;

export interface Material {
  readonly target: Target;
  /** At least one. */
  readonly corpus: readonly Uint8Array[];
  /** Mutated inputs with a new behaviour. */
  readonly kept: readonly Uint8Array[];
}

/** Mostly few mutations, so that most of a long input passes the first checks; sometimes many. */
const ANOTHER_MUTATION = 0.5;
const PART_MUTATION = 0.8;
const EDGES = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 20, 26, 64, 68, 127, 128, 255, 256, 1000, 32767, 65535, 65536,
];
const WIDE_EDGES = [2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const TEXT_EDGES = [
  "-1",
  "-0",
  "00",
  "03",
  "2147483648",
  "4294967297",
  "9007199254740991",
  "9007199254740992",
];
const HUGE_TEXT_EDGES = ["18446744073709551616", "1e9", "0x10", "", " 1", "+1", "1.5", "999999999"];

/** @returns an input of at most `target.maxLength` bytes. */
export function mutate(random: Random, material: Material): Uint8Array {
  const { target } = material;
  let input = known(random, material);
  const { series } = target;
  do {
    const isPart = series !== undefined && random() < PART_MUTATION;
    const mutator = isPart ? mutatePart : pick(random, byteMutators);
    input = mutator(input, random, material).subarray(0, target.maxLength);
  } while (random() < ANOTHER_MUTATION);
  return Uint8Array.from(input);
}

const flipBit: Mutator = (bytes, random) => changed(bytes, random, (byte) => byte ^ (1 << below(random, 8)));
const setByte: Mutator = (bytes, random) => changed(bytes, random, () => below(random, 256));
/** Adds or subtracts one: a digit becomes its neighbour. */
const nudgeByte: Mutator = (bytes, random) =>
  changed(bytes, random, (byte) => byte + (random() < 0.5 ? 1 : -1));

const insertBytes: Mutator = (bytes, random) => {
  const added = Uint8Array.from({ length: 1 + below(random, 8) }, () => below(random, 256));
  return spliced(bytes, place(bytes, random), 0, added);
};
const insertToken: Mutator = (bytes, random, { target }) =>
  target.tokens.length === 0 ? bytes : spliced(bytes, place(bytes, random), 0, pick(random, target.tokens));
const overwriteWithToken: Mutator = (bytes, random, { target }) => {
  if (target.tokens.length === 0) return bytes;
  const token = pick(random, target.tokens);
  return spliced(bytes, place(bytes, random), token.length, token);
};
const removeRange: Mutator = (bytes, random) => {
  const [start, length] = range(bytes, random);
  return spliced(bytes, start, length, new Uint8Array(0));
};
const repeatRange: Mutator = (bytes, random, { target }) => {
  const [start, length] = range(bytes, random);
  const room = Math.floor(target.maxLength / Math.max(1, length));
  // Mostly a few times; sometimes often enough to reach a limit of items or depth.
  const times = Math.min(room, random() < 0.97 ? 1 + below(random, 8) : 1 + below(random, 20_000));
  const added = new Uint8Array(length * times);
  for (let i = 0; i < times; i++) added.set(bytes.subarray(start, start + length), i * length);
  return spliced(bytes, start, 0, added);
};
const truncate: Mutator = (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1));
const borrowRange: Mutator = (bytes, random, material) => {
  const other = known(random, material);
  const [start, length] = range(other, random);
  const replaced = random() < 0.5 ? 0 : length;
  return spliced(bytes, place(bytes, random), replaced, other.subarray(start, start + length));
};
const crossOver: Mutator = (bytes, random, material) => {
  const other = known(random, material);
  const at = below(random, bytes.length + 1);
  return concatBytes([bytes.subarray(0, at), other.subarray(below(random, other.length + 1))]);
};

/** A big-endian integer of one to eight bytes, like lengths and indices on the wire. */
const writeInteger: Mutator = (bytes, random, { target }) => {
  const width = pick(random, [1, 2, 4, 4, 4, 8]);
  const integer = new Uint8Array(8);
  new DataView(integer.buffer).setBigUint64(0, BigInt(edge(random, target)));
  return spliced(bytes, below(random, bytes.length + 1), width, integer.subarray(8 - width));
};
/** Replaces a decimal number. */
const writeDecimal: Mutator = (bytes, random, { target }) => {
  const numbers = [...latin1(bytes).matchAll(/-?\d+/g)];
  const found = numbers[below(random, numbers.length)];
  const texts = [...TEXT_EDGES, ...HUGE_TEXT_EDGES];
  const text = random() < 0.5 ? String(edge(random, target)) : pick(random, texts);
  const added = Buffer.from(text, "latin1");
  return found === undefined
    ? spliced(bytes, place(bytes, random), 0, added)
    : spliced(bytes, found.index, found[0].length, added);
};
/** Changes a right length: the decimal one of a bencoded string, or a big-endian one that fits the rest. */
const changeLength: Mutator = (bytes, random, { target }) => {
  const wrong = (length: number) =>
    pick(random, [length + 1, Math.max(0, length - 1), length * 2, bytes.length, edge(random, target)]);
  const strings = [...latin1(bytes).matchAll(/\d+(?=:)/g)];
  const found = strings[below(random, strings.length)];
  if (found !== undefined && random() < 0.5) {
    return spliced(bytes, found.index, found[0].length, Buffer.from(String(wrong(Number(found[0])))));
  }
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let tries = 0; tries < 16 && bytes.length >= 4; tries++) {
    const at = below(random, bytes.length - 3);
    const length = data.getUint32(at);
    if (length > bytes.length - at - 4) continue;
    const integer = new Uint8Array(4);
    new DataView(integer.buffer).setUint32(0, wrong(length) % 2 ** 32);
    return spliced(bytes, at, 4, integer);
  }
  return bytes;
};

/** Changes the content of a bencoded string together with its length, or replaces the string by a token. */
const changeString: Mutator = (bytes, random, material) => {
  const heads = [...latin1(bytes).matchAll(/\d{1,6}:/g)];
  const head = heads[below(random, heads.length)];
  if (head === undefined) return bytes;
  const start = head.index + head[0].length;
  const content = bytes.subarray(start, start + Number(head[0].slice(0, -1)));
  const { tokens } = material.target;
  if (tokens.length > 0 && random() < 0.3) {
    return spliced(bytes, head.index, head[0].length + content.length, pick(random, tokens));
  }
  const inside = pick(random, byteMutators)(content, random, material);
  const added = concatBytes([Buffer.from(`${inside.length}:`), inside]);
  return spliced(bytes, head.index, head[0].length + content.length, added);
};

const byteMutators: readonly Mutator[] = [
  flipBit,
  setByte,
  nudgeByte,
  insertBytes,
  insertToken,
  overwriteWithToken,
  removeRange,
  repeatRange,
  truncate,
  borrowRange,
  crossOver,
  writeInteger,
  writeDecimal,
  changeLength,
  changeString,
];

/** Changes, drops, repeats or moves one part of a series, or adds a part of another input. */
const mutatePart: Mutator = (bytes, random, material) => {
  const { target } = material;
  const { series } = target;
  if (series === undefined) return bytes;
  const parts = series.split(bytes);
  const at = below(random, parts.length);
  const part = parts[at];
  if (part === undefined) return bytes;
  switch (below(random, 8)) {
    case 0:
      parts.splice(at, 1);
      break;
    case 1: {
      const room = Math.floor(target.maxLength / Math.max(1, part.length + 4));
      const times = Math.min(room, random() < 0.97 ? 1 + below(random, 4) : 1 + below(random, 5000));
      parts.splice(at, 0, ...Array.from({ length: times }, () => part));
      break;
    }
    case 2:
      parts.splice(at, 1);
      parts.splice(below(random, parts.length + 1), 0, part);
      break;
    case 3: {
      const others = series.split(known(random, material));
      const other = others[below(random, others.length)];
      if (other !== undefined) parts.splice(at, 0, other);
      break;
    }
    default:
      parts[at] = pick(random, byteMutators)(part, random, material);
  }
  return series.join(parts);
};

/** Half of the picks are from the corpus, because kept inputs soon outnumber it. */
function known(random: Random, { corpus, kept }: Material): Uint8Array {
  return pick(random, kept.length > 0 && random() < 0.5 ? kept : corpus);
}

function edge(random: Random, target: Target): number {
  const kind = random();
  if (kind < 0.4 && target.numbers.length > 0) {
    return Math.max(0, pick(random, target.numbers) + below(random, 3) - 1);
  }
  return kind < 0.9 ? pick(random, EDGES) : pick(random, WIDE_EDGES);
}

function changed(bytes: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = below(random, copy.length);
  if (copy.length > 0) copy[at] = change(copy[at] ?? 0);
  return copy;
}

function spliced(bytes: Uint8Array, start: number, removed: number, added: Uint8Array): Uint8Array {
  return concatBytes([
    bytes.subarray(0, start),
    added,
    bytes.subarray(Math.min(bytes.length, start + removed)),
  ]);
}

/** A random position; half of the time a boundary between letters, digits and other bytes. */
function place(bytes: Uint8Array, random: Random): number {
  const start = below(random, bytes.length + 1);
  if (random() < 0.5) return start;
  for (let at = start; at > 0 && at < bytes.length && at < start + 32; at++) {
    if (kindOf(bytes[at - 1] ?? 0) !== kindOf(bytes[at] ?? 0)) return at;
  }
  return start;
}

function kindOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return 0;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x7a ? 1 : 2;
}

/** A random range, mostly short; half of the time it begins at a boundary. */
function range(bytes: Uint8Array, random: Random): [start: number, length: number] {
  const start = place(bytes.subarray(0, Math.max(0, bytes.length - 1)), random);
  const rest = bytes.length - start;
  return [start, Math.min(rest, 1 + below(random, random() < 0.8 ? 16 : rest))];
}

function pick<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[below(random, values.length)];
  if (value === undefined) throw new RangeError("nothing to pick from");
  return value;
}

function below(random: Random, count: number): number {
  return Math.floor(random() * count);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
