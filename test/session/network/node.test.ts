import { describe, expect, spyOn, test } from "bun:test";
import type { TransferEvent } from "../../../src/core/transfer/transfer-types.ts";
import { silentLogger } from "../../helpers/silent-logger.ts";
import type { TransferRunner } from "../../../src/session/file/transfer-runner.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../../../src/session/peer/limits.ts";
import {
  FAREWELL_MS,
  LIMITED_TICK_MS,
  MAX_CONNECTIONS,
  MAX_HALF_OPEN_OUTGOING,
  TICK_MS,
} from "../../../src/session/network/limits.ts";
import { Node } from "../../../src/session/network/node.ts";
import type { Torrent } from "../../../src/session/network/swarm-network.ts";
import { monotonicMs } from "../../../src/session/clock.ts";
import { GEOMETRY } from "../../wire/wire-end.ts";
import { endOfTurn, NetworkFixture, TORRENT, torrentHash } from "./network-fixture.ts";
import {
  cleanups,
  HOST,
  startNode,
  startSwarm,
  LoopbackPeer,
  until,
  useNodeFixture,
} from "./node-fixture.ts";

useNodeFixture();

/** A torrent that only notes when it is its turn. */
function torrent(byte: number, onTick: (byte: number) => void = () => {}): Torrent {
  return {
    infoHash: torrentHash(byte),
    isFull: false,
    admit: () => undefined,
    learn: () => {},
    peers: () => [],
    isExempt: () => false,
    longestIdle: () => undefined,
    tick: () => onTick(byte),
    close: () => {},
    gossip: { reported: () => undefined, isReported: () => true },
  };
}

describe("A node on a virtual clock", () => {
  test("under a rate limit lets the torrents take turns at being first at a tick", () => {
    const { node } = new NetworkFixture({ limits: { uploadLimit: 1_000, downloadLimit: 0 } });
    let order: number[] = [];
    for (const byte of [1, 2, 3]) node.add(torrent(byte, (ticked) => void order.push(ticked)));
    const orders: string[] = [];
    for (let i = 0; i < 6; i++) {
      order = [];
      node.tick(i);
      orders.push(order.join(""));
    }
    expect(orders).toEqual(["231", "312", "123", "231", "312", "123"]);
  });

  test("limits what it sends by the upload limit and what it gets by the download limit", () => {
    const { node } = new NetworkFixture({ limits: { uploadLimit: 1_000_000, downloadLimit: 2_000_000 } });
    expect([node.uploadBucket.bytesIn(1000), node.downloadBucket.bytesIn(1000)]).toEqual([1e6, 2e6]);
    const free = new NetworkFixture().node;
    expect([free.uploadBucket.isUnlimited, free.downloadBucket.isUnlimited]).toEqual([true, true]);
  });

  test("a torrent that was removed is not asked for room any more", () => {
    const { node } = new NetworkFixture();
    const asked: number[] = [];
    const asking = (byte: number): Torrent => ({
      ...torrent(byte),
      longestIdle: () => {
        asked.push(byte);
        return undefined;
      },
    });
    const [left, stays] = [asking(1), asking(2)];
    for (const one of [left, stays]) node.add(one);
    node.remove(left);
    for (let i = 0; i <= MAX_CONNECTIONS; i++)
      node.budget.add({ remote: { host: "10.0.0.9", port: 1 } } as never);
    expect(node.budget.makeRoom({ remote: { host: "10.0.0.9", port: 1 } } as never, stays)).toBe(false);
    expect(asked).toEqual([2]);
  });

  test("a torrent that was removed ticks no more, and one that replaced it stays", () => {
    const { node } = new NetworkFixture();
    const ticks: string[] = [];
    const [old, fresh] = ["old", "fresh"].map((name) => torrent(1, () => void ticks.push(name)));
    node.add(old!);
    node.add(fresh!);
    node.remove(old!);
    node.tick(1);
    node.remove(fresh!);
    node.tick(2);
    expect(ticks).toEqual(["fresh"]);
  });

  test("counts a connection of either direction until it ends", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm();
    const [address] = [{ host: "10.9.0.1", port: 2000 }];
    fixture.answer(address);
    for (let i = 0; i < MAX_CONNECTIONS - 2; i++) fixture.node.budget.add({ number: i } as never);
    const silent = fixture.accept();
    expect(fixture.node.budget.unpinnedDialSlots).toBe(2);
    silent.sendHandshake();
    expect(fixture.node.budget.unpinnedDialSlots).toBe(1);
    const dialled = await fixture.node.dial(address);
    expect(fixture.node.budget.unpinnedDialSlots).toBe(0);
    dialled?.close("idle");
    silent.leave();
    expect(fixture.node.budget.unpinnedDialSlots).toBe(2);
  });

  test("W14: ends a connection that it dialled and that sends no handshake in ten seconds", async () => {
    const fixture = new NetworkFixture();
    const address = { host: "10.9.0.1", port: 2000 };
    const [mute] = [fixture.answer(address)];
    await fixture.node.dial(address);
    await fixture.pass(HANDSHAKE_TIMEOUT_MS);
    expect(mute[0]?.isClosed).toBe(false);
    await fixture.pass(200);
    expect(mute[0]?.isClosed).toBe(true);
  });
});

describe("A node that closes", () => {
  test("stops listening, dialling and looking for peers, and refuses what is accepted too late", async () => {
    const fixture = new NetworkFixture();
    const dial = fixture.node.dial({ host: "10.9.0.1", port: 2000 });
    const silent = fixture.accept();
    await Promise.all([fixture.node.close(), fixture.node.close()]);
    expect(await dial).toBeUndefined();
    expect([fixture.isListening, fixture.source.isClosed, silent.isClosed]).toEqual([false, true, true]);
    expect(fixture.accept().isClosed).toBe(true);
  });

  test("closes a connection that opens in that moment", async () => {
    const fixture = new NetworkFixture();
    const address = { host: "10.9.0.1", port: 2000 };
    const peers = fixture.answer(address);
    const dial = fixture.node.dial(address);
    await fixture.node.close();
    expect([await dial, peers[0]?.isClosed]).toEqual([undefined, true]);
  });

  test("waits a second for peers that read what is queued, and no longer", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    const events: TransferEvent[] = [];
    const runner = {
      metainfo: { geometry: GEOMETRY },
      transfer: { isComplete: true, peer: () => undefined },
      dispatch: (event: TransferEvent) => void events.push(event),
      stop: () => {},
    };
    swarm.start(runner as unknown as TransferRunner);
    const [quick, slow] = [fixture.join(1), fixture.join(2)];
    await endOfTurn();
    const closing = fixture.node.close();
    expect([quick.socket.hasEnded, slow.socket.hasEnded]).toEqual([true, true]);
    quick.leave();
    expect([slow.isClosed, fixture.source.isClosed]).toEqual([false, false]);
    fixture.now += FAREWELL_MS;
    await closing;
    expect([slow.isClosed, fixture.source.isClosed]).toEqual([true, true]);
  });
});

describe("A real node on loopback", () => {
  test.each([
    [0, 0, TICK_MS],
    [1_000, 0, LIMITED_TICK_MS],
    [0, 1_000, LIMITED_TICK_MS],
  ])(
    "with limits of %d and %d bytes ticks every %d ms until it is closed",
    async (uploadLimit, downloadLimit, step) => {
      const intervals = spyOn(globalThis, "setInterval");
      const stopped = spyOn(globalThis, "clearInterval");
      try {
        const node = await Node.start({
          options: {
            ip: HOST,
            port: undefined,
            portRange: { first: 42070, last: 42099 },
            peers: [],
            allow: [],
            uploadLimit,
            downloadLimit,
          },
          keptPort: undefined,
          bootstrap: [],
          logger: silentLogger,
        });
        cleanups.push(() => node.close());
        const ticks: number[] = [];
        node.add(torrent(1, (byte) => void ticks.push(byte)));
        const at = intervals.mock.calls.findIndex(([run]) => {
          ticks.length = 0;
          if (String(run).includes("tick")) run();
          return ticks.length > 0;
        });
        expect(intervals.mock.calls[at]?.[1]).toBe(step);
        expect([node.uploadBucket.isUnlimited, node.downloadBucket.isUnlimited]).toEqual([
          uploadLimit === 0,
          downloadLimit === 0,
        ]);
        await node.close();
        expect(stopped.mock.calls.map(([timer]) => timer)).toContain(
          intervals.mock.results[at]?.value as never,
        );
      } finally {
        intervals.mockRestore();
        stopped.mockRestore();
      }
    },
  );

  test("asks the addresses that it is given for nodes of the DHT", async () => {
    const one = await startNode();
    const other = await startNode([one.address]);
    const [source] = other.sources;
    await source?.lookup(torrentHash(1), () => {});
    expect(source?.nodeCount).toBe(1);
  });

  test("W1: closes what speaks another protocol without an answer, and keeps an unfinished handshake", async () => {
    const node = await startNode();
    for (const probe of ["GET / HTTP/1.1\r\n\r\n", "\u0016\u0003\u0001", "\u0013BitTorrent protocal"]) {
      const peer = await LoopbackPeer.connect(node);
      peer.send(probe);
      await until(() => peer.isClosed);
      expect(peer.heard).toBe(0);
    }
    const slow = await LoopbackPeer.connect(node);
    slow.send("\u0013Bit");
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
    const peer = await LoopbackPeer.connect(node);
    peer.send("\u0013BitTorrent");
    swarm.tick(monotonicMs());
    await until(() => accepted === 1);
    await Bun.sleep(20);
    node.tick(monotonicMs() + HANDSHAKE_TIMEOUT_MS - 2000);
    await Bun.sleep(20);
    expect([ended, peer.isClosed]).toEqual([0, false]);
    node.tick(monotonicMs() + HANDSHAKE_TIMEOUT_MS + 1);
    await until(() => ended === 1 && peer.isClosed);
  });

  test("W20: has a bounded number of dials under way", async () => {
    const node = await startNode();
    const mute = Bun.listen({ hostname: HOST, port: 0, socket: { data() {} } });
    cleanups.push(() => mute.stop(true));
    const dials = [];
    for (let i = 0; node.budget.dialSlots > 0; i++) {
      expect(i).toBeLessThan(MAX_HALF_OPEN_OUTGOING);
      dials.push(node.dial({ host: HOST, port: mute.port }));
    }
    expect(dials).toHaveLength(MAX_HALF_OPEN_OUTGOING);
    await Promise.all(dials);
    expect(node.budget.dialSlots).toBe(MAX_HALF_OPEN_OUTGOING);
  });

  test("W2: does not answer a handshake for an unknown torrent", async () => {
    const node = await startNode();
    startSwarm(node);
    const peer = await LoopbackPeer.connect(node);
    peer.sendHandshake(TORRENT + 1);
    await until(() => peer.isClosed);
    expect(peer.heard).toBe(0);
  });

  test("W16: keeps the older of two connections that one peer has opened", async () => {
    const node = await startNode();
    const swarm = startSwarm(node);
    const first = await LoopbackPeer.connect(node);
    first.sendHandshake(TORRENT);
    await until(() => swarm.peerCount === 1);
    const second = await LoopbackPeer.connect(node);
    second.sendHandshake(TORRENT);
    await until(() => second.isClosed);
    expect([first.isClosed, swarm.peerCount]).toEqual([false, 1]);
    const other = await LoopbackPeer.connect(node);
    other.sendHandshake(TORRENT, 2);
    await until(() => swarm.peerCount === 2);
  });

  test("W16: never takes its own address for a peer", async () => {
    const node = await startNode();
    const swarm = startSwarm(node, [{ host: node.address.host, port: node.address.port }]);
    for (let i = 0; i < 30; i++) {
      swarm.tick(monotonicMs() + i * 1000);
      await Bun.sleep(5);
    }
    expect(swarm.peerCount).toBe(0);
  });

  test("finds another by its address, and both know each other for p2pfile", async () => {
    const [one, other] = [await startNode(), await startNode()];
    const swarm = startSwarm(one);
    startSwarm(other, [one.address]).tick(monotonicMs());
    await until(() => swarm.peerCount === 1);
  });
});
