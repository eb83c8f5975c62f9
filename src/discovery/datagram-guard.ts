// Decides whether a datagram may reach the DHT library, which trusts every field and hangs on four bytes. Pure: knows
// no socket, no clock and no earlier datagram.
import { NODE_LENGTH } from "./node-id.ts";
import {
  asDict,
  type BencodeDict,
  type BencodeInput,
  decodeBencode,
  dictBytes,
  dictDict,
  dictList,
  encodeBencode,
} from "../core/format/bencode.ts";
import { present } from "../lib/assert.ts";
import { COMPACT_LENGTH, type PeerAddress, readCompact } from "../core/format/peer-address.ts";
import type { DatagramKind } from "./datagram-envelope.ts";
import { checkOfQuery, hasId, hasToken } from "./krpc-queries.ts";
import {
  MAX_DATAGRAM_BENCODE_DEPTH,
  MAX_DATAGRAM_BENCODE_ITEMS,
  MAX_DATAGRAM_LENGTH,
  MAX_DHT_NODES_READ,
  MAX_DHT_VALUES_READ,
  MAX_TRANSACTION_LENGTH,
} from "./limits.ts";

export type DatagramFault =
  | "badLength"
  | "notBencode"
  | "badEnvelope"
  | "unknownQuery"
  | "badArguments"
  | "badReply"
  | "badError";

/** `cut`: the bytes say less than what came: too many addresses were in it, or some that may not be contacted. */
export type DatagramVerdict =
  | {
      readonly verdict: "pass" | "cut";
      readonly kind: DatagramKind;
      /** The sender's transaction id; in a reply, ours. */
      readonly transaction: Uint8Array;
      readonly bytes: Uint8Array;
    }
  | { readonly verdict: "rejected"; readonly fault: DatagramFault };

const limits = { maxDepth: MAX_DATAGRAM_BENCODE_DEPTH, maxItems: MAX_DATAGRAM_BENCODE_ITEMS };
/** "d1:y1:qe" is no message yet, and nothing shorter is. */
const MIN_LENGTH = 8;
const DICT = 0x64;
const END = 0x65;
const ID_LENGTH = 20;
const NO_NODES = new Uint8Array(0);

/**
 * @param datagram a KRPC message (BEP 5) from outside
 * @param accepts addresses that may be contacted; nodes and peers in a reply that are not are cut out of it, and
 *   so is what a reply names beyond MAX_DHT_NODES_READ nodes and MAX_DHT_VALUES_READ peers
 */
export function guardDatagram(
  datagram: Uint8Array,
  accepts: (address: PeerAddress) => boolean,
): DatagramVerdict {
  const isFramed = datagram[0] === DICT && datagram.at(-1) === END;
  if (datagram.length < MIN_LENGTH || datagram.length > MAX_DATAGRAM_LENGTH) return rejected("badLength");
  const message = isFramed ? asDict(decodeBencode(datagram, limits)) : undefined;
  if (message === undefined) return rejected("notBencode");
  const transaction = dictBytes(message, "t");
  if (transaction === undefined || transaction.length === 0 || transaction.length > MAX_TRANSACTION_LENGTH) {
    return rejected("badEnvelope");
  }
  switch (typeOf(message)) {
    case "q": {
      const fault = faultOfQuery(message);
      return fault === undefined
        ? { verdict: "pass", kind: "query", transaction, bytes: datagram }
        : rejected(fault);
    }
    case "r":
      return guardReply(message, transaction, datagram, accepts);
    case "e":
      return isError(message)
        ? { verdict: "pass", kind: "reply", transaction, bytes: datagram }
        : rejected("badError");
    case undefined:
    default:
      return rejected("badEnvelope");
  }
}

function rejected(fault: DatagramFault): DatagramVerdict {
  return { verdict: "rejected", fault };
}

function typeOf(message: BencodeDict): string | undefined {
  const type = dictBytes(message, "y");
  return type?.length === 1 ? String.fromCharCode(present(type[0])) : undefined;
}

function faultOfQuery(message: BencodeDict): DatagramFault | undefined {
  const name = dictBytes(message, "q");
  const args = dictDict(message, "a");
  if (name === undefined || args === undefined || !hasId(args, "id")) return "badArguments";
  const isRight = checkOfQuery(String.fromCharCode(...name));
  if (isRight === undefined) return "unknownQuery";
  return isRight(args) ? undefined : "badArguments";
}

function isError(message: BencodeDict): boolean {
  const [code, text] = dictList(message, "e") ?? [];
  return typeof code === "number" && text instanceof Uint8Array;
}

function guardReply(
  message: BencodeDict,
  transaction: Uint8Array,
  datagram: Uint8Array,
  accepts: (address: PeerAddress) => boolean,
): DatagramVerdict {
  const reply = dictDict(message, "r");
  const id = reply === undefined ? undefined : dictBytes(reply, "id");
  if (reply === undefined || id?.length !== ID_LENGTH) return rejected("badReply");
  if (reply.has("token") && !hasToken(reply)) return rejected("badReply");
  const nodes = reply.has("nodes") ? dictBytes(reply, "nodes") : NO_NODES;
  const values = reply.has("values") ? compactPeers(reply) : [];
  if (nodes === undefined || nodes.length % NODE_LENGTH !== 0 || values === undefined)
    return rejected("badReply");

  const goodNodes = nodeEntries(nodes, MAX_DHT_NODES_READ).filter((node) =>
    isAccepted(node, ID_LENGTH, accepts),
  );
  const goodValues = values.slice(0, MAX_DHT_VALUES_READ).filter((peer) => isAccepted(peer, 0, accepts));
  const isWhole = goodNodes.length * NODE_LENGTH === nodes.length && goodValues.length === values.length;
  if (isWhole) return { verdict: "pass", kind: "reply", transaction, bytes: datagram };

  const kept: Record<string, BencodeInput> = { id };
  if (reply.has("nodes")) kept["nodes"] = Buffer.concat(goodNodes);
  if (reply.has("values")) kept["values"] = goodValues;
  const token = dictBytes(reply, "token");
  if (token !== undefined) kept["token"] = token;
  return {
    verdict: "cut",
    kind: "reply",
    transaction,
    bytes: encodeBencode({ r: kept, t: transaction, y: "r" }),
  };
}

/** @returns undefined unless `values` is a list of six-byte strings. */
function compactPeers(reply: BencodeDict): Uint8Array[] | undefined {
  const peers: Uint8Array[] = [];
  for (const value of dictList(reply, "values") ?? [undefined]) {
    if (!(value instanceof Uint8Array) || value.length !== COMPACT_LENGTH) return undefined;
    peers.push(value);
  }
  return peers;
}

/** @returns the first ones, at most `limit`. */
function nodeEntries(nodes: Uint8Array, limit: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  const end = Math.min(nodes.length, limit * NODE_LENGTH);
  for (let at = 0; at < end; at += NODE_LENGTH) entries.push(nodes.subarray(at, at + NODE_LENGTH));
  return entries;
}

function isAccepted(entry: Uint8Array, at: number, accepts: (address: PeerAddress) => boolean): boolean {
  const address = readCompact(entry, at);
  return address !== undefined && accepts(address);
}
