// A torrent on a virtual clock: real connections, on sockets that are not there.
import { describe, expect, test } from "bun:test";
import {
  FIRST_PEERS,
  LOOKUP_HUNGRY_MS,
  MAX_HEARSAY_DIALS,
  PEER_PACE_MS,
  WANTED_PEERS,
} from "../../../src/core/swarm/limits.ts";
import { addressKey, type PeerAddress } from "../../../src/core/format/peer-address.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import type { TransferEvent } from "../../../src/core/transfer/transfer-types.ts";
import type { TransferRunner } from "../../../src/session/file/transfer-runner.ts";
import { concatBytes } from "../../../src/lib/bytes.ts";
import {
  CONNECT_TIMEOUT_MS,
  FAREWELL_MS,
  MAX_ANSWERED_DUPLICATES,
  MAX_HALF_OPEN_OUTGOING,
  TICK_MS,
} from "../../../src/session/network/limits.ts";
import { frame, GEOMETRY, handshakeBytes } from "../../wire/wire-end.ts";
import {
  endOfTurn,
  HIGHEST_ID,
  LOWEST_ID,
  NetworkFixture,
  peersOf,
  type RemotePeer,
  TORRENT,
  torrentHash,
} from "./network-fixture.ts";

const SEED: PeerAddress = { host: "10.9.0.1", port: 42_083 };
const silent = (count: number): PeerAddress[] =>
  Array.from({ length: count }, (_, i) => ({ host: `10.66.0.${i + 1}`, port: 42_083 }));
const pinned = (addresses: readonly PeerAddress[]) =>
  addresses.map((address) => ({ address, source: "flag" as const }));
const HAVE_NONE = 15;
const UNCHOKED = 1;
const EXTENDED = 20;
const PORT = 9;

/** As much of a runner as a swarm uses. */
function runner(isComplete = false) {
  const events: TransferEvent[] = [];
  const fake = {
    events,
    isStopped: false,
    metainfo: { geometry: GEOMETRY },
    transfer: { isComplete, peer: () => undefined },
    dispatch: (event: TransferEvent) => void events.push(event),
    stop: () => void (fake.isStopped = true),
  };
  return fake;
}
const real = (fake: ReturnType<typeof runner>) => fake as unknown as TransferRunner;
const typesOf = (fake: ReturnType<typeof runner>) => fake.events.map(({ type }) => type);

describe("A peer that joins", () => {
  test("is answered with our handshake, our extension handshake, that we have nothing, and our DHT port", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    const peer = fixture.join();
    await endOfTurn();
    expect(swarm.peerCount).toBe(1);
    expect(peer.socket.written.subarray(28, 48)).toEqual(new Uint8Array(20).fill(TORRENT));
    expect(new Set(peer.messages.map(({ id }) => id))).toEqual(new Set([EXTENDED, HAVE_NONE, PORT]));
  });

  test("and was dialled gets one handshake of ours, and what an incoming one gets", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm({ pinned: pinned([SEED]) });
    const [seed] = await dialSeed(fixture);
    expect(seed?.heard).toBe(68);
    seed?.sendHandshake();
    await endOfTurn();
    expect(new Set(seed?.messages.map(({ id }) => id))).toEqual(new Set([EXTENDED, HAVE_NONE, PORT]));
  });

  test("and has no DHT is not told our DHT port", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm();
    const peer = fixture.accept();
    const handshake = handshakeBytes().slice();
    // BEP 5: the last bit of the reserved bytes.
    handshake[27] = (handshake[27] ?? 0) & ~1;
    peer.send(handshake.fill(TORRENT, 28, 48));
    await endOfTurn();
    expect(new Set(peer.messages.map(({ id }) => id))).toEqual(new Set([EXTENDED, HAVE_NONE]));
  });

  test("during a pause is paused too", () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    const before = fixture.join(1);
    swarm.setPaused(true);
    const during = fixture.join(2);
    expect([before.isPaused, during.isPaused]).toEqual([true, true]);
    swarm.setPaused(false);
    expect([before.isPaused, during.isPaused]).toEqual([false, false]);
    expect(fixture.join(3).isPaused).toBe(false);
  });

  test("is reported once when it is the first, with the source of its address", async () => {
    const sources: string[] = [];
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm({
      pinned: pinned([SEED]),
      onFirstPeer: (source) => void sources.push(source),
    });
    const [seed] = await dialSeed(fixture);
    seed?.sendHandshake();
    fixture.join(2);
    expect([sources, swarm.peersBySource]).toEqual([
      ["flag"],
      { magnet: 0, flag: 1, dht: 0, pex: 0, exchange: 0, incoming: 1 },
    ]);
  });

  test("C2, W16: with our own peer id is ourselves: its address is never dialled again", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm({ pinned: pinned([SEED]) });
    const [self] = await dialSeed(fixture);
    self?.sendHandshake(TORRENT, fixture.node.peerId);
    expect([self?.isClosed, swarm.peerCount]).toEqual([true, 0]);
    await fixture.pass(20_000);
    expect(fixture.dialled).toEqual([addressKey(SEED)]);
  });

  test("with a closed torrent, or before one, is refused", () => {
    const fixture = new NetworkFixture();
    expect(fixture.join().isClosed).toBe(true);
    const swarm = fixture.swarm();
    swarm.close();
    swarm.close();
    const late = fixture.accept();
    fixture.node.add(swarm);
    late.sendHandshake();
    expect(late.isClosed).toBe(true);
  });
});

/** The seed answers; @returns its connections. */
async function dialSeed(fixture: NetworkFixture): Promise<RemotePeer[]> {
  const peers = fixture.answer(SEED);
  await fixture.pass(TICK_MS);
  expect(peers).toHaveLength(1);
  return peers;
}

describe("Dials", () => {
  test("go to a few addresses at first, to one more at a time after the first peer, and to twenty in the end", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    for (const address of silent(50)) swarm.learn(address, "dht");
    for (let i = 0; i < 3; i++) swarm.tick(fixture.now);
    expect(fixture.dialled).toHaveLength(FIRST_PEERS);
    fixture.join();
    swarm.tick(fixture.now + WANTED_PEERS * PEER_PACE_MS);
    expect(fixture.dialled).toHaveLength(FIRST_PEERS + WANTED_PEERS - 1);
  });

  test("W20: are never more than may be half-open", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm({ pinned: pinned(silent(100)) });
    let most = 0;
    for (let i = 0; i < 200; i++) {
      await fixture.pass(TICK_MS);
      most = Math.max(most, fixture.dials.size);
    }
    expect(most).toBeGreaterThan(MAX_HALF_OPEN_OUTGOING / 2);
    expect(most).toBeLessThanOrEqual(MAX_HALF_OPEN_OUTGOING);
  });

  test("W20: of what one peer names are twenty a second, however often the torrent ticks, and reach what another names", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    for (let i = 0; i < 1_900; i++)
      swarm.learn({ host: `10.66.${i >> 7}.${i & 127}`, port: 2000 }, "exchange", "10.9.0.9");
    swarm.learn(SEED, "dht", "10.9.0.8");
    for (let i = 0; i < 100; i++) {
      fixture.now += 10;
      swarm.tick(fixture.now);
      for (const dial of fixture.dials) {
        fixture.dials.delete(dial);
        dial.settle({ type: "failed", code: "ECONNREFUSED" });
      }
      await endOfTurn();
    }
    expect(fixture.dialled.length).toBe(MAX_HEARSAY_DIALS);
    expect(fixture.dialled.slice(0, 2)).toContain(addressKey(SEED));
  });

  test("reach a seed of the DHT although 64 pinned addresses never answer", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm({ pinned: pinned(silent(64)) });
    const seeds = fixture.answer(SEED);
    await fixture.pass(1_000);
    fixture.source.known.push(SEED);
    await fixture.pass(3 * LOOKUP_HUNGRY_MS);
    expect(seeds).toHaveLength(1);
  });

  test("are repeated after one that failed, with a longer wait each time", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm({ pinned: pinned([SEED]) });
    await fixture.pass(CONNECT_TIMEOUT_MS + 100);
    expect(fixture.dialled).toHaveLength(1);
    await fixture.pass(300);
    expect(fixture.dialled).toHaveLength(2);
    expect(fixture.log).toContain(`${addressKey(SEED)}: no connection (TIMEOUT)`);
  });

  test("that succeed send our handshake at once, and fail when the answer is for another torrent", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm({ pinned: pinned([SEED]) });
    const [seed] = await dialSeed(fixture);
    expect(seed?.heard).toBe(68);
    seed?.sendHandshake(TORRENT + 1);
    expect([seed?.isClosed, swarm.peerCount]).toEqual([true, 0]);
  });

  test("that end after the torrent was closed are closed", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm({ pinned: pinned([SEED]) });
    const peers = fixture.answer(SEED);
    swarm.tick(fixture.now);
    swarm.close();
    await endOfTurn();
    expect(peers.map(({ isClosed }) => isClosed)).toEqual([true]);
  });
});

describe("Sources", () => {
  test.each([
    ["a leecher without peers looks up every second", false, 15, 26],
    ["a seed looks up every fifteen", true, 1, 3],
  ] as const)("%s", async (_, isSeeding, least, most) => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    if (isSeeding) swarm.start(real(runner(true)));
    await fixture.pass(20_000);
    expect(fixture.source.lookups).toBeWithin(least, most);
  });

  test("find addresses by a lookup and by announces to us, for the torrent that they name", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm();
    fixture.source.onPeer(torrentHash(TORRENT + 1), { host: "10.9.0.2", port: 2000 });
    fixture.source.onPeer(torrentHash(TORRENT), SEED);
    await fixture.pass(TICK_MS);
    expect(fixture.dialled).toEqual([addressKey(SEED)]);
  });

  test("that the address policy refuses are left out, unless the user named them", async () => {
    const fixture = new NetworkFixture({ policy: { allows: (_, isPinned) => isPinned } });
    const swarm = fixture.swarm({ pinned: pinned([SEED]) });
    for (const address of silent(3)) swarm.learn(address, "pex");
    await fixture.pass(TICK_MS);
    expect(fixture.dialled).toEqual([addressKey(SEED)]);
  });

  test("learn of the DHT port that a peer sends, if it may be contacted", () => {
    const isAllowed = { now: false };
    const fixture = new NetworkFixture({ policy: { allows: () => isAllowed.now } });
    fixture.swarm();
    const peer = fixture.join(1, "10.1.0.9");
    peer.send(frame(PORT, [0x1f, 0x90]));
    isAllowed.now = true;
    peer.send(frame(PORT, [0x1f, 0x91]));
    expect(fixture.source.nodes).toEqual(["10.1.0.9:8081"]);
  });
});

describe("The address of a peer that has come by itself", () => {
  const HOST = "10.1.0.9";

  test("is the port that it advertised last, and none that it advertised before", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    const peer = fixture.join(1, HOST);
    peer.sendPort(undefined);
    for (const port of [2000, 2001, 2002]) peer.sendPort(port);
    expect(peersOf(swarm)[0]?.listenAddress).toEqual({ host: HOST, port: 2002 });
    peer.leave();
    await fixture.pass(20_000);
    expect(new Set(fixture.dialled)).toEqual(new Set([`${HOST}:2002`]));
  });

  test("is dialled again when the connection has ended, although it is known under a second address", async () => {
    // The peer has dialled us and advertised a port; the address that the user named leads to it, too.
    const named = { host: HOST, port: 5000 };
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm({ pinned: pinned([named]) });
    const incoming = fixture.join(LOWEST_ID, HOST);
    incoming.sendPort(6881);
    const outgoing = fixture.answer(named);
    await fixture.pass(TICK_MS);
    outgoing[0]?.sendHandshake(TORRENT, LOWEST_ID);
    expect([outgoing[0]?.isClosed, swarm.peerCount]).toEqual([true, 1]);
    await fixture.pass(10_000);
    expect(outgoing).toHaveLength(1);
    incoming.leave();
    await fixture.pass(5_000);
    expect(outgoing).toHaveLength(2);
  });

  test("W21: is refused when it is banned", () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    const culprit = fixture.join(1, HOST);
    culprit.sendPort(2000);
    peersOf(swarm)[0]?.close("hashMismatch");
    const again = fixture.join(2, HOST);
    expect(again.isClosed).toBe(false);
    again.sendPort(2000);
    expect([again.isClosed, swarm.peerCount]).toEqual([true, 0]);
  });

  test("W21: is banned also when it left before its data failed, with its next connection", () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    const culprit = fixture.join(1, HOST);
    culprit.sendPort(2000);
    const handle = peersOf(swarm)[0]!.handle;
    culprit.leave();
    const again = fixture.join(2, HOST);
    again.sendPort(2000);
    swarm.banDisconnected(handle);
    expect(again.isClosed).toBe(true);
    swarm.banDisconnected(handle);
  });
});

describe("Two connections with one peer", () => {
  test.each([
    ["the lower id is the peer's: the one that it opened stays", LOWEST_ID, true],
    ["the lower id is ours: the one that we opened stays", HIGHEST_ID, false],
  ])("W16: %s", async (_, peerId, incomingStays) => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm({ pinned: pinned([SEED]) });
    const [outgoing] = await dialSeed(fixture);
    outgoing?.sendHandshake(TORRENT, peerId);
    const incoming = fixture.join(peerId, SEED.host);
    const { isClosed, socket } = incoming;
    expect([outgoing?.isClosed, isClosed || socket.hasEnded]).toEqual([incomingStays, !incomingStays]);
    await fixture.pass(30_000);
    expect([swarm.peerCount, fixture.dialled.length]).toEqual([1, 1]);
  });
});

describe("W16: A second connection of a connected peer", () => {
  test("gets our handshake, so that its side knows whom it has reached, and is closed a second later", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    fixture.join(1, "10.1.0.9");
    const again = fixture.join(1, "10.1.0.9");
    expect(again.heard).toBeGreaterThanOrEqual(68);
    expect([again.socket.hasEnded, again.isClosed]).toEqual([true, false]);
    await fixture.pass(FAREWELL_MS + TICK_MS);
    expect([again.isClosed, swarm.peerCount]).toEqual([true, 1]);
  });

  test("takes no connection slot, and of a flood of them few get more than a close", () => {
    const fixture = new NetworkFixture();
    fixture.swarm();
    fixture.join(1, "10.1.0.9");
    const slots = fixture.node.budget.unpinnedDialSlots;
    const flood = Array.from({ length: 1_000 }, () => fixture.join(1, "10.1.0.9"));
    expect(flood.filter(({ isClosed }) => !isClosed)).toHaveLength(MAX_ANSWERED_DUPLICATES);
    expect(fixture.node.budget.unpinnedDialSlots).toBe(slots);
    for (const peer of flood) peer.leave();
    expect(fixture.join(1, "10.1.0.9").heard).toBeGreaterThanOrEqual(68);
  });
});

test("A torrent that is closed dials no address any more", async () => {
  const fixture = new NetworkFixture();
  const swarm = fixture.swarm({ pinned: pinned([SEED]) });
  await fixture.pass(5_000);
  const before = fixture.dialled.length;
  expect(before).toBeGreaterThan(0);
  swarm.close();
  await fixture.pass(10_000);
  expect(fixture.dialled).toHaveLength(before);
});

describe("The transfer", () => {
  test("hears of the peers that were there before it, and of what they have said", () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    const peer = fixture.join();
    peer.send(frame(UNCHOKED));
    peer.send(frame(20, [0, ...new TextEncoder().encode("d4:reqqi250ee")]));
    const transfer = runner();
    swarm.start(real(transfer));
    expect(typesOf(transfer)).toEqual(["peerJoined", "peerQueueLimit", "received"]);
    fixture.join(2).leave();
    expect(typesOf(transfer).slice(3)).toEqual(["peerJoined", "peerLeft"]);
    // Only the first was told that we have nothing.
    expect(
      transfer.events.flatMap((event) => (event.type === "peerJoined" ? [event.haveNoneSent] : [])),
    ).toEqual([true, false]);
    peer.send(frame(20, [0, ...new TextEncoder().encode("d4:reqqi99ee")]));
    expect(transfer.events.at(-1)).toMatchObject({ type: "peerQueueLimit", requests: 99 });
  });

  test("gets a block with its bytes", () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    const received: unknown[] = [];
    const dispatch = (event: TransferEvent, payload?: Uint8Array) => {
      if (event.type === "received") received.push([event.message, payload?.slice()]);
      return undefined;
    };
    swarm.start(real({ ...runner(), dispatch }));
    const bytes = new Uint8Array(BLOCK_LENGTH).fill(7);
    fixture.join().send(frame(7, concatBytes([new Uint8Array(8), bytes])));
    const block = { piece: pieceIndex(0), begin: 0, length: bytes.length };
    expect(received).toEqual([[{ type: "block", block }, bytes]]);
  });

  test("ticks with the torrent, and hears what sockets have taken", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    const transfer = runner();
    swarm.start(real(transfer));
    fixture.join();
    const payload = new Uint8Array(1000);
    peersOf(swarm)[0]?.sendBlock({ piece: 0 as never, begin: 0, length: payload.length }, payload);
    await fixture.pass(TICK_MS);
    expect(transfer.events).toContainEqual({
      type: "uploaded",
      peer: peersOf(swarm)[0]!.handle,
      bytes: 1000,
    });
    expect(typesOf(transfer)).toContain("ticked");
  });

  test("is stopped once, however often the torrent is closed, and each peer is told once that we leave", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    let stops = 0;
    swarm.start(real({ ...runner(), stop: () => void stops++ }));
    const peer = fixture.join();
    peer.send(frame(EXTENDED, [0, ...new TextEncoder().encode("d1:md8:pf_hostsi5eee")]));
    await endOfTurn();
    const before = peer.messages.length;
    for (let i = 0; i < 3; i++) swarm.close();
    await endOfTurn();
    expect([stops, peer.messages.length - before]).toEqual([1, 1]);
    swarm.learn(SEED, "dht");
    await fixture.pass(1_000);
    expect(fixture.dialled).toEqual([]);
  });

  test("is stopped with the torrent, and every peer gets what is queued before it is closed", () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm();
    const transfer = runner();
    swarm.start(real(transfer));
    const peer = fixture.join();
    swarm.close();
    expect([transfer.isStopped, peer.socket.hasEnded, peer.isClosed]).toEqual([true, true, false]);
  });

  test("that is complete is announced to every peer (BEP 21)", async () => {
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm({ infoDict: new Uint8Array(10) });
    swarm.start(real(runner()));
    const peer = fixture.join();
    await endOfTurn();
    const before = peer.messages.length;
    swarm.announceCompletion();
    await endOfTurn();
    const [said] = peer.messages.slice(before);
    expect(new TextDecoder().decode(said?.body)).toContain("upload_onlyi1e");
  });
});

describe("The metadata", () => {
  test("is offered to every peer once it is known, and handed on once", async () => {
    const found: Uint8Array[] = [];
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm({ onMetadata: (infoDict) => void found.push(infoDict) });
    const peer = fixture.join();
    await endOfTurn();
    const infoDict = new Uint8Array([1, 2, 3]);
    for (let i = 0; i < 2; i++) swarm.onMetadata(infoDict);
    await endOfTurn();
    expect(found).toEqual([infoDict]);
    const said = new TextDecoder().decode(peer.messages.at(-1)?.body);
    expect(said).toContain("metadata_sizei3e");
    // A peer that is told that we want nothing gives us nothing.
    expect(said).not.toContain("upload_onlyi1e");
  });

  test("is neither handed on nor offered after the torrent was closed", async () => {
    const found: Uint8Array[] = [];
    const fixture = new NetworkFixture();
    const swarm = fixture.swarm({ onMetadata: (infoDict) => void found.push(infoDict) });
    swarm.close();
    swarm.onMetadata(new Uint8Array([1]));
    expect(found).toEqual([]);
  });

  test("is offered at once to a peer that joins when it is known, upload-only by a seed alone", async () => {
    for (const isSeed of [false, true]) {
      const fixture = new NetworkFixture();
      const swarm = fixture.swarm({ infoDict: new Uint8Array(10), pinned: pinned([SEED]) });
      swarm.start(real(runner(isSeed)));
      const [dialled] = await dialSeed(fixture);
      dialled?.sendHandshake(TORRENT, 2);
      const incoming = fixture.join(1);
      await endOfTurn();
      for (const peer of [incoming, dialled]) {
        const [first] = peer?.messages ?? [];
        const said = new TextDecoder().decode(first?.body);
        expect([first?.id, said.includes("metadata_sizei10e")]).toEqual([EXTENDED, true]);
        expect(said.includes("upload_onlyi1e")).toBe(isSeed);
      }
    }
  });

  test("is asked of the next peer at once when the one that is asked leaves", async () => {
    const offer = frame(EXTENDED, [
      0,
      ...new TextEncoder().encode("d1:md11:ut_metadatai3ee13:metadata_sizei100ee"),
    ]);
    const fixture = new NetworkFixture();
    fixture.swarm();
    const [first, second] = [fixture.join(1), fixture.join(2)];
    for (const peer of [first, second]) peer.send(offer);
    const isAsked = (peer: RemotePeer) =>
      peer.messages.some(({ id, body }) => id === EXTENDED && body[0] === 3);
    await endOfTurn();
    expect([first, second].map(isAsked)).toEqual([true, false]);
    first.leave();
    await fixture.pass(TICK_MS);
    expect(isAsked(second)).toBe(true);
  });

  test("is asked of no peer by a torrent that has it", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm({ infoDict: new Uint8Array(10) });
    const peer = fixture.join();
    const offer = "d1:md11:ut_metadatai3ee13:metadata_sizei10ee";
    peer.send(frame(EXTENDED, [0, ...new TextEncoder().encode(offer)]));
    await fixture.pass(2_000);
    expect(peer.messages.filter(({ id, body }) => id === EXTENDED && body[0] === 3)).toEqual([]);
  });

  test("is asked of a peer as soon as it offers it", async () => {
    const fixture = new NetworkFixture();
    fixture.swarm();
    const peer = fixture.join();
    const offer = "d1:md11:ut_metadatai3ee13:metadata_sizei100ee";
    peer.send(frame(EXTENDED, [0, ...new TextEncoder().encode(offer)]));
    await endOfTurn();
    const asked = peer.messages.at(-1);
    expect([asked?.id, asked?.body[0]]).toEqual([EXTENDED, 3]);
  });
});
