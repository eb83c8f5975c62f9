// The envelope that the flood is dropped by: it says what a second decoder says of the same bytes, whenever that takes them.
import {
  MAX_DATAGRAM_BENCODE_DEPTH,
  MAX_DATAGRAM_BENCODE_ITEMS,
  MAX_DATAGRAM_LENGTH,
} from "../../../src/discovery/limits.ts";
import { bytesEqual } from "../../../src/lib/bytes.ts";
import { guardDatagram } from "../../../src/discovery/datagram-guard.ts";
import { type DatagramEnvelope, readEnvelope } from "../../../src/discovery/datagram-envelope.ts";
import { defineTarget, promise } from "../engine/target.ts";
import { readReference } from "../oracles/bencode-reference.ts";
import { datagramNumbers, datagramTokens, isLoopback } from "./datagram-input.ts";

const limits = { maxDepth: MAX_DATAGRAM_BENCODE_DEPTH, maxItems: MAX_DATAGRAM_BENCODE_ITEMS };
const MAX_TRANSACTION_LENGTH = 20;

function check(read: typeof readEnvelope, input: Uint8Array): string {
  const given = Uint8Array.from(input);
  const found = read(given);
  promise(bytesEqual(given, input), "the datagram is not modified");
  const expected = expectedOf(input);
  if (expected !== undefined) {
    promise(found?.kind === expected.kind, `a ${expected.kind} is taken for ${found?.kind}`);
    promise(bytesEqual(found.transaction, expected.transaction), "the transaction id is that of the message");
  }
  const verdict = guardDatagram(input, isLoopback);
  if (verdict.verdict !== "rejected" && expected !== undefined) {
    promise(found?.kind === verdict.kind, "the envelope and the guard agree on the kind");
    promise(bytesEqual(found.transaction, verdict.transaction), "the envelope and the guard agree on the id");
  }
  if (found === undefined) return "none";
  const { length } = found.transaction;
  promise(length > 0 && length <= MAX_TRANSACTION_LENGTH, `a transaction id of ${length} bytes`);
  return `${found.kind} ${expected === undefined ? "that the decoder refuses" : "of a message"} ${length}`;
}

/** By the reference decoder; undefined when that takes no such message. */
function expectedOf(input: Uint8Array): DatagramEnvelope | undefined {
  if (input.length > MAX_DATAGRAM_LENGTH) return undefined;
  const message = readReference(input, limits);
  if (message?.end !== input.length || message.value.type !== "dict") return undefined;
  const field = (name: string) => {
    const entry = message.value.type === "dict" ? message.value.entries : [];
    const found = entry.find(([key]) => Buffer.from(key).toString("latin1") === name)?.[1];
    return found?.type === "string" ? found.bytes : undefined;
  };
  const transaction = field("t");
  const type = Buffer.from(field("y") ?? []).toString("latin1");
  if (transaction === undefined || transaction.length === 0) return undefined;
  if (transaction.length > MAX_TRANSACTION_LENGTH) return undefined;
  if (type === "q") return { kind: "query", transaction };
  return type === "r" || type === "e" ? { kind: "reply", transaction } : undefined;
}

/** The first "1:t" of the bytes, wherever it lies. */
function firstTransaction(datagram: Uint8Array): DatagramEnvelope | undefined {
  const found = readEnvelope(datagram);
  const at = Buffer.from(datagram).indexOf("1:t2:");
  return found && at >= 0 ? { ...found, transaction: datagram.subarray(at + 5, at + 7) } : found;
}

export const datagramEnvelopeTarget = defineTarget({
  name: "datagram-envelope",
  runs: 15_000,
  maxLength: 2 * MAX_DATAGRAM_LENGTH,
  tokens: [...datagramTokens, "1:ad1:t2:bbe", "1:rd1:t2:bb1:y1:qe", "2:tt2:cc", "1:t0:", "i7e1:t2:dd"],
  numbers: datagramNumbers,
  subject: readEnvelope,
  check,
  accepts: (input) => readEnvelope(input) !== undefined,
  planted: {
    "a transaction id deep in the message counts": firstTransaction,
    "every error is a query": (datagram) => {
      const found = readEnvelope(datagram);
      const isError = Buffer.from(datagram).includes("1:y1:e");
      return found && isError ? { ...found, kind: "query" } : found;
    },
    "a long transaction id is not found": (datagram) => {
      const found = readEnvelope(datagram);
      return found !== undefined && found.transaction.length > 4 ? undefined : found;
    },
  },
});
