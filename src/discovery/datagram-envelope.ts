// The outermost fields of a KRPC message, found without decoding it: what a flood sends is dropped at the price of one pass over
// its bytes. Pure. Looks at no field that lies deeper; guardDatagram decides on the message.
import { present } from "../lib/assert.ts";
import { MAX_DATAGRAM_LENGTH, MAX_TRANSACTION_LENGTH } from "./limits.ts";

/** A query, or what answers one: a response or an error. */
export type DatagramKind = "query" | "reply";

export interface DatagramEnvelope {
  readonly kind: DatagramKind;
  /** The sender's transaction id; in a reply, ours. */
  readonly transaction: Uint8Array;
}

/** "d1:y1:qe" is no message yet, and nothing shorter is. */
const MIN_LENGTH = 8;
/** A key of one byte, "1:t". */
const SHORT_KEY_LENGTH = 3;

const INTEGER = 0x69; // "i"
const LIST = 0x6c; // "l"
const DICT = 0x64; // "d"
const END = 0x65; // "e"
const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;
const TRANSACTION_KEY = 0x74; // "t"
const TYPE_KEY = 0x79; // "y"

/**
 * @returns undefined when no KRPC message can begin so. What the strict decoder refuses may have an envelope; what it takes has
 * the one that its fields say.
 */
export function readEnvelope(datagram: Uint8Array): DatagramEnvelope | undefined {
  if (datagram.length < MIN_LENGTH || datagram.length > MAX_DATAGRAM_LENGTH) return undefined;
  if (datagram[0] !== DICT) return undefined;
  let transaction: Uint8Array | undefined;
  let kind: DatagramKind | undefined;
  let at = 1;
  while (datagram[at] !== END) {
    const valueAt = stringEnd(datagram, at);
    const end = valueAt === undefined ? undefined : valueEnd(datagram, valueAt);
    if (valueAt === undefined || end === undefined) return undefined;
    if (valueAt - at === SHORT_KEY_LENGTH && datagram[at + 1] === COLON) {
      const key = datagram[valueAt - 1];
      if (key === TRANSACTION_KEY) transaction = stringAt(datagram, valueAt, end);
      else if (key === TYPE_KEY) kind = kindOf(stringAt(datagram, valueAt, end));
    }
    at = end;
  }
  if (at !== datagram.length - 1 || transaction === undefined || kind === undefined) return undefined;
  const isShort = transaction.length > 0 && transaction.length <= MAX_TRANSACTION_LENGTH;
  return isShort ? { kind, transaction } : undefined;
}

function kindOf(type: Uint8Array | undefined): DatagramKind | undefined {
  if (type?.length !== 1) return undefined;
  switch (String.fromCharCode(present(type[0]))) {
    case "q":
      return "query";
    case "r":
    case "e":
      return "reply";
    default:
      return undefined;
  }
}

/** @returns the index after the value, or undefined where none begins or the bytes end in it. */
function valueEnd(bytes: Uint8Array, start: number): number | undefined {
  let at = start;
  let depth = 0;
  do {
    const byte = bytes[at];
    if (byte === LIST || byte === DICT) {
      depth++;
      at++;
    } else if (byte === END && depth > 0) {
      depth--;
      at++;
    } else {
      const end = byte === INTEGER ? integerEnd(bytes, at) : stringEnd(bytes, at);
      if (end === undefined) return undefined;
      at = end;
    }
  } while (depth > 0);
  return at;
}

/** @returns undefined for a value that is no string. */
function stringAt(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const first = present(bytes[start]);
  return first >= ZERO && first <= NINE ? bytes.subarray(bytes.indexOf(COLON, start) + 1, end) : undefined;
}

function integerEnd(bytes: Uint8Array, start: number): number | undefined {
  const end = bytes.indexOf(END, start);
  return end < 0 ? undefined : end + 1;
}

/** @returns the index after the string, or undefined when it does not end within `bytes`. */
function stringEnd(bytes: Uint8Array, start: number): number | undefined {
  let length = 0;
  let at = start;
  for (; ; at++) {
    const digit = bytes[at];
    if (digit === COLON) break;
    if (digit === undefined || digit < ZERO || digit > NINE) return undefined;
    length = length * 10 + (digit - ZERO);
    if (length > bytes.length) return undefined;
  }
  const end = at + 1 + length;
  return at === start || end > bytes.length ? undefined : end;
}
