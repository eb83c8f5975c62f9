import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { PeerHandle } from "../../../src/core/torrent/ids.ts";
import {
  IDLE_PEER_MS,
  MAX_IDLE_HOSTS,
  IDLE_CHECK_MS,
  UNPROVEN_PEER_MS,
  UNUSED_SLOT_MS,
} from "../../../src/core/swarm/limits.ts";
import { MAX_PEERS_SEEDING } from "../../../src/session/network/limits.ts";
import { RECHOKE_MS } from "../../../src/core/transfer/limits.ts";
import type { PeerActivity } from "../../../src/core/swarm/idle-peers.ts";
import { moving, IdlePeersFixture } from "./idle-peers-fixture.ts";

/** As long as places are given away, and never without end. */
function knockOften(bed: IdlePeersFixture, state: Partial<PeerActivity>, host?: string): void {
  for (let i = 0; i < 2 * MAX_PEERS_SEEDING && bed.knock(state, host) !== undefined; i++);
}

describe("A place in a full torrent", () => {
  test("is given up by the peer that has been of no use for longest, and not before its time", () => {
    const bed = new IdlePeersFixture();
    const first = bed.join();
    bed.pass(2_000);
    const second = bed.join();
    bed.pass(UNPROVEN_PEER_MS - 3_000);
    expect(bed.idlest).toBeUndefined();
    bed.pass(1_000);
    expect(bed.idlePeers.longestIdle("newcomer's", () => false)).toEqual({ handle: first, overdueMs: 0 });
    bed.leave(first);
    expect(bed.idlest).toBeUndefined();
    bed.pass(2_000);
    expect(bed.idlest).toBe(second);
  });

  test("of several the one that was of use last gives way last, whoever came first", () => {
    const bed = new IdlePeersFixture();
    const peers = [bed.join(), bed.join(), bed.join()];
    const order = [peers[1]!, peers[2]!, peers[0]!];
    for (const peer of order) bed.pass(2_000, moving(bed, [peer], "uploaded"));
    bed.pass(2 * IDLE_PEER_MS);
    for (const peer of order) {
      expect(bed.idlest).toBe(peer);
      bed.leave(peer);
    }
  });

  test("is kept for longer by whoever was of use once, or wanted something", () => {
    for (const state of [{ uploaded: 1 }, { downloaded: 1 }, { peerInterested: true }]) {
      const bed = new IdlePeersFixture();
      const peer = bed.join(state);
      const other = bed.join();
      bed.pass(1_000);
      bed.set(peer, { peerInterested: false });
      bed.pass(IDLE_PEER_MS - 1_000);
      bed.leave(other);
      expect(bed.idlest).toBeUndefined();
      bed.pass(1_000);
      expect(bed.idlest).toBe(peer);
    }
  });

  test.each(["downloaded", "uploaded"] as const)("is kept by whoever has %s something lately", (what) => {
    const bed = new IdlePeersFixture();
    const peer = bed.join({ peerInterested: true, amChoking: false });
    bed.pass(10 * IDLE_PEER_MS, moving(bed, [peer], what));
    expect(bed.idlest).toBeUndefined();
    bed.pass(IDLE_PEER_MS - 1_000);
    expect(bed.idlest).toBeUndefined();
    bed.pass(1_000);
    expect(bed.idlest).toBe(peer);
  });

  test("is kept by whoever wants data and waits for a slot, however long", () => {
    const bed = new IdlePeersFixture();
    const peer = bed.join({ peerInterested: true });
    bed.pass(100 * IDLE_PEER_MS);
    expect(bed.idlest).toBeUndefined();
    bed.set(peer, { peerInterested: false });
    bed.pass(IDLE_PEER_MS);
    expect(bed.idlest).toBe(peer);
  });

  test("is kept by whoever waits for what the rate limit holds back", () => {
    const bed = new IdlePeersFixture();
    const peer = bed.join({ peerInterested: true, amChoking: false, uploads: { length: 3 } });
    bed.pass(10 * IDLE_PEER_MS);
    expect(bed.idlest).toBeUndefined();
    // What is on its way to a peer that does not read it is not held back by us.
    bed.set(peer, { uploadInFlight: 16_384 });
    bed.pass(IDLE_PEER_MS);
    expect(bed.idlest).toBe(peer);
  });

  test("is not kept by asking for slots and taking nothing", () => {
    const bed = new IdlePeersFixture();
    const peer = bed.join({ peerInterested: true });
    bed.pass(10 * IDLE_PEER_MS);
    bed.set(peer, { amChoking: false });
    bed.pass(RECHOKE_MS);
    bed.set(peer, { amChoking: true });
    bed.pass(IDLE_PEER_MS - RECHOKE_MS);
    expect(bed.idlest).toBe(peer);
    bed.pass(1_000, moving(bed, [peer], "uploaded"));
    bed.pass(10 * IDLE_PEER_MS);
    expect(bed.idlest).toBeUndefined();
  });

  test("is kept by whoever begins to use its slot within half a round", () => {
    const bed = new IdlePeersFixture();
    const peer = bed.join({ peerInterested: true });
    bed.pass(1_000);
    bed.set(peer, { amChoking: false });
    bed.pass(UNUSED_SLOT_MS - 1_000);
    bed.set(peer, { amChoking: true });
    bed.pass(10 * IDLE_PEER_MS);
    expect(bed.idlest).toBeUndefined();
  });

  test("is kept by pinned addresses", () => {
    const bed = new IdlePeersFixture();
    const pinned = bed.join();
    const other = bed.join();
    bed.pinned.add(pinned);
    bed.pass(10 * IDLE_PEER_MS);
    expect(bed.idlest).toBe(other);
    bed.leave(other);
    expect(bed.idlest).toBeUndefined();
  });

  test("nobody is idle in the time in which we stood still", () => {
    const bed = new IdlePeersFixture();
    bed.join();
    bed.now += 10 * IDLE_PEER_MS;
    bed.look();
    expect(bed.idlest).toBeUndefined();
    bed.now -= 60_000;
    bed.look();
    bed.pass(UNPROVEN_PEER_MS - 3_000);
    expect(bed.idlest).toBeUndefined();
  });

  test("W17: two hundred idle peers do not keep an honest newcomer out", () => {
    for (const state of [{}, { peerInterested: true, amChoking: false }]) {
      const bed = new IdlePeersFixture();
      for (let i = 0; i < MAX_PEERS_SEEDING; i++) bed.join(state);
      expect(bed.knock({ peerInterested: true })).toBeUndefined();
      bed.pass(IDLE_PEER_MS);
      const honest = bed.knock({ peerInterested: true });
      expect(honest).toBeDefined();
      // They come back as often as they are let in, and it stays.
      bed.pass(20 * IDLE_PEER_MS, () => {
        knockOften(bed, state);
      });
      expect(bed.activities.has(honest!)).toBe(true);
    }
  });

  test("W17: two hundred idle peers keep a newcomer out for five seconds", () => {
    const bed = new IdlePeersFixture();
    for (let i = 0; i < MAX_PEERS_SEEDING; i++) bed.join();
    let waited = 0;
    for (; bed.knock() === undefined && waited < 60_000; waited += 1_000) bed.pass(1_000);
    expect(waited).toBe(UNPROVEN_PEER_MS);
  });

  test("W17: a crowd that comes back whenever it is thrown out has no place against those who were not there yet", () => {
    const bed = new IdlePeersFixture();
    const hosts = Array.from({ length: 20 }, (_, i) => `flood ${i}`);
    for (let i = 0; i < MAX_PEERS_SEEDING; i++) bed.join({}, hosts[i % 20]);
    const honest: PeerHandle[] = [];
    for (let second = 0; second < 100; second++) {
      bed.pass(1_000);
      for (const host of hosts) knockOften(bed, {}, host);
      if (second < 10) continue;
      honest.push(bed.knock()!);
      for (const host of hosts) knockOften(bed, {}, host);
      bed.set(honest.at(-1)!, { peerInterested: true });
    }
    expect(honest.filter((peer) => !bed.activities.has(peer))).toEqual([]);
  });

  test("W17: leaving before its time is over gives a host no more time", () => {
    const bed = new IdlePeersFixture();
    bed.leave(bed.join({}, "flood"));
    const again = bed.join({}, "flood");
    bed.look();
    expect([bed.idlestFor("flood"), bed.idlestFor("honest")]).toEqual([undefined, again]);
  });

  test("a host has its whole time again when one of its peers was of use", () => {
    for (const state of [{ uploaded: 1 }, { downloaded: 1 }, { peerInterested: true }]) {
      const bed = new IdlePeersFixture();
      bed.leave(bed.join({}, "host"));
      bed.join({}, "host");
      expect(bed.idlest).toBeDefined();
      bed.join(state, "host");
      bed.look();
      expect(bed.idlest).toBeUndefined();
    }
  });

  test("remembers a bounded number of hosts, the latest", () => {
    const bed = new IdlePeersFixture();
    for (let i = 0; i <= MAX_IDLE_HOSTS; i++) bed.leave(bed.join({}, `idle ${i}`));
    const first = bed.join({}, "idle 0");
    expect(bed.idlest).toBeUndefined();
    bed.leave(first);
    const last = bed.join({}, `idle ${MAX_IDLE_HOSTS}`);
    expect(bed.idlest).toBe(last);
  });

  test("W17: whatever others do, nobody loses a place who took or gave something within its time", () => {
    const act = fc.record({
      who: fc.nat(11),
      act: fc.constantFrom("takes", "gives", "wants", "wants nothing", "slot", "no slot", "knock", "knock"),
      pauseMs: fc.nat(2 * IDLE_CHECK_MS),
    });
    fc.assert(
      fc.property(fc.array(act, { minLength: 100, maxLength: 300 }), (acts) => {
        const bed = new IdlePeersFixture();
        /** When its place may be had. */
        const freeAt = new Map<PeerHandle, number>();
        const join = (peer: PeerHandle) => freeAt.set(peer, bed.now + UNPROVEN_PEER_MS);
        for (let i = 0; i < 12; i++) join(bed.join());
        for (const { who, act: what, pauseMs } of acts) {
          bed.pass(pauseMs);
          const peer = [...bed.activities.keys()][who]!;
          const holder = bed.activities.get(peer)!;
          if (what === "takes" || what === "gives") {
            moving(bed, [peer], what === "takes" ? "uploaded" : "downloaded")();
            freeAt.set(peer, bed.now + IDLE_PEER_MS);
          } else if (what === "wants" || what === "wants nothing") holder.peerInterested = what === "wants";
          else if (what === "slot" || what === "no slot") holder.amChoking = what === "no slot";
          else {
            const before = new Map(bed.activities);
            const newcomer = bed.knock();
            if (newcomer !== undefined) join(newcomer);
            for (const gone of before.keys()) {
              if (bed.activities.has(gone)) continue;
              expect(bed.now).toBeGreaterThanOrEqual(freeAt.get(gone)!);
            }
            expect(bed.activities.size).toBe(12);
          }
        }
      }),
    );
  });
});
