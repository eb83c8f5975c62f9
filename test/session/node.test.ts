// A real node on loopback against strangers with plain sockets.
import { afterEach, describe, expect, test } from "bun:test";
import type { Socket } from "bun";
import { infoHashOf, peerHandle, pieceIndex } from "../../src/core/ids.ts";
import {
  HANDSHAKE_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  STALLED_WRITE_MS,
  MAX_PEERS_LEECHING,
  MAX_PENDING_INCOMING,
  MAX_PENDING_OUTGOING,
} from "../../src/core/limits.ts";
import { concatBytes } from "../../src/lib/bytes.ts";
import { silentLogger } from "../../src/lib/logger.ts";
import { monotonicMs } from "../../src/session/clock.ts";
import { Node } from "../../src/session/node.ts";
import { Swarm } from "../../src/session/swarm.ts";
import { handshakeBytes } from "../wire/wire-end.ts";

const HOST = `127.9.${process.pid % 250}.7`;
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function startNode(): Promise<Node> {
  const node = await Node.start({
    options: {
      ip: HOST,
      port: undefined,
      portRange: { first: 42070, last: 42099 },
      peers: [],
      uploadLimit: 0,
      downloadLimit: 0,
    },
    keptPort: undefined,
    bootstrap: [],
    logger: silentLogger,
  });
  cleanups.push(() => node.close());
  return node;
}

function startSwarm(node: Node, pinned: readonly { host: string; port: number }[] = []): Swarm {
  const swarm = new Swarm({
    node,
    infoHash: infoHashOf(new Uint8Array(20).fill(5)),
    infoDict: undefined,
    pinned: pinned.map((address) => ({ address, source: "flag" as const })),
    state: "leeching",
    onMetadata: () => {},
    onFirstPeer: () => {},
  });
  node.add(swarm);
  return swarm;
}

class Stranger {
  heard = 0;
  isClosed = false;
  #socket: Socket | undefined;

  static async connect(node: Node): Promise<Stranger> {
    const stranger = new Stranger();
    stranger.#socket = await Bun.connect({
      hostname: node.address.host,
      port: node.address.port,
      socket: {
        data: (_socket, chunk) => void (stranger.heard += chunk.length),
        close: () => void (stranger.isClosed = true),
        error: () => {},
      },
    });
    cleanups.push(() => void stranger.#socket?.end());
    return stranger;
  }

  /** Reads no more. */
  pause(): void {
    this.#socket?.pause();
  }

  say(bytes: Uint8Array | string): void {
    this.#socket?.write(bytes);
  }

  /** A whole handshake for the torrent whose info hash is this byte twenty times. */
  introduce(torrent: number, peerId = 1): void {
    const bytes = handshakeBytes().slice();
    bytes.fill(torrent, 28, 48);
    bytes.fill(peerId, 48, 68);
    this.say(bytes);
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !isSo(); i++) await Bun.sleep(1);
  expect(isSo()).toBe(true);
}

describe("A node", () => {
  test("W1: closes what speaks another protocol without a word, and keeps whoever has not finished", async () => {
    const node = await startNode();
    for (const probe of ["GET / HTTP/1.1\r\n\r\n", "\u0016\u0003\u0001", "\u0013BitTorrent protocal"]) {
      const stranger = await Stranger.connect(node);
      stranger.say(probe);
      await until(() => stranger.isClosed);
      expect(stranger.heard).toBe(0);
    }
    const slow = await Stranger.connect(node);
    slow.say("\u0013Bit");
    await Bun.sleep(50);
    expect(slow.isClosed).toBe(false);
  });

  test("W1, W14: ends what has not finished its handshake in ten seconds, also where we have dialled", async () => {
    const node = await startNode();
    let accepted = 0;
    let ended = 0;
    const mute = Bun.listen({
      hostname: HOST,
      port: 0,
      socket: { open: () => void accepted++, close: () => void ended++, data() {} },
    });
    cleanups.push(() => mute.stop(true));
    const swarm = startSwarm(node, [{ host: HOST, port: mute.port }]);
    const stranger = await Stranger.connect(node);
    stranger.say("\u0013BitTorrent");
    swarm.tick(monotonicMs());
    await until(() => accepted === 1);
    await Bun.sleep(20);
    node.tick(monotonicMs() + HANDSHAKE_TIMEOUT_MS - 2000);
    await Bun.sleep(20);
    expect([ended, stranger.isClosed]).toEqual([0, false]);
    node.tick(monotonicMs() + HANDSHAKE_TIMEOUT_MS + 1);
    await until(() => ended === 1 && stranger.isClosed);
  });

  test("W20: dials so many at once and no more, whoever is named to it", async () => {
    const node = await startNode();
    const mute = Bun.listen({ hostname: HOST, port: 0, socket: { data() {} } });
    cleanups.push(() => mute.stop(true));
    const dials = [];
    for (let i = 0; node.dialSlots > 0; i++) {
      expect(i).toBeLessThan(MAX_PENDING_OUTGOING);
      dials.push(node.dial({ host: HOST, port: mute.port }));
    }
    expect(dials).toHaveLength(MAX_PENDING_OUTGOING);
    await Promise.all(dials);
    expect(node.dialSlots).toBe(MAX_PENDING_OUTGOING);
  });

  test("a keep-alive is said after a while of silence, and nothing before", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const stranger = await Stranger.connect(node);
    stranger.introduce(5);
    await until(() => swarm.peerCount === 1);
    await Bun.sleep(50);
    const { heard } = stranger;
    swarm.tick(monotonicMs() + KEEP_ALIVE_MS - 2000);
    await Bun.sleep(50);
    expect(stranger.heard).toBe(heard);
    swarm.tick(monotonicMs() + KEEP_ALIVE_MS + 100);
    await until(() => stranger.heard === heard + 4);
  });

  test("W14: a peer that takes nothing of what it asked for is given up after a minute", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const stranger = await Stranger.connect(node);
    stranger.introduce(5);
    await until(() => swarm.peerCount === 1);
    const [peer] = [...Array(50).keys()].flatMap((handle) => swarm.peer(peerHandle(handle + 1)) ?? []);
    stranger.pause();
    for (let i = 0; i < 4000; i++) peer?.send({ type: "interested" });
    const much = new Uint8Array(128 * 1024);
    for (let i = 0; i < 28; i++)
      peer?.sendBlock({ piece: pieceIndex(0), begin: 0, length: much.length }, much);
    await Bun.sleep(50);
    swarm.tick(monotonicMs() + STALLED_WRITE_MS - 2000);
    expect(swarm.peerCount).toBe(1);
    // A keep-alive of the peer's, so that it is not for its silence.
    stranger.say(new Uint8Array(4));
    swarm.tick(monotonicMs() + STALLED_WRITE_MS + 100);
    expect(swarm.peerCount).toBe(0);
  });

  test("W2: does not answer a handshake for a torrent that it has not", async () => {
    const node = await startNode();
    startSwarm(node);
    const stranger = await Stranger.connect(node);
    stranger.introduce(6);
    await until(() => stranger.isClosed);
    expect(stranger.heard).toBe(0);
  });

  test("W14, W17: of many connections that say nothing the oldest give way, and a speaker is served all the same", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const silent: Stranger[] = [];
    for (let i = 0; i < MAX_PENDING_INCOMING + 20; i++) silent.push(await Stranger.connect(node));
    await until(() => silent.filter(({ isClosed }) => isClosed).length === 20);
    expect(silent.slice(20).some(({ isClosed }) => isClosed)).toBe(false);
    const speaker = await Stranger.connect(node);
    speaker.introduce(5);
    await until(() => speaker.heard >= 68);
    expect(swarm.peerCount).toBe(1);
  });

  test("W17: a torrent has room for so many, refuses the next, and keeps those it has", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const peers: Stranger[] = [];
    for (let i = 1; i <= MAX_PEERS_LEECHING; i++) {
      const peer = await Stranger.connect(node);
      peer.introduce(5, i);
      await until(() => swarm.peerCount === i);
      peers.push(peer);
    }
    const next = await Stranger.connect(node);
    next.introduce(5, 200);
    await until(() => next.isClosed);
    expect([swarm.peerCount, peers.some(({ isClosed }) => isClosed)]).toEqual([MAX_PEERS_LEECHING, false]);
  });

  test("W14: a peer that never ends its message is as good as silent", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const stranger = await Stranger.connect(node);
    stranger.introduce(5);
    await until(() => swarm.peerCount === 1);
    const spokeBefore = monotonicMs();
    await Bun.sleep(30);
    stranger.say(new Uint8Array([0, 0, 0, 13]));
    await Bun.sleep(30);
    swarm.tick(spokeBefore + IDLE_TIMEOUT_MS + 10);
    await until(() => stranger.isClosed);
  });

  test("W14: a peer that ends a message now and then is kept", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const stranger = await Stranger.connect(node);
    stranger.introduce(5);
    await until(() => swarm.peerCount === 1);
    const spokeBefore = monotonicMs();
    await Bun.sleep(30);
    stranger.say(concatBytes([new Uint8Array(4), new Uint8Array([0, 0, 0, 13])]));
    await Bun.sleep(30);
    swarm.tick(spokeBefore + IDLE_TIMEOUT_MS + 10);
    await Bun.sleep(50);
    expect(stranger.isClosed).toBe(false);
  });

  test("W16: of two connections of one peer the older one stays", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const first = await Stranger.connect(node);
    first.introduce(5);
    await until(() => swarm.peerCount === 1);
    const second = await Stranger.connect(node);
    second.introduce(5);
    await until(() => second.isClosed);
    expect([first.isClosed, swarm.peerCount]).toEqual([false, 1]);
    const other = await Stranger.connect(node);
    other.introduce(5, 2);
    await until(() => swarm.peerCount === 2);
  });

  test("W16: its own address is never taken for a peer", async () => {
    const node = await startNode();
    const swarm = startSwarm(node, [{ host: node.address.host, port: node.address.port }]);
    for (let i = 0; i < 30; i++) {
      swarm.tick(monotonicMs() + i * 1000);
      await Bun.sleep(5);
    }
    expect(swarm.peerCount).toBe(0);
  });
});
