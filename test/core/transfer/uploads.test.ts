import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import type { PeerHandle } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_INBOUND_REQUESTS } from "../../../src/core/torrent/limits.ts";
import { LIMITED_TICK_MS } from "../../../src/session/network/limits.ts";
import {
  MAX_BAD_REQUESTS,
  MAX_UPLOAD_IN_FLIGHT,
  MAX_UPLOAD_SLOTS,
  MIN_UPLOAD_SLOTS,
  OPTIMISTIC_UNCHOKE_MS,
  RECHOKE_MS,
} from "../../../src/core/transfer/limits.ts";
import { KiB, MiB } from "../../../src/lib/units.ts";
import { aBlock, aRun, sent, served, TransferFixture, messageTypes } from "./transfer-fixture.ts";

const SLOTS = MIN_UPLOAD_SLOTS + 1;
const large = new Geometry(1024 * BLOCK_LENGTH, 16 * BLOCK_LENGTH);
const block = (number: number) => aBlock(Math.floor(number / 16), number % 16);

function aSeed(uploadLimit = 0): TransferFixture {
  return new TransferFixture({ geometry: large, have: "all", uploadLimit });
}

function leechers(fixture: TransferFixture, count: number, fast = true): PeerHandle[] {
  return Array.from({ length: count }, () => fixture.join({ interested: true, fast }));
}

/** The peers whose last choke or unchoke was an unchoke. */
function unchoked(fixture: TransferFixture, peers: readonly PeerHandle[]): PeerHandle[] {
  return peers.filter(
    (peer) => messageTypes(fixture.log, peer).findLast((type) => type.endsWith("choke")) === "unchoke",
  );
}

function ask(
  fixture: TransferFixture,
  peer: PeerHandle,
  count: number,
  from = 0,
): ReturnType<TransferFixture["handle"]> {
  return Array.from({ length: count }, (_, i) =>
    fixture.receive(peer, { type: "request", block: block(from + i) }),
  ).flat();
}

describe("unchoking", () => {
  test("a free slot is given at once, to interested peers only", () => {
    const fixture = aSeed();
    const idle = fixture.join();
    const leecher = fixture.join();
    expect(messageTypes(fixture.receive(leecher, { type: "interested" }), leecher)).toEqual(["unchoke"]);
    expect(unchoked(fixture, [idle, leecher])).toEqual([leecher]);
  });

  test("slots are bounded, and the slot of a peer that leaves goes to the next at once", () => {
    const fixture = aSeed();
    const peers = leechers(fixture, SLOTS + 3);
    expect(unchoked(fixture, peers)).toEqual(peers.slice(0, SLOTS));
    const effects = fixture.leave(peers[0]!);
    expect(sent(effects, "unchoke")).toHaveLength(1);
    expect(unchoked(fixture, peers.slice(1))).toEqual(peers.slice(1, SLOTS + 1));
  });

  test("every peer of a small fleet is unchoked at once and stays unchoked after ten seconds", () => {
    const fixture = aSeed();
    const peers = leechers(fixture, MAX_UPLOAD_SLOTS);
    for (let second = 0; second < 25; second++) {
      // The upload rate suffices for a slot for each from the first bytes on.
      for (const peer of peers.slice(0, 20))
        fixture.handle({ type: "uploaded", peer, bytes: 16 * BLOCK_LENGTH });
      fixture.pass(1_000);
    }
    expect(unchoked(fixture, peers)).toEqual(peers);
    expect(sent(fixture.log, "choke")).toEqual([]);
  });

  test("the slot of a peer that loses interest goes to the next at once", () => {
    const fixture = aSeed();
    const peers = leechers(fixture, SLOTS + 1);
    fixture.pass(500);
    fixture.receive(peers[0]!, { type: "notInterested" });
    fixture.pass(100);
    expect(unchoked(fixture, peers)).toContain(peers[SLOTS]!);
  });

  test("slots stay for ten seconds, and then go round", () => {
    const fixture = aSeed();
    const peers = leechers(fixture, SLOTS + 4);
    for (const peer of peers.slice(0, SLOTS)) ask(fixture, peer, 4);
    for (const peer of peers.slice(0, SLOTS))
      fixture.handle({ type: "uploaded", peer, bytes: 4 * BLOCK_LENGTH });
    expect(sent(fixture.pass(RECHOKE_MS - 1, RECHOKE_MS), "choke")).toEqual([]);
    fixture.pass(1);
    expect(unchoked(fixture, peers)).toEqual([...peers.slice(0, SLOTS - 4), ...peers.slice(SLOTS)]);
    for (const peer of unchoked(fixture, peers)) {
      ask(fixture, peer, 4);
      fixture.handle({ type: "uploaded", peer, bytes: 4 * BLOCK_LENGTH });
    }
    fixture.pass(RECHOKE_MS - 1, RECHOKE_MS);
    expect(unchoked(fixture, peers.slice(SLOTS - 4, SLOTS))).toEqual([]);
    fixture.pass(1);
    expect(unchoked(fixture, peers.slice(SLOTS - 4, SLOTS))).toHaveLength(4);
  });

  test("choke and unchoke alternate for every peer", () => {
    const fixture = aSeed();
    const peers = leechers(fixture, 30);
    fixture.pass(10 * RECHOKE_MS);
    for (const peer of peers) {
      const states = messageTypes(fixture.log, peer).filter((type) => type.endsWith("choke"));
      states.forEach((state, at) => expect(state).toBe(at % 2 === 0 ? "unchoke" : "choke"));
    }
  });

  test("the optimistic unchoke moves after 30 s and keeps its slot for 30 s, used or not", () => {
    const fixture = aSeed();
    // All but the last one use their slots, and have fewer bytes than it.
    const peers = leechers(fixture, SLOTS + 1);
    const rest = () => {
      for (const peer of unchoked(fixture, peers.slice(0, -1))) {
        ask(fixture, peer, 1);
        fixture.handle({ type: "uploaded", peer, bytes: BLOCK_LENGTH });
      }
    };
    const last = peers.at(-1)!;
    const slots: boolean[] = [];
    // The peer with most bytes has a slot by the optimistic unchoke only.
    fixture.leave(peers[0]!);
    ask(fixture, last, 64);
    fixture.handle({ type: "uploaded", peer: last, bytes: 64 * BLOCK_LENGTH });
    const extra = fixture.join({ interested: true });
    peers.splice(0, 1, extra);
    for (let second = 1; second <= 70; second++) {
      rest();
      fixture.pass(1000);
      slots.push(unchoked(fixture, [last]).length > 0);
    }
    const choked = slots.indexOf(false);
    const again = slots.indexOf(true, choked);
    expect([choked + 1, again + 1]).toEqual([RECHOKE_MS / 1000, OPTIMISTIC_UNCHOKE_MS / 1000]);
    expect(slots.slice(again, again + OPTIMISTIC_UNCHOKE_MS / 1000)).not.toContain(false);
  });
});

describe("uploading", () => {
  test("requests of an unchoked peer are served at once, in their order", () => {
    const fixture = aSeed();
    const [peer] = leechers(fixture, 1);
    expect(served(ask(fixture, peer!, 3), peer!)).toEqual([block(0), block(1), block(2)]);
  });

  test("W7: nothing is served to a choked peer; its request is rejected with the fast extension only", () => {
    const fixture = aSeed();
    const fast = fixture.join();
    const old = fixture.join({ fast: false });
    expect(messageTypes(ask(fixture, fast, 1), fast)).toEqual(["reject"]);
    expect(ask(fixture, old, 1)).toEqual([]);
  });

  test("W7: a piece that we lack is not served", () => {
    const fixture = new TransferFixture({ have: [0] });
    const peer = fixture.join({ interested: true });
    const effects = fixture.receive(peer, { type: "request", block: aBlock(1, 0) });
    expect(sent(effects, "reject", peer)).toEqual([{ type: "reject", block: aBlock(1, 0) }]);
    expect(served(fixture.receive(peer, { type: "request", block: aBlock(0, 0) }), peer)).toHaveLength(1);
  });

  test("W8: no more than a read span is in flight to one peer, until its socket takes some of it", () => {
    const fixture = aSeed();
    const [peer, other] = leechers(fixture, 2);
    const most = MAX_UPLOAD_IN_FLIGHT / BLOCK_LENGTH;
    expect(served(ask(fixture, peer!, 200), peer!)).toHaveLength(most);
    expect(served(fixture.pass(1000), peer!)).toEqual([]);
    // A peer whose socket takes nothing does not hold up another.
    expect(served(ask(fixture, other!, 1), other!)).toHaveLength(1);
    const effects = fixture.handle({ type: "uploaded", peer: peer!, bytes: 3 * BLOCK_LENGTH });
    expect(served(effects, peer!)).toEqual([most, most + 1, most + 2].map(block));
  });

  test.each([
    [1, 128 * KiB],
    [24, 0.48 * MiB],
    [1000, 1 * MiB],
  ])(
    "W14: under a limit of %d MiB/s a peer that never reads costs what two ticks let through",
    (limit, most) => {
      const fixture = aSeed(limit * MiB);
      const [stalled, honest] = leechers(fixture, 2);
      for (const peer of [stalled!, honest!]) ask(fixture, peer, 200);
      const ordered = (peer: PeerHandle) =>
        fixture.log
          .flatMap((effect) =>
            effect.type === "serveBlock" && effect.peer === peer ? [effect.block.length] : [],
          )
          .reduce((sum, length) => sum + length, 0);
      for (let taken = 0; fixture.now < 60_000 && ordered(honest!) < 200 * BLOCK_LENGTH;) {
        fixture.pass(LIMITED_TICK_MS, LIMITED_TICK_MS);
        fixture.handle({ type: "uploaded", peer: honest!, bytes: ordered(honest!) - taken });
        taken = ordered(honest!);
      }
      expect(ordered(honest!)).toBe(200 * BLOCK_LENGTH);
      expect(ordered(stalled!)).toBeWithin(most, most + 2 * BLOCK_LENGTH);
    },
  );

  test("a run is served as it was requested, and the bytes in flight exceed the limit by one run at most", () => {
    const fixture = aSeed();
    const [peer] = leechers(fixture, 1);
    const runs = Array.from({ length: 20 }, (_, i) => aRun(Math.floor(i / 2), (i % 2) * 8, 8));
    const wholes = [aRun(20, 0, 5), ...runs];
    const effects = wholes.flatMap((block) => fixture.receive(peer!, { type: "request", block }));
    // 80 KiB and two runs of 128 KiB are the first to exceed it.
    const most = 1 + MAX_UPLOAD_IN_FLIGHT / aRun(0, 0, 8).length;
    expect(served(effects, peer!)).toEqual(wholes.slice(0, most));
    const bytes = wholes[0]!.length + 1;
    expect(served(fixture.handle({ type: "uploaded", peer: peer!, bytes }), peer!)).toEqual([wholes[most]!]);
  });

  test("a cancelled run is rejected as a whole; a cancel for a part of it does nothing", () => {
    const fixture = aSeed();
    const [peer] = leechers(fixture, 1);
    ask(fixture, peer!, 64);
    const run = aRun(10, 0, 8);
    fixture.receive(peer!, { type: "request", block: run });
    expect(fixture.receive(peer!, { type: "cancel", block: aRun(10, 0, 4) })).toEqual([]);
    const effects = fixture.receive(peer!, { type: "cancel", block: run });
    expect(sent(effects, "reject", peer).map((reject) => reject.block)).toEqual([run]);
  });

  test("a cancelled request is rejected, and one in flight is served (BEP 6)", () => {
    const fixture = aSeed();
    const [peer] = leechers(fixture, 1);
    ask(fixture, peer!, 70);
    expect(fixture.receive(peer!, { type: "cancel", block: block(0) })).toEqual([]);
    const effects = fixture.receive(peer!, { type: "cancel", block: block(69) });
    expect(effects).toEqual([{ type: "send", peer: peer!, message: { type: "reject", block: block(69) } }]);
    expect(fixture.receive(peer!, { type: "cancel", block: block(69) })).toEqual([]);
  });

  test("a choke rejects queued requests with the fast extension and drops them without", () => {
    for (const fast of [true, false]) {
      const fixture = aSeed();
      const peers = leechers(fixture, 2 * MAX_UPLOAD_SLOTS, fast);
      const [victim] = peers;
      ask(fixture, victim!, 100);
      fixture.handle({ type: "uploaded", peer: victim!, bytes: 10 * BLOCK_LENGTH });
      const effects = fixture.pass(RECHOKE_MS);
      const waiting = 100 - 10 - MAX_UPLOAD_IN_FLIGHT / BLOCK_LENGTH;
      expect(messageTypes(effects, victim!)).toEqual([
        "choke",
        ...Array.from({ length: fast ? waiting : 0 }, () => "reject"),
      ]);
      expect(
        served(fixture.handle({ type: "uploaded", peer: victim!, bytes: MAX_UPLOAD_IN_FLIGHT }), victim!),
      ).toEqual([]);
    }
  });

  test("C8: a block that cannot be read is rejected, and the next ones are served", () => {
    const fixture = aSeed();
    const [peer] = leechers(fixture, 1);
    const most = MAX_UPLOAD_IN_FLIGHT / BLOCK_LENGTH;
    ask(fixture, peer!, most + 1);
    const effects = fixture.handle({ type: "serveFailed", peer: peer!, block: block(0) });
    expect(sent(effects, "reject", peer).map((reject) => reject.block)).toEqual([block(0)]);
    expect(served([...effects, ...fixture.pass(100)], peer!)).toEqual([block(most)]);
  });

  test("W8: requests beyond our reqq are rejected, and too many of them are a fault", () => {
    const fixture = aSeed(1);
    const [peer] = leechers(fixture, 1);
    const queued = Array.from({ length: MAX_INBOUND_REQUESTS }, () =>
      fixture.receive(peer!, { type: "request", block: block(0) }),
    );
    expect(queued.flat()).toEqual([]);
    const refused = Array.from({ length: MAX_BAD_REQUESTS }, () =>
      fixture.receive(peer!, { type: "request", block: block(0) }),
    );
    expect(messageTypes(refused.flat(), peer!)).toEqual(refused.map(() => "reject"));
    const effects = fixture.receive(peer!, { type: "request", block: block(0) });
    expect(effects).toEqual([{ type: "closePeer", peer: peer!, fault: "badRequest" }]);
  });

  test("W7: a choked peer that goes on requesting is closed in the end", () => {
    const fixture = aSeed();
    const flooder = fixture.join();
    const effects = ask(fixture, flooder, 2 * MAX_BAD_REQUESTS);
    expect(effects.some((effect) => effect.type === "closePeer" && effect.fault === "badRequest")).toBe(true);
  });

  test("requests that cross a choke now and then never add up to a fault", () => {
    const fixture = aSeed();
    const peers = leechers(fixture, 2 * SLOTS);
    const [honest] = peers;
    for (let round = 0; round < 60; round++) {
      const isUnchoked = unchoked(fixture, [honest!]).length > 0;
      if (isUnchoked) {
        ask(fixture, honest!, 8, round * 8);
        fixture.handle({ type: "uploaded", peer: honest!, bytes: 8 * BLOCK_LENGTH });
      }
      const effects = fixture.pass(RECHOKE_MS);
      if (sent(effects, "choke", honest).length > 0) ask(fixture, honest!, 20);
    }
    // The same peer then exceeds our reqq.
    for (let round = 0; round < 6 && unchoked(fixture, [honest!]).length === 0; round++)
      fixture.pass(RECHOKE_MS);
    Array.from({ length: MAX_INBOUND_REQUESTS + 65 }, () =>
      fixture.receive(honest!, { type: "request", block: block(0) }),
    );
    expect(fixture.log.filter(({ type }) => type === "closePeer")).toEqual([]);
  });

  test("uploaded bytes count when a socket took them", () => {
    const fixture = aSeed();
    const [peer] = leechers(fixture, 1);
    ask(fixture, peer!, 2);
    expect(fixture.transfer.status(0).uploaded).toBe(0);
    fixture.handle({ type: "uploaded", peer: peer!, bytes: 2 * BLOCK_LENGTH });
    expect(fixture.transfer.status(0).uploaded).toBe(2 * BLOCK_LENGTH);
  });
});
