import { beforeEach, describe, expect, test } from "bun:test";
import {
  HALF_OPEN_GRACE_MS,
  MAX_HALF_OPEN_BURST,
  MAX_HALF_OPEN_INCOMING,
} from "../../../src/core/swarm/limits.ts";
import type { PeerFault } from "../../../src/core/torrent/peer-message.ts";
import { silentLogger } from "../../helpers/silent-logger.ts";
import { FirstBytes, type HalfOpenConnection } from "../../../src/session/network/first-bytes.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../../../src/session/peer/limits.ts";
import { RemotePeer } from "./network-fixture.ts";

/** A connection that a protocol took over, and what it got. */
interface Taken extends HalfOpenConnection {
  readonly protocol: string;
  readonly chunks: Uint8Array[];
  readonly faults: PeerFault[];
}

let now = 0;
let taken: Taken[] = [];
let firstBytes: FirstBytes;
const tcpEnds: string[] = [];

const protocol = (name: string) => (connection: HalfOpenConnection) => {
  const taking: Taken = { ...connection, protocol: name, chunks: [], faults: [] };
  taken.push(taking);
  connection.tcp.attach({
    onData: (chunk) => void taking.chunks.push(chunk),
    onClose: (reason) => {
      tcpEnds.push(reason);
      connection.done();
    },
  });
  return {
    close: (fault: PeerFault) => {
      taking.faults.push(fault);
      connection.tcp.close();
    },
  };
};

beforeEach(() => {
  now = 1_000;
  taken = [];
  tcpEnds.length = 0;
  firstBytes = new FirstBytes({
    protocols: new Map([
      [0x13, protocol("bittorrent")],
      [0x47, protocol("other")],
    ]),
    logger: silentLogger,
    now: () => now,
  });
});

function accept(host = "10.0.0.2"): RemotePeer {
  const peer = new RemotePeer({ host, port: 50_000 });
  firstBytes.accept(peer.tcp);
  return peer;
}

const acceptMany = (count: number) => Array.from({ length: count }, () => accept());
const openOf = (peers: readonly RemotePeer[]) => peers.filter(({ isClosed }) => !isClosed).length;

describe("The first byte of an accepted connection", () => {
  test("decides which protocol gets it, and nothing is built before", () => {
    const [silent, one, other] = [accept(), accept(), accept()];
    expect(taken).toEqual([]);
    one.send("\u0013BitTorrent");
    other.send("GET / HTTP/1.1\r\n");
    expect(taken.map(({ protocol, tcp }) => [protocol, tcp])).toEqual([
      ["bittorrent", one.tcp],
      ["other", other.tcp],
    ]);
    expect([openOf([silent, one, other]), firstBytes.size]).toEqual([3, 3]);
  });

  test("reaches the protocol with its whole chunk, uncopied, and so does everything after it", () => {
    const peer = accept();
    const chunk = new TextEncoder().encode("\u0013BitTorrent protocol");
    peer.send(chunk);
    peer.send("more");
    expect(taken[0]?.chunks).toHaveLength(2);
    expect(taken[0]?.chunks[0]).toBe(chunk);
    expect(new TextDecoder().decode(taken[0]?.chunks[1])).toBe("more");
    expect(peer.isPaused).toBe(false);
  });

  test("may come alone", () => {
    const peer = accept();
    for (const byte of "\u0013Bit") peer.send(byte);
    expect(taken[0]?.chunks.map((chunk) => chunk[0])).toEqual([0x13, 0x42, 0x69, 0x74]);
  });

  test("may have arrived before the connection was accepted", () => {
    const peer = new RemotePeer({ host: "10.0.0.2", port: 50_000 });
    peer.send("\u0013Bit");
    peer.send("Torrent");
    firstBytes.accept(peer.tcp);
    expect(taken[0]?.chunks.map((chunk) => chunk.length)).toEqual([4, 7]);
    expect(peer.isPaused).toBe(false);
  });

  test("W1: of any other protocol closes the connection at once, without an answer", () => {
    for (const wrong of ["\u0016\u0003\u0001", "SSH-2.0", "\u0000", "\u0012"]) {
      const peer = accept();
      peer.send(wrong);
      expect([peer.isClosed, peer.heard]).toEqual([true, 0]);
    }
    expect([taken.length, firstBytes.size]).toEqual([0, 0]);
  });
});

describe("Half-open connections", () => {
  test("W14: silent ones and those without a handshake are bounded together, the oldest is closed first", () => {
    const peers = acceptMany(MAX_HALF_OPEN_INCOMING + 20);
    for (const peer of peers.slice(0, 10)) peer.send("\u0013");
    firstBytes.tick(now);
    expect(openOf(peers)).toBe(peers.length);
    now += HALF_OPEN_GRACE_MS;
    firstBytes.tick(now);
    firstBytes.tick(now + 1);
    expect([openOf(peers), openOf(peers.slice(20)), firstBytes.size]).toEqual([
      MAX_HALF_OPEN_INCOMING,
      MAX_HALF_OPEN_INCOMING,
      MAX_HALF_OPEN_INCOMING,
    ]);
    expect(taken.map(({ faults }) => faults)).toEqual(
      Array.from({ length: 10 }, () => ["tooManyConnections"]),
    );
  });

  test("W14: a burst beyond what one turn of the event loop can bring closes the oldest at once", () => {
    const peers = acceptMany(MAX_HALF_OPEN_BURST + 3);
    expect(peers.findIndex(({ isClosed }) => !isClosed)).toBe(3);
    expect(firstBytes.size).toBe(MAX_HALF_OPEN_BURST);
  });

  test("W1, W14: end ten seconds after they were accepted, whatever they sent meanwhile", () => {
    const [silent, slow, done] = [accept(), accept(), accept()];
    now += HANDSHAKE_TIMEOUT_MS;
    slow.send("\u0013");
    done.send("\u0013");
    taken[1]?.done();
    firstBytes.tick(now);
    expect(openOf([silent, slow, done])).toBe(3);
    firstBytes.tick(now + 1);
    expect([silent.isClosed, slow.isClosed, done.isClosed]).toEqual([true, true, false]);
    expect(taken[0]?.faults).toEqual(["handshakeTimeout"]);
  });

  test("count no more once their handshake is done or the peer has left", () => {
    const [leaving, done] = [accept(), accept()];
    done.send("\u0013");
    leaving.leave();
    taken[0]?.done();
    expect([firstBytes.size, tcpEnds]).toEqual([0, []]);
  });

  test("are closed with the process", () => {
    const [silent, begun] = [accept(), accept()];
    begun.send("\u0013");
    firstBytes.close();
    expect([silent.isClosed, begun.isClosed, taken[0]?.faults]).toEqual([true, true, ["shutdown"]]);
    expect(firstBytes.size).toBe(0);
  });
});
