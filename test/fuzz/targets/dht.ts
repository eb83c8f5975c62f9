// The real DHT stack behind its guard, a few datagrams at a time: no exception, no table entry or peer that must not be
// contacted, no announce without our token, no answer that is long enough for an amplification attack.
/* oxlint-disable no-underscore-dangle -- the library names its inner members so */
import { asDict, decodeBencode, dictBytes, dictDict } from "../../../src/core/format/bencode.ts";
import { MAX_DATAGRAM_LENGTH } from "../../../src/discovery/limits.ts";
import { addressKey, parseAddress } from "../../../src/core/format/peer-address.ts";
import { bytesEqual } from "../../../src/lib/bytes.ts";
import { CappedNode } from "../../../src/discovery/capped-node.ts";
import { guardDatagram } from "../../../src/discovery/datagram-guard.ts";
import { defineTarget, promise } from "../engine/target.ts";
import { datagramNumbers, datagramTokens, isLoopback } from "./datagram-input.ts";
import { DhtFixture } from "./dht-fixture.ts";
import { packetSeries } from "./packet-series.ts";

/** Bytes of an answer: below fragmentation, and too few for an amplification attack with a forged source. */
const MAX_ANSWER_LENGTH = 700;
const MAX_AMPLIFICATION = 8;
const MAX_PACKETS = 64;
const INFO_HASH = Buffer.from("abcdefghij0123456789");

async function check(Node: typeof CappedNode, input: Uint8Array): Promise<string> {
  const fixture = new DhtFixture(Node);
  const behaviour = new Set<string>();
  const answered = new Set<string>();
  try {
    // The library queries its bootstrap nodes in the next turn of the event loop.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    fixture.lookup(INFO_HASH);
    for (const datagram of packetSeries.split(input).slice(0, MAX_PACKETS)) {
      const known = fixture.announced.length;
      const { outcome, from, given, sent } = fixture.receive(datagram);
      if (outcome === "reply") answered.add(addressKey(from));
      const answers = sent.filter(({ bytes }) => typeOf(bytes) !== "q");
      for (const { bytes, to } of answers) {
        promise(addressKey(to) === addressKey(from), "answers go to the querying host");
        promise(bytes.length <= MAX_ANSWER_LENGTH, `an answer of ${bytes.length} bytes`);
        promise(
          bytes.length <= MAX_AMPLIFICATION * datagram.length,
          `${bytes.length} bytes of answer to ${datagram.length}`,
        );
      }
      promise(answers.length <= (outcome === "query" ? 1 : 0), `${answers.length} answers to one ${outcome}`);
      if (fixture.announced.length > known) {
        promise(hasToken(given, fixture.tokenFor(from.host, given)), "an announce came with our token");
        behaviour.add("announced");
      }
      behaviour.add(`${outcome} ${answers.map(({ bytes }) => typeOf(bytes)).join()}`);
    }
    for (const address of [
      ...fixture.nodes,
      ...fixture.peers,
      ...fixture.announced.map(({ peer }) => peer),
    ]) {
      promise(parseAddress(addressKey(address)) !== undefined && isLoopback(address), addressKey(address));
    }
    for (const node of fixture.nodes)
      promise(answered.has(addressKey(node)), `${addressKey(node)} never answered us`);
    if (fixture.peers.length > 0) behaviour.add("peers");
    if (fixture.nodes.length > 0) behaviour.add("nodes");
    return [...behaviour].sort().join("; ");
  } finally {
    fixture.close();
  }
}

function typeOf(datagram: Uint8Array): string {
  const message = asDict(decodeBencode(datagram));
  return Buffer.from((message && dictBytes(message, "y")) ?? []).toString();
}

function hasToken(datagram: Uint8Array, token: Uint8Array): boolean {
  const message = asDict(decodeBencode(datagram));
  const args = message && dictDict(message, "a");
  const given = args && dictBytes(args, "token");
  return given !== undefined && bytesEqual(given, token);
}

export const dhtTarget = defineTarget({
  name: "dht",
  runs: 2_000,
  maxLength: 8 * MAX_DATAGRAM_LENGTH,
  tokens: datagramTokens,
  numbers: datagramNumbers,
  series: packetSeries,
  subject: CappedNode,
  check,
  accepts: (input) =>
    packetSeries.split(input).every((datagram) => guardDatagram(datagram, isLoopback).verdict !== "rejected"),
  planted: {
    "all peers and nodes are in one answer": class extends CappedNode {
      override _ongetpeers(...[query, peer]: Parameters<CappedNode["_ongetpeers"]>): void {
        const id = this._rpc.id;
        const token = this.tokenFor(peer.address, query.a.info_hash ?? Buffer.alloc(20));
        const values = Array.from({ length: 120 }, () => Buffer.alloc(6, 0x7f));
        this._rpc.response(peer, query, { id, token, values }, []);
      }
    },
    "a target of high bytes throws": class extends CappedNode {
      override _onfindnode(...[query, peer]: Parameters<CappedNode["_onfindnode"]>): void {
        if (query.a.target?.some((byte) => byte > 0x7f) === true) throw new RangeError("target");
        super._onfindnode(query, peer);
      }
    },
    "a question is answered twice": class extends CappedNode {
      override _onfindnode(...[query, peer]: Parameters<CappedNode["_onfindnode"]>): void {
        super._onfindnode(query, peer);
        super._onfindnode(query, peer);
      }
    },
    "every querying host becomes a node": class extends CappedNode {
      override _onquery(...[query, peer]: Parameters<CappedNode["_onquery"]>): void {
        super._onquery(query, peer);
        const table = this._rpc.nodes as unknown as { add(node: object): void };
        table.add({ id: query.a.id, host: peer.address, port: peer.port });
      }
    },
    "any token will do": class extends CappedNode {
      override isToken(): boolean {
        return true;
      }
    },
  },
});
