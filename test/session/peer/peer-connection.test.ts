// A connection on a virtual clock and a socket that is not there.
import { describe, expect, test } from "bun:test";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import type { TokenBucket } from "../../../src/core/rate/token-bucket.ts";
import { MAX_BLOCK_FRAME_LENGTH } from "../../../src/wire/limits.ts";
import {
  HANDSHAKE_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_OUTPUT_BUFFER,
  STALLED_WRITE_MS,
} from "../../../src/session/peer/limits.ts";
import type { PeerConnection } from "../../../src/session/peer/peer-connection.ts";
import { concatBytes } from "../../../src/lib/bytes.ts";
import { TcpConnection } from "../../../src/net/tcp-connection.ts";
import { frame, uint32 } from "../../wire/wire-end.ts";
import {
  endOfTurn,
  NetworkFixture,
  peersOf,
  type RemotePeer,
  torrentHash,
} from "../network/network-fixture.ts";

const KEEP_ALIVE = -1;
const SMALL_BLOCK = 100;

/** A connected peer, after everything that is said at the start has left. */
async function connected(peerId?: Parameters<RemotePeer["sendHandshake"]>[1]) {
  const fixture = new NetworkFixture();
  const swarm = fixture.swarm();
  const remote = fixture.join(peerId);
  await endOfTurn();
  const [peer] = peersOf(swarm);
  return { fixture, swarm, remote, peer: peer!, said: remote.messages.length };
}

function sendBlock(peer: PeerConnection, length: number): void {
  peer.sendBlock({ piece: pieceIndex(0), begin: 0, length }, new Uint8Array(length));
}

/** Bytes that the bucket was charged with, each time. */
function charges(bucket: TokenBucket): number[] {
  const spent: number[] = [];
  bucket.spend = (bytes) => void spent.push(bytes);
  return spent;
}

describe("Silence", () => {
  test("of ours ends with a keep-alive, and not before its time", async () => {
    const { fixture, remote, said } = await connected();
    await fixture.pass(KEEP_ALIVE_MS);
    expect(remote.messages.length).toBe(said);
    await fixture.pass(200);
    expect(remote.messages.slice(said).map(({ id }) => id)).toEqual([KEEP_ALIVE]);
    await fixture.pass(KEEP_ALIVE_MS - 1_000);
    expect(remote.messages.slice(said)).toHaveLength(1);
  });

  test("W14: of the peer ends its connection after two minutes", async () => {
    const { fixture, remote } = await connected();
    await fixture.pass(IDLE_TIMEOUT_MS);
    expect(remote.isClosed).toBe(false);
    await fixture.pass(200);
    expect(remote.isClosed).toBe(true);
  });

  test("W14: is not broken by a message that never ends, and is broken by one that does", async () => {
    for (const [bytes, isClosed] of [
      [uint32(13), true],
      [concatBytes([uint32(0), uint32(13)]), false],
    ] as const) {
      const { fixture, remote } = await connected();
      await fixture.pass(1_000);
      remote.send(bytes);
      await fixture.pass(IDLE_TIMEOUT_MS - 500);
      expect(remote.isClosed).toBe(isClosed);
    }
  });

  test("W14: counts from the moment at which we read again, and not while our disk is behind", async () => {
    const { fixture, swarm, remote } = await connected();
    swarm.setPaused(true);
    await fixture.pass(2 * IDLE_TIMEOUT_MS);
    swarm.setPaused(false);
    await fixture.pass(IDLE_TIMEOUT_MS);
    expect(remote.isClosed).toBe(false);
    await fixture.pass(200);
    expect(remote.isClosed).toBe(true);
  });
});

describe("A peer that does not read", () => {
  test("W14: is closed when it has taken nothing for a minute of what is queued", async () => {
    const { fixture, remote, peer } = await connected();
    remote.socket.room = 0;
    peer.send({ type: "interested" });
    await fixture.pass(STALLED_WRITE_MS);
    expect(remote.isClosed).toBe(false);
    remote.send(uint32(0));
    await fixture.pass(200);
    expect(remote.isClosed).toBe(true);
  });

  test("W14: is closed too when it has never taken a byte", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm();
    const remote = fixture.accept();
    remote.socket.room = 0;
    remote.sendHandshake();
    await fixture.pass(STALLED_WRITE_MS);
    expect(remote.isClosed).toBe(false);
    remote.send(uint32(0));
    await fixture.pass(200);
    expect(remote.isClosed).toBe(true);
  });

  test("W14: is kept while it takes something now and then", async () => {
    const { fixture, remote, peer } = await connected();
    remote.socket.room = 0;
    sendBlock(peer, 16_384);
    for (let i = 0; i < 4; i++) {
      await fixture.pass(STALLED_WRITE_MS / 2);
      remote.send(uint32(0));
      remote.socket.room = 10;
      remote.tcp.flush();
    }
    expect(remote.isClosed).toBe(false);
  });

  test("W14: is closed at its next message when too much waits for it", async () => {
    const { remote, peer } = await connected();
    remote.socket.room = 0;
    const count = MAX_OUTPUT_BUFFER / 65_536;
    for (let i = 0; i <= count; i++) sendBlock(peer, 65_536);
    expect(remote.isClosed).toBe(false);
    remote.send(uint32(0));
    expect(remote.isClosed).toBe(true);
  });
});

describe("A handshake", () => {
  test("W1, W14: that does not end is given up after ten seconds", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm();
    const remote = fixture.accept();
    remote.send("\u0013BitTorrent");
    await fixture.pass(HANDSHAKE_TIMEOUT_MS);
    expect(remote.isClosed).toBe(false);
    await fixture.pass(200);
    expect(remote.isClosed).toBe(true);
  });

  test("W2: for an unknown torrent is not answered", () => {
    const fixture = new NetworkFixture();
    fixture.swarm();
    const remote = fixture.join(1, undefined, 6);
    expect([remote.isClosed, remote.heard]).toEqual([true, 0]);
  });

  test("leaves the pacing of another p2pfile alone, and takes any other program from bbr", async () => {
    const paced: TcpConnection[] = [];
    const { paceByLoss } = TcpConnection.prototype;
    TcpConnection.prototype.paceByLoss = function (this: TcpConnection) {
      paced.push(this);
    };
    try {
      const own = new TextEncoder().encode("-PF0999-123456789012").toHex();
      const { peer } = await connected(own as never);
      expect([peer.isOtherClient, paced]).toEqual([false, []]);
      const other = await connected(7);
      expect([other.peer.isOtherClient, paced]).toEqual([true, [other.remote.tcp]]);
    } finally {
      TcpConnection.prototype.paceByLoss = paceByLoss;
    }
  });
});

describe("The rate limits", () => {
  test("are charged for everything but blocks, once", async () => {
    const { fixture, remote, peer } = await connected();
    const sent = charges(fixture.node.uploadBucket);
    await fixture.pass(100);
    expect(sent).toEqual([remote.heard]);
    sendBlock(peer, SMALL_BLOCK);
    peer.send({ type: "interested" });
    await fixture.pass(300);
    expect(sent.slice(1)).toEqual([5]);
  });

  test("are charged for what a peer sends beside blocks, beyond what may be half a block", async () => {
    const { fixture, remote } = await connected();
    const received = charges(fixture.node.downloadBucket);
    const keepAlives = new Uint8Array(4 * MAX_BLOCK_FRAME_LENGTH);
    remote.send(keepAlives);
    await fixture.pass(300);
    expect(received).toEqual([68 + 3 * MAX_BLOCK_FRAME_LENGTH]);
  });
});

describe("An end", () => {
  test("ends the fetch of the metadata with nothing", async () => {
    const { remote, peer } = await connected();
    remote.send(frame(20, [0, ...new TextEncoder().encode("d1:md11:ut_metadatai3ee13:metadata_sizei100ee")]));
    const fetched = peer.fetchMetadata();
    peer.close("idle");
    await endOfTurn();
    expect(Bun.peek(fetched)).toBeUndefined();
  });

  test("W15: is reported to the owner once, with its fault", async () => {
    const { swarm, remote, peer, fixture } = await connected();
    peer.close("idle");
    peer.close("badMessage");
    remote.leave();
    expect(swarm.peerCount).toBe(0);
    expect(fixture.log.filter((line) => line.includes("closed"))).toEqual(["10.1.0.1:50000: closed (idle)"]);
  });

  test("W7: comes with a message that is none", async () => {
    const { remote, fixture } = await connected();
    remote.send(frame(4, [0]));
    expect(remote.isClosed).toBe(true);
    expect(fixture.log.at(-1)).toContain("closed (");
  });

  test("before the handshake drops the connection, after it lets the peer read what is queued", async () => {
    const { peer, remote } = await connected();
    peer.finish();
    expect([remote.isClosed, remote.socket.hasEnded]).toEqual([false, true]);
    const fixture = new NetworkFixture();
    fixture.swarm();
    const early = fixture.answer({ host: "10.9.0.1", port: 2000 });
    const dialled = await fixture.node.dial({ host: "10.9.0.1", port: 2000 });
    dialled?.finish();
    expect(early[0]?.isClosed).toBe(true);
  });
});

test("A message of an extension goes only to a peer that speaks it", async () => {
  const { remote, peer, said } = await connected();
  peer.sendExtended("ut_pex", new Uint8Array([1]));
  await endOfTurn();
  expect(remote.messages).toHaveLength(said);
  remote.send(frame(20, [0, ...new TextEncoder().encode("d1:md6:ut_pexi9eee")]));
  peer.sendExtended("ut_pex", new Uint8Array([1]));
  await endOfTurn();
  expect(remote.messages.at(-1)?.body).toEqual(new Uint8Array([9, 1]));
});

test("A connection belongs to the torrent that its handshake names", () => {
  const fixture = new NetworkFixture();
  const [one, other] = [1, 2].map((byte) => fixture.swarm({ infoHash: torrentHash(byte) }));
  fixture.join(9, undefined, 2);
  expect([one?.peerCount, other?.peerCount]).toEqual([0, 1]);
});
