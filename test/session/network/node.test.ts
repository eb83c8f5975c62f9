// A real node on loopback against strangers with plain sockets.
import { describe, expect, spyOn, test } from "bun:test";
import { peerHandle, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { FIRST_PEERS, LOOKUP_HUNGRY_MS, PEER_PACE_MS, WANTED_PEERS } from "../../../src/core/swarm/limits.ts";
import {
  HANDSHAKE_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  STALLED_WRITE_MS,
} from "../../../src/session/peer/limits.ts";
import { MAX_HALF_OPEN_OUTGOING } from "../../../src/session/network/limits.ts";
import { concatBytes } from "../../../src/lib/bytes.ts";
import { TcpConnection } from "../../../src/net/tcp-connection.ts";
import { monotonicMs } from "../../../src/session/clock.ts";
import { cleanups, HOST, startNode, startSwarm, Stranger, until, useNodeFixture } from "./node-fixture.ts";

useNodeFixture();

describe("A swarm", () => {
  test.each([
    ["a leecher that knows nobody asks the DHT every second", false, 15, 25],
    ["a seed asks it every fifteen", true, 1, 2],
  ] as const)("%s", async (_, isSeeding, least, most) => {
    const node = await startNode();
    const swarm = startSwarm(node);
    Object.defineProperty(swarm, "isSeeding", { get: () => isSeeding });
    const lookup = spyOn(node.dht, "lookup");
    const begun = monotonicMs() + 1e6;
    for (let at = 0; at < 20_000; at += 100) swarm.tick(begun + at);
    expect(lookup.mock.calls.length).toBeWithin(least, most + 1);
  });
});

test("only a connection to another program is taken from bbr", async () => {
  const pace = spyOn(TcpConnection.prototype, "paceByLoss");
  const [one, other] = [await startNode(), await startNode()];
  const swarm = startSwarm(one);
  startSwarm(other, [one.address]).tick(monotonicMs());
  await until(() => swarm.peerCount === 1);
  expect(pace).not.toHaveBeenCalled();
  const stranger = await Stranger.connect(one);
  stranger.introduce(5);
  await until(() => swarm.peerCount === 2);
  expect(pace).toHaveBeenCalledTimes(1);
  pace.mockRestore();
});

describe("A swarm that starts", () => {
  test("dials a few addresses at first, one more at a time after its first peer, and twenty in the end", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const dial = spyOn(node, "dial").mockImplementation(() => new Promise(() => {}));
    for (let host = 1; host <= 50; host++) swarm.learn({ host: `127.0.9.${host}`, port: 6881 }, "dht");
    const now = monotonicMs();
    for (let i = 0; i < 3; i++) swarm.tick(now);
    expect(dial).toHaveBeenCalledTimes(FIRST_PEERS);
    const stranger = await Stranger.connect(node);
    stranger.introduce(5);
    await until(() => swarm.peerCount === 1);
    const later = monotonicMs() + WANTED_PEERS * PEER_PACE_MS;
    dial.mockClear();
    swarm.tick(later);
    expect(dial).toHaveBeenCalledTimes(WANTED_PEERS - 1);
  });

  test("announces itself again when nobody took it, and not otherwise", async () => {
    for (const isHeard of [true, false]) {
      const node = await startNode();
      const swarm = startSwarm(node);
      Object.defineProperty(node.dht, "nodeCount", { get: () => 1 });
      const announce = spyOn(node.dht, "announce").mockResolvedValue(isHeard);
      // Whole, or the sum below may be less than a wait away from it.
      const now = Math.ceil(monotonicMs());
      swarm.tick(now);
      await Promise.resolve();
      swarm.tick(now + LOOKUP_HUNGRY_MS);
      expect(announce).toHaveBeenCalledTimes(isHeard ? 1 : 2);
    }
  });
});

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
      expect(i).toBeLessThan(MAX_HALF_OPEN_OUTGOING);
      dials.push(node.dial({ host: HOST, port: mute.port }));
    }
    expect(dials).toHaveLength(MAX_HALF_OPEN_OUTGOING);
    await Promise.all(dials);
    expect(node.dialSlots).toBe(MAX_HALF_OPEN_OUTGOING);
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

  test("W14: nobody is silent while our disk is behind and nobody is listened to", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const stranger = await Stranger.connect(node);
    stranger.introduce(5);
    await until(() => swarm.peerCount === 1);
    swarm.setPaused(true);
    swarm.tick(monotonicMs() + IDLE_TIMEOUT_MS + 100);
    expect(swarm.peerCount).toBe(1);
    await Bun.sleep(30);
    // It has its whole time again from the moment it is listened to.
    const resumedAt = monotonicMs();
    swarm.setPaused(false);
    swarm.tick(resumedAt + IDLE_TIMEOUT_MS - 10);
    expect(swarm.peerCount).toBe(1);
    swarm.tick(resumedAt + IDLE_TIMEOUT_MS + 100);
    expect(swarm.peerCount).toBe(0);
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
