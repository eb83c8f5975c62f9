// Who is let in: a real node on loopback, and more strangers than it has places.
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
  DialledStranger,
  startNode,
  startSwarm,
  Stranger,
  STRANGERS_HOST,
  until,
  useNodeFixture,
} from "./node-fixture.ts";

useNodeFixture();

/** `count` strangers of two a host that have introduced themselves to the torrent of this byte, one after the other. */
async function flood(node: Node, swarm: Swarm, count: number, torrent = 5): Promise<Stranger[]> {
  const strangers: Stranger[] = [];
  const before = swarm.peerCount;
  for (let i = 1; i <= count; i++) {
    const stranger = await Stranger.connect(node, `127.0.0.${1 + (i >> 1)}`);
    stranger.introduce(torrent, i);
    await until(() => swarm.peerCount === before + i);
    strangers.push(stranger);
  }
  return strangers;
}

async function newcomer(node: Node, torrent = 5, from = STRANGERS_HOST): Promise<Stranger> {
  const stranger = await Stranger.connect(node, from);
  stranger.introduce(torrent, 200);
  await until(() => stranger.isClosed || stranger.heard >= 68);
  return stranger;
}

/** Nobody does anything for this long. */
function pass(swarm: Swarm, milliseconds: number): void {
  const begun = monotonicMs();
  for (let at = 0; at <= milliseconds; at += IDLE_CHECK_MS) swarm.tick(begun + at);
}

const closedOf = (strangers: readonly Stranger[]) => strangers.filter(({ isClosed }) => isClosed);

function onlyPeer(swarm: Swarm): PeerConnection {
  for (let handle = 1; handle < 1000; handle++) {
    const peer = swarm.peer(peerHandle(handle));
    if (peer !== undefined) return peer;
  }
  throw new Error("nobody is connected");
}

describe("A full torrent", () => {
  test("W17: refuses the next and keeps those it has, as long as nobody has been idle for long", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const peers = await flood(node, swarm, MAX_PEERS_LEECHING);
    pass(swarm, UNPROVEN_PEER_MS - 2_000);
    const next = await newcomer(node);
    expect([next.isClosed, next.heard]).toEqual([true, 0]);
    expect([swarm.peerCount, closedOf(peers).length]).toEqual([MAX_PEERS_LEECHING, 0]);
  });

  test("W17: lets a newcomer in for each peer of no use, the longest idle first, and not for a pinned one", async () => {
    const node = await startNode();
    const pinned = { host: STRANGERS_HOST, port: 50_001 };
    const swarm = startSwarm(node, [pinned]);
    const [first, ...peers] = await flood(node, swarm, MAX_PEERS_LEECHING);
    first!.namePort(pinned.port);
    await until(() => onlyPeer(swarm).listenAddress?.port === pinned.port);
    pass(swarm, UNPROVEN_PEER_MS + IDLE_CHECK_MS);
    const next = await newcomer(node);
    await until(() => closedOf(peers).length === 1);
    expect([first!.isClosed, peers[0]!.isClosed, next.isClosed]).toEqual([false, true, false]);
    expect(swarm.peerCount).toBe(MAX_PEERS_LEECHING);
  });

  test("W17: the peer that gave way is no worse for it and may come back", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const peers = await flood(node, swarm, MAX_PEERS_LEECHING);
    peers[0]!.namePort(50_001);
    await until(() => onlyPeer(swarm).listenAddress !== undefined);
    pass(swarm, UNPROVEN_PEER_MS + IDLE_CHECK_MS);
    await newcomer(node);
    await until(() => closedOf(peers).length === 1);
    peers[5]!.leave();
    await until(() => swarm.peerCount === MAX_PEERS_LEECHING - 1);
    const again = await Stranger.connect(node);
    again.introduce(5, 1);
    again.namePort(50_001);
    await until(() => swarm.peerCount === MAX_PEERS_LEECHING);
    await Bun.sleep(30);
    expect(again.isClosed).toBe(false);
  });

  test("nobody gives way while our disk is behind", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    await flood(node, swarm, MAX_PEERS_LEECHING);
    swarm.setPaused(true);
    pass(swarm, UNPROVEN_PEER_MS + 10_000);
    swarm.setPaused(false);
    expect((await newcomer(node)).isClosed).toBe(true);
    pass(swarm, UNPROVEN_PEER_MS + IDLE_CHECK_MS);
    swarm.setPaused(true);
    expect((await newcomer(node)).isClosed).toBe(true);
    swarm.setPaused(false);
    expect((await newcomer(node)).isClosed).toBe(false);
  });

  test("W17: a host whose peers do nothing gives way at once to one that was not there yet", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    (await newcomer(node)).leave();
    await until(() => swarm.peerCount === 0);
    const flood: Stranger[] = [];
    for (let i = 1; i <= MAX_PEERS_LEECHING; i++) {
      flood.push(await Stranger.connect(node));
      flood.at(-1)!.introduce(5, i);
    }
    await until(() => swarm.peerCount === MAX_PEERS_LEECHING);
    expect((await newcomer(node)).isClosed).toBe(true);
    expect((await newcomer(node, 5, "127.0.0.2")).isClosed).toBe(false);
    await until(() => closedOf(flood).length === 1);
    expect(swarm.peerCount).toBe(MAX_PEERS_LEECHING);
  });
});

describe("Two connections with one peer id", () => {
  /** A peer that we have dialled. Its id is below ours, so that the connection it opens would be the one that is kept. */
  async function dialled(node: Node): Promise<{ swarm: Swarm; peer: DialledStranger }> {
    const peer = new DialledStranger("127.0.0.2", 5, 1);
    const swarm = startSwarm(node, [peer.address]);
    swarm.tick(monotonicMs());
    await until(() => swarm.peerCount === 1);
    return { swarm, peer };
  }

  test("from one host are one peer that keeps one of them", async () => {
    const node = await startNode();
    const { swarm, peer } = await dialled(node);
    const again = await Stranger.connect(node, peer.address.host);
    again.introduce(5, 1);
    await until(() => peer.isClosed);
    expect([swarm.peerCount, again.isClosed]).toEqual([1, false]);
  });

  test("from two hosts are two peers: nobody takes the place of one whose id it has seen", async () => {
    const node = await startNode();
    const { swarm, peer } = await dialled(node);
    const thief = await Stranger.connect(node, "127.0.0.3");
    thief.introduce(5, 1);
    await until(() => swarm.peerCount === 2);
    thief.leave();
    await until(() => swarm.peerCount === 1);
    expect(peer.isClosed).toBe(false);
  });
});

describe("A full process", () => {
  test("W17: lets a newcomer in for the peer that is idle for longest, of whatever torrent", async () => {
    const node = await startNode();
    const torrents = Math.ceil(MAX_CONNECTIONS / MAX_PEERS_LEECHING);
    const swarms = Array.from({ length: torrents }, (_, i) => startSwarm(node, [], 10 + i));
    const peers: Stranger[][] = [];
    for (const [i, swarm] of swarms.entries()) {
      const count = Math.min(MAX_PEERS_LEECHING, MAX_CONNECTIONS - i * MAX_PEERS_LEECHING);
      peers.push(await flood(node, swarm, count, 10 + i));
    }
    const last = 10 + torrents - 1;
    expect((await newcomer(node, last)).isClosed).toBe(true);
    pass(swarms[2]!, UNPROVEN_PEER_MS + IDLE_CHECK_MS);
    expect((await newcomer(node, last)).isClosed).toBe(false);
    await until(() => closedOf(peers.flat()).length === 1);
    expect(peers[2]![0]!.isClosed).toBe(true);
  });
});

describe("Strangers that have not introduced themselves", () => {
  test("W17: three hundred that dial in the same moment are all read", async () => {
    const node = await startNode();
    const swarms = [1, 2, 3, 4, 5].map((torrent) => startSwarm(node, [], torrent));
    const strangers = await Promise.all(Array.from({ length: 300 }, () => Stranger.connect(node)));
    for (const [i, stranger] of strangers.entries()) stranger.introduce(1 + (i % 5), 1 + Math.floor(i / 5));
    await until(() => swarms.every(({ peerCount }) => peerCount === 60));
    expect(closedOf(strangers)).toEqual([]);
  });

  test("W14, W17: give way when they have said nothing for a second, the oldest first, and a speaker is served all the same", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const silent: Stranger[] = [];
    for (let i = 0; i < MAX_HALF_OPEN_INCOMING + 20; i++) silent.push(await Stranger.connect(node));
    const speaker = await Stranger.connect(node);
    speaker.introduce(5);
    await until(() => speaker.heard >= 68);
    expect([swarm.peerCount, closedOf(silent).length]).toEqual([1, 0]);
    const later = monotonicMs() + HALF_OPEN_GRACE_MS;
    node.tick(later);
    node.tick(later + 1);
    await until(() => closedOf(silent).length === 20);
    expect(closedOf(silent.slice(20))).toEqual([]);
  });

  test("W14: never lock out who speaks, however many they are, and take nobody's place", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const silent: Stranger[] = [];
    for (let i = 0; i < MAX_HALF_OPEN_BURST + 20; i++) silent.push(await Stranger.connect(node));
    await until(() => closedOf(silent).length >= 20);
    expect(node.budget.dialSlots).toBeGreaterThan(0);
    expect(await newcomer(node)).toMatchObject({ isClosed: false });
    expect(swarm.peerCount).toBe(1);
  });
});

describe("A banned peer", () => {
  /** A culprit that was caught, with its connection gone; `port` where it said that it listens. */
  async function caught(node: Node, swarm: Swarm, port: number | undefined): Promise<void> {
    const culprit = await Stranger.connect(node);
    culprit.introduce(5, 9);
    culprit.namePort(port);
    await until(() => swarm.peerCount === 1 && onlyPeer(swarm).extended !== undefined);
    onlyPeer(swarm).close("hashMismatch");
    await until(() => culprit.isClosed);
  }

  test("W21: is known by the port it names, and nobody else on its host is taken for it", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    await caught(node, swarm, 50_001);
    const again = await Stranger.connect(node);
    again.introduce(5, 10);
    again.namePort(50_001);
    await until(() => again.isClosed);
    const neighbour = await Stranger.connect(node);
    neighbour.introduce(5, 11);
    neighbour.namePort(50_002);
    await until(() => swarm.peerCount === 1 && onlyPeer(swarm).listenAddress !== undefined);
    await Bun.sleep(30);
    expect([neighbour.isClosed, swarm.peerCount]).toEqual([false, 1]);
  });

  test("W21: that names no port is known by its host, and not answered", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    await caught(node, swarm, undefined);
    const again = await newcomer(node);
    expect([again.isClosed, again.heard, swarm.peerCount]).toEqual([true, 0, 0]);
  });

  test("W21: that names another port each time is known by its host in the end", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    for (const port of [50_001, 50_002, 50_003]) await caught(node, swarm, port);
    expect((await newcomer(node)).isClosed).toBe(true);
  });

  test("W21: is banned also when it left before its data was found to be wrong, and when it has come back already", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const culprit = await Stranger.connect(node);
    culprit.introduce(5, 9);
    culprit.namePort(50_001);
    await until(() => swarm.peerCount === 1 && onlyPeer(swarm).listenAddress !== undefined);
    const { handle } = onlyPeer(swarm);
    culprit.leave();
    await until(() => swarm.peerCount === 0);
    const back = await Stranger.connect(node);
    back.introduce(5, 10);
    back.namePort(50_001);
    await until(() => swarm.peerCount === 1 && onlyPeer(swarm).listenAddress !== undefined);
    swarm.banDisconnected(handle);
    await until(() => back.isClosed);
    const again = await Stranger.connect(node);
    again.introduce(5, 11);
    again.namePort(50_001);
    await until(() => again.isClosed);
    expect(swarm.peerCount).toBe(0);
  });
});
