// Which peers are admitted: a real node on loopback, and more peers than it has connection slots.
import { describe, expect, test } from "bun:test";
import { peerHandle } from "../../../src/core/torrent/ids.ts";
import { MAX_CONNECTIONS, MAX_PEERS_LEECHING } from "../../../src/session/network/limits.ts";
import {
  MAX_HALF_OPEN_BURST,
  MAX_HALF_OPEN_INCOMING,
  HALF_OPEN_GRACE_MS,
  IDLE_CHECK_MS,
  UNPROVEN_PEER_MS,
} from "../../../src/core/swarm/limits.ts";
import { monotonicMs } from "../../../src/session/clock.ts";
import type { Node } from "../../../src/session/network/node.ts";
import type { PeerConnection } from "../../../src/session/peer/peer-connection.ts";
import type { Swarm } from "../../../src/session/network/swarm.ts";
import {
  ListeningPeer,
  startNode,
  startSwarm,
  LoopbackPeer,
  PEER_HOST,
  until,
  useNodeFixture,
} from "./node-fixture.ts";

useNodeFixture();

/** `count` peers, two of each host unless it is said, that have sent a handshake for the torrent of this byte, one after the other. */
async function flood(
  node: Node,
  swarm: Swarm,
  count: number,
  torrent = 5,
  hostOf = (i: number) => `127.0.0.${1 + (i >> 1)}`,
): Promise<LoopbackPeer[]> {
  const peers: LoopbackPeer[] = [];
  const before = swarm.peerCount;
  for (let i = 1; i <= count; i++) {
    const peer = await LoopbackPeer.connect(node, hostOf(i));
    peer.sendHandshake(torrent, i);
    await until(() => swarm.peerCount === before + i);
    peers.push(peer);
  }
  return peers;
}

async function incoming(node: Node, torrent = 5, from = PEER_HOST): Promise<LoopbackPeer> {
  const peer = await LoopbackPeer.connect(node, from);
  peer.sendHandshake(torrent, 200);
  await until(() => peer.isClosed || peer.heard >= 68);
  return peer;
}

/** Time in which no peer does anything. */
function pass(swarm: Swarm, milliseconds: number): void {
  const begun = monotonicMs();
  for (let at = 0; at <= milliseconds; at += IDLE_CHECK_MS) swarm.tick(begun + at);
}

const closedOf = (peers: readonly LoopbackPeer[]) => peers.filter(({ isClosed }) => isClosed);

function onlyPeer(swarm: Swarm): PeerConnection {
  for (let handle = 1; handle < 1000; handle++) {
    const peer = swarm.peer(peerHandle(handle));
    if (peer !== undefined) return peer;
  }
  throw new Error("no peer is connected");
}

describe("A full torrent", () => {
  test("W17: refuses the next peer and keeps those it has while none has been idle for long", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const peers = await flood(node, swarm, MAX_PEERS_LEECHING);
    pass(swarm, UNPROVEN_PEER_MS - 2_000);
    const next = await incoming(node);
    expect([next.isClosed, next.heard]).toEqual([true, 0]);
    expect([swarm.peerCount, closedOf(peers).length]).toEqual([MAX_PEERS_LEECHING, 0]);
  });

  test("W17: admits an incoming peer for each idle one, the longest idle first, and never for a pinned one", async () => {
    const node = await startNode();
    const pinned = new ListeningPeer("127.0.1.1", 5, 250);
    const swarm = startSwarm(node, [pinned.address]);
    swarm.tick(monotonicMs());
    await until(() => swarm.peerCount === 1);
    const peers = await flood(node, swarm, MAX_PEERS_LEECHING - 1);
    pass(swarm, UNPROVEN_PEER_MS + IDLE_CHECK_MS);
    const next = await incoming(node);
    await until(() => closedOf(peers).length === 1);
    expect([pinned.isClosed, peers[0]!.isClosed, next.isClosed]).toEqual([false, true, false]);
    expect(swarm.peerCount).toBe(MAX_PEERS_LEECHING);
  });

  test("W17: admits a peer of another host at once, whatever the host does that holds every slot", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const takers = await flood(node, swarm, MAX_PEERS_LEECHING, 5, () => "127.0.0.9");
    const newcomers = [await incoming(node, 5, "127.0.1.1"), await incoming(node, 5, "127.0.1.2")];
    await until(() => closedOf(takers).length === 2);
    // The host that comes back takes none of them.
    expect((await incoming(node, 5, "127.0.0.9")).isClosed).toBe(true);
    expect([...newcomers.map(({ isClosed }) => isClosed), swarm.peerCount]).toEqual([
      false,
      false,
      MAX_PEERS_LEECHING,
    ]);
  });

  test("W17: admits a pinned peer when each slot is held by another host, and while our disk is behind", async () => {
    const node = await startNode();
    const pinned = new ListeningPeer("127.0.1.1", 5, 250);
    const swarm = startSwarm(node);
    const others = await flood(node, swarm, MAX_PEERS_LEECHING, 5, (i) => `127.0.0.${i}`);
    swarm.setPaused(true);
    swarm.learn(pinned.address, "flag");
    swarm.tick(monotonicMs());
    await until(() => closedOf(others).length === 1);
    expect([pinned.isClosed, swarm.peerCount]).toEqual([false, MAX_PEERS_LEECHING]);
  });

  test("W17: a peer that was closed for another may connect again", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const peers = await flood(node, swarm, MAX_PEERS_LEECHING);
    peers[0]!.sendPort(50_001);
    await until(() => onlyPeer(swarm).listenAddress !== undefined);
    pass(swarm, UNPROVEN_PEER_MS + IDLE_CHECK_MS);
    await incoming(node);
    await until(() => closedOf(peers).length === 1);
    peers[5]!.leave();
    await until(() => swarm.peerCount === MAX_PEERS_LEECHING - 1);
    const again = await LoopbackPeer.connect(node);
    again.sendHandshake(5, 1);
    again.sendPort(50_001);
    await until(() => swarm.peerCount === MAX_PEERS_LEECHING);
    await Bun.sleep(30);
    expect(again.isClosed).toBe(false);
  });

  test("closes no peer for another while our disk is behind", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    await flood(node, swarm, MAX_PEERS_LEECHING);
    swarm.setPaused(true);
    pass(swarm, UNPROVEN_PEER_MS + 10_000);
    swarm.setPaused(false);
    expect((await incoming(node)).isClosed).toBe(true);
    pass(swarm, UNPROVEN_PEER_MS + IDLE_CHECK_MS);
    swarm.setPaused(true);
    expect((await incoming(node)).isClosed).toBe(true);
    swarm.setPaused(false);
    expect((await incoming(node)).isClosed).toBe(false);
  });

  test("W17: closes a peer of a host whose peers did nothing at once for one of another host", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    (await incoming(node)).leave();
    await until(() => swarm.peerCount === 0);
    const flood: LoopbackPeer[] = [];
    for (let i = 1; i <= MAX_PEERS_LEECHING; i++) {
      flood.push(await LoopbackPeer.connect(node));
      flood.at(-1)!.sendHandshake(5, i);
    }
    await until(() => swarm.peerCount === MAX_PEERS_LEECHING);
    expect((await incoming(node)).isClosed).toBe(true);
    expect((await incoming(node, 5, "127.0.0.2")).isClosed).toBe(false);
    await until(() => closedOf(flood).length === 1);
    expect(swarm.peerCount).toBe(MAX_PEERS_LEECHING);
  });
});

describe("Two connections with one peer id", () => {
  /** A peer that we have dialled. Its id is below ours, so that the connection it opens would be the one that is kept. */
  async function dialled(node: Node): Promise<{ swarm: Swarm; peer: ListeningPeer }> {
    const peer = new ListeningPeer("127.0.0.2", 5, 1);
    const swarm = startSwarm(node, [peer.address]);
    swarm.tick(monotonicMs());
    await until(() => swarm.peerCount === 1);
    return { swarm, peer };
  }

  test("from one host are one peer that keeps one of them", async () => {
    const node = await startNode();
    const { swarm, peer } = await dialled(node);
    const again = await LoopbackPeer.connect(node, peer.address.host);
    again.sendHandshake(5, 1);
    await until(() => peer.isClosed);
    expect([swarm.peerCount, again.isClosed]).toEqual([1, false]);
  });

  test("from two hosts are two peers: none replaces a peer whose id it has seen", async () => {
    const node = await startNode();
    const { swarm, peer } = await dialled(node);
    const thief = await LoopbackPeer.connect(node, "127.0.0.3");
    thief.sendHandshake(5, 1);
    await until(() => swarm.peerCount === 2);
    thief.leave();
    await until(() => swarm.peerCount === 1);
    expect(peer.isClosed).toBe(false);
  });
});

describe("A full process", () => {
  test("W17: admits an incoming peer for the one that is idle for longest, of any torrent", async () => {
    const node = await startNode();
    const torrents = Math.ceil(MAX_CONNECTIONS / MAX_PEERS_LEECHING);
    const swarms = Array.from({ length: torrents }, (_, i) => startSwarm(node, [], 10 + i));
    const peers: LoopbackPeer[][] = [];
    for (const [i, swarm] of swarms.entries()) {
      const count = Math.min(MAX_PEERS_LEECHING, MAX_CONNECTIONS - i * MAX_PEERS_LEECHING);
      peers.push(await flood(node, swarm, count, 10 + i, (peer) => `127.0.${10 + i}.${peer}`));
    }
    const last = 10 + torrents - 1;
    expect((await incoming(node, last)).isClosed).toBe(true);
    pass(swarms[2]!, UNPROVEN_PEER_MS + IDLE_CHECK_MS);
    expect((await incoming(node, last)).isClosed).toBe(false);
    await until(() => closedOf(peers.flat()).length === 1);
    expect(peers[2]![0]!.isClosed).toBe(true);
  });
});

describe("Half-open connections", () => {
  test("W17: of three hundred peers that dial in the same moment are all read", async () => {
    const node = await startNode();
    const swarms = [1, 2, 3, 4, 5].map((torrent) => startSwarm(node, [], torrent));
    const peers = await Promise.all(Array.from({ length: 300 }, () => LoopbackPeer.connect(node)));
    for (const [i, peer] of peers.entries()) peer.sendHandshake(1 + (i % 5), 1 + Math.floor(i / 5));
    await until(() => swarms.every(({ peerCount }) => peerCount === 60));
    expect(closedOf(peers)).toEqual([]);
  });

  test("W14, W17: are closed after a second of silence, the oldest first, and a peer that sends its handshake is served all the same", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const silent: LoopbackPeer[] = [];
    for (let i = 0; i < MAX_HALF_OPEN_INCOMING + 20; i++) silent.push(await LoopbackPeer.connect(node));
    const honest = await LoopbackPeer.connect(node);
    honest.sendHandshake(5);
    await until(() => honest.heard >= 68);
    expect([swarm.peerCount, closedOf(silent).length]).toEqual([1, 0]);
    const later = monotonicMs() + HALF_OPEN_GRACE_MS;
    node.tick(later);
    node.tick(later + 1);
    await until(() => closedOf(silent).length === 20);
    expect(closedOf(silent.slice(20))).toEqual([]);
  });

  test("W14: never keep a peer with a handshake out, however many they are, and take no connection slot", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const silent: LoopbackPeer[] = [];
    for (let i = 0; i < MAX_HALF_OPEN_BURST + 20; i++) silent.push(await LoopbackPeer.connect(node));
    await until(() => closedOf(silent).length >= 20);
    expect(node.budget.dialSlots).toBeGreaterThan(0);
    expect(await incoming(node)).toMatchObject({ isClosed: false });
    expect(swarm.peerCount).toBe(1);
  });
});

describe("A banned peer", () => {
  /** A culprit that was caught, with its connection closed; `port`: what it advertised. */
  async function caught(node: Node, swarm: Swarm, port: number | undefined): Promise<void> {
    const culprit = await LoopbackPeer.connect(node);
    culprit.sendHandshake(5, 9);
    culprit.sendPort(port);
    await until(() => swarm.peerCount === 1 && onlyPeer(swarm).extended !== undefined);
    onlyPeer(swarm).close("hashMismatch");
    await until(() => culprit.isClosed);
  }

  test("W21: is known by the port it advertises, and no other peer of its host is taken for it", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    await caught(node, swarm, 50_001);
    const again = await LoopbackPeer.connect(node);
    again.sendHandshake(5, 10);
    again.sendPort(50_001);
    await until(() => again.isClosed);
    const neighbour = await LoopbackPeer.connect(node);
    neighbour.sendHandshake(5, 11);
    neighbour.sendPort(50_002);
    await until(() => swarm.peerCount === 1 && onlyPeer(swarm).listenAddress !== undefined);
    await Bun.sleep(30);
    expect([neighbour.isClosed, swarm.peerCount]).toEqual([false, 1]);
  });

  test("W21: that advertises no port is known by its host, and not answered", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    await caught(node, swarm, undefined);
    const again = await incoming(node);
    expect([again.isClosed, again.heard, swarm.peerCount]).toEqual([true, 0, 0]);
  });

  test("W21: that advertises another port each time is known by its host in the end", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    for (const port of [50_001, 50_002, 50_003]) await caught(node, swarm, port);
    expect((await incoming(node)).isClosed).toBe(true);
  });

  test("W21: is banned also when it left before its data was found to be wrong, and when it has come back already", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const culprit = await LoopbackPeer.connect(node);
    culprit.sendHandshake(5, 9);
    culprit.sendPort(50_001);
    await until(() => swarm.peerCount === 1 && onlyPeer(swarm).listenAddress !== undefined);
    const { handle } = onlyPeer(swarm);
    culprit.leave();
    await until(() => swarm.peerCount === 0);
    const back = await LoopbackPeer.connect(node);
    back.sendHandshake(5, 10);
    back.sendPort(50_001);
    await until(() => swarm.peerCount === 1 && onlyPeer(swarm).listenAddress !== undefined);
    swarm.banDisconnected(handle);
    await until(() => back.isClosed);
    const again = await LoopbackPeer.connect(node);
    again.sendHandshake(5, 11);
    again.sendPort(50_001);
    await until(() => again.isClosed);
    expect(swarm.peerCount).toBe(0);
  });
});
