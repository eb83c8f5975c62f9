// The guard in front of the DHT library: no datagram that makes the library throw, and no address that must not be contacted.
import { decodeBencode } from "../../../src/core/format/bencode.ts";
import {
  MAX_DATAGRAM_BENCODE_DEPTH,
  MAX_DATAGRAM_BENCODE_ITEMS,
  MAX_DATAGRAM_LENGTH,
} from "../../../src/discovery/limits.ts";
import { addressKey, parseAddress, type PeerAddress } from "../../../src/core/format/peer-address.ts";
import { bytesEqual } from "../../../src/lib/bytes.ts";
import { guardDatagram } from "../../../src/discovery/datagram-guard.ts";
import { BrokenPromise, defineTarget, promise } from "../engine/target.ts";
import { readReference, type Reference } from "../oracles/bencode-reference.ts";
import { datagramNumbers, datagramTokens, isLoopback } from "./datagram-input.ts";

type Guard = typeof guardDatagram;

/** BEP 5; we echo tokens and transaction ids, so they must be short. */
const ID_LENGTH = 20;
const NODE_LENGTH = 26;
const PEER_LENGTH = 6;
const MAX_ECHO_LENGTH = 64;

function check(guard: Guard, input: Uint8Array): string {
  const asked: PeerAddress[] = [];
  const given = Uint8Array.from(input);
  const result = guard(given, (address) => {
    asked.push(address);
    return isLoopback(address);
  });
  promise(bytesEqual(given, input), "the datagram is not modified");
  for (const address of asked) promise(parseAddress(addressKey(address)) !== undefined, addressKey(address));
  if (result.verdict === "rejected") return `rejected: ${result.fault}`;
  promise(input.length <= MAX_DATAGRAM_LENGTH, "no datagram is longer than allowed");
  const { bytes, kind, transaction, verdict } = result;
  if (verdict === "pass") promise(bytesEqual(bytes, input), "what passes is what came");
  else promise(bytes.length <= input.length, "what is cut is not longer");
  const limits = { maxDepth: MAX_DATAGRAM_BENCODE_DEPTH, maxItems: MAX_DATAGRAM_BENCODE_ITEMS };
  const message = readReference(bytes, limits);
  promise(message?.end === bytes.length, "what passes is one value");
  const { y, t, q, a, r } = fieldsOf(message.value);
  const echoed = bytesOf(t);
  promise(
    echoed !== undefined && bytesEqual(echoed, transaction),
    "the transaction id is that of the message",
  );
  promise(
    echoed.length > 0 && echoed.length <= MAX_ECHO_LENGTH,
    `a transaction id of ${echoed.length} bytes`,
  );
  const type = textOf(y);
  promise(kind === "query" ? type === "q" : type === "r" || type === "e", `a ${kind} of type ${type}`);
  if (kind === "query") return `query ${checkQuery(textOf(q), fieldsOf(a))}`;
  if (type === "r") checkReply(fieldsOf(r));
  return `${verdict} ${type} ${Object.keys(fieldsOf(r)).sort().join()}`.slice(0, 60);
}

/** Uses the message as the library does, without checks. @returns its kind. */
function checkQuery(name: string | undefined, args: Fields): string {
  promise(bytesOf(args["id"])?.length === ID_LENGTH, "a query has an id");
  switch (name) {
    case "ping":
      return name;
    case "find_node":
      promise(bytesOf(args["target"])?.length === ID_LENGTH, "find_node has a target");
      return name;
    case "announce_peer": {
      const port = args["port"];
      const implied = args["implied_port"];
      promise(implied === undefined || implied.type === "integer", "implied_port is a number");
      const isImplied = implied?.type === "integer" && implied.value !== 0;
      const isPort = port?.type === "integer" && port.value >= 1 && port.value <= 65535;
      promise(isImplied || isPort, "announce_peer has a port");
      const token = bytesOf(args["token"])?.length ?? 0;
      promise(token > 0 && token <= MAX_ECHO_LENGTH, "announce_peer has a token");
      promise(bytesOf(args["info_hash"])?.length === ID_LENGTH, "announce_peer has an info hash");
      return name;
    }
    case "get_peers":
      promise(bytesOf(args["info_hash"])?.length === ID_LENGTH, `${name} has an info hash`);
      return name;
    default:
      throw new BrokenPromise(`the query ${name} is let in`);
  }
}

function checkReply(reply: Fields): void {
  promise(bytesOf(reply["id"])?.length === ID_LENGTH, "a reply has an id");
  const nodes = reply["nodes"] === undefined ? new Uint8Array(0) : bytesOf(reply["nodes"]);
  promise(nodes !== undefined && nodes.length % NODE_LENGTH === 0, "nodes are whole");
  for (let at = 0; at < nodes.length; at += NODE_LENGTH)
    promise(nodes[at + ID_LENGTH] === 127, "a node outside of loopback is cut out");
  const values = reply["values"] ?? { type: "list", items: [] };
  promise(values.type === "list", "values are a list");
  for (const value of values.items) {
    const peer = bytesOf(value);
    promise(peer?.length === PEER_LENGTH && peer[0] === 127, "a peer outside of loopback is cut out");
  }
}

type Fields = Readonly<Record<string, Reference | undefined>>;

function fieldsOf(value: Reference | undefined): Fields {
  if (value?.type !== "dict") return {};
  return Object.fromEntries(
    value.entries.map(([key, inner]) => [Buffer.from(key).toString("latin1"), inner]),
  );
}

function bytesOf(value: Reference | undefined): Uint8Array | undefined {
  return value?.type === "string" ? value.bytes : undefined;
}

function textOf(value: Reference | undefined): string | undefined {
  const bytes = bytesOf(value);
  return bytes && Buffer.from(bytes).toString("latin1");
}

export const datagramGuardTarget = defineTarget({
  name: "datagram-guard",
  runs: 15_000,
  maxLength: 2 * MAX_DATAGRAM_LENGTH,
  tokens: datagramTokens,
  numbers: datagramNumbers,
  subject: guardDatagram,
  check,
  accepts: (input) => guardDatagram(input, isLoopback).verdict !== "rejected",
  planted: {
    "whatever is bencode passes": (datagram, accepts) => {
      const verdict = guardDatagram(datagram, accepts);
      const isArguments = verdict.verdict === "rejected" && verdict.fault === "badArguments";
      if (!isArguments || !(decodeBencode(datagram) instanceof Map)) return verdict;
      return { verdict: "pass", kind: "query", transaction: Buffer.from("aa"), bytes: datagram };
    },
    "addresses outside of loopback are not cut out": (datagram, accepts) => {
      const verdict = guardDatagram(datagram, accepts);
      return verdict.verdict === "cut" ? { ...verdict, verdict: "pass", bytes: datagram } : verdict;
    },
    "a long transaction id throws": (datagram, accepts) => {
      const verdict = guardDatagram(datagram, accepts);
      if (verdict.verdict !== "rejected" && verdict.transaction.length > 8)
        throw new RangeError("transaction");
      return verdict;
    },
    "an error is let in with any content": (datagram, accepts) => {
      const verdict = guardDatagram(datagram, accepts);
      return verdict.verdict === "rejected" && verdict.fault === "badError"
        ? { verdict: "pass", kind: "query", transaction: Buffer.from("aa"), bytes: datagram }
        : verdict;
    },
  },
});
