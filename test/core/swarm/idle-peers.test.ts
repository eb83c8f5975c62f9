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
function knockOften(fixture: IdlePeersFixture, state: Partial<PeerActivity>, host?: string): void {
  for (let i = 0; i < 2 * MAX_PEERS_SEEDING && fixture.knock(state, host) !== undefined; i++);
}

describe("A place in a full torrent", () => {
  test("is given up by the peer that has been of no use for longest, and not before its time", () => {
    const fixture = new IdlePeersFixture();
    const first = fixture.join();
    fixture.pass(2_000);
    const second = fixture.join();
    fixture.pass(UNPROVEN_PEER_MS - 3_000);
    expect(fixture.idlest).toBeUndefined();
    fixture.pass(1_000);
    expect(fixture.idlePeers.longestIdle("newcomer's", () => false)).toEqual({ handle: first, overdueMs: 0 });
    fixture.leave(first);
    expect(fixture.idlest).toBeUndefined();
    fixture.pass(2_000);
    expect(fixture.idlest).toBe(second);
  });

  test("of several the one that was of use last gives way last, whoever came first", () => {
    const fixture = new IdlePeersFixture();
    const peers = [fixture.join(), fixture.join(), fixture.join()];
    const order = [peers[1]!, peers[2]!, peers[0]!];
    for (const peer of order) fixture.pass(2_000, moving(fixture, [peer], "uploaded"));
    fixture.pass(2 * IDLE_PEER_MS);
    for (const peer of order) {
      expect(fixture.idlest).toBe(peer);
      fixture.leave(peer);
    }
  });

  test("is kept for longer by whoever was of use once, or wanted something", () => {
    for (const state of [{ uploaded: 1 }, { downloaded: 1 }, { peerInterested: true }]) {
      const fixture = new IdlePeersFixture();
      const peer = fixture.join(state);
      const other = fixture.join();
      fixture.pass(1_000);
      fixture.set(peer, { peerInterested: false });
      fixture.pass(IDLE_PEER_MS - 1_000);
      fixture.leave(other);
      expect(fixture.idlest).toBeUndefined();
      fixture.pass(1_000);
      expect(fixture.idlest).toBe(peer);
    }
  });

  test.each(["downloaded", "uploaded"] as const)("is kept by whoever has %s something lately", (what) => {
    const fixture = new IdlePeersFixture();
    const peer = fixture.join({ peerInterested: true, amChoking: false });
    fixture.pass(10 * IDLE_PEER_MS, moving(fixture, [peer], what));
    expect(fixture.idlest).toBeUndefined();
    fixture.pass(IDLE_PEER_MS - 1_000);
    expect(fixture.idlest).toBeUndefined();
    fixture.pass(1_000);
    expect(fixture.idlest).toBe(peer);
  });

  test("is kept by whoever wants data and waits for a slot, however long", () => {
    const fixture = new IdlePeersFixture();
    const peer = fixture.join({ peerInterested: true });
    fixture.pass(100 * IDLE_PEER_MS);
    expect(fixture.idlest).toBeUndefined();
    fixture.set(peer, { peerInterested: false });
    fixture.pass(IDLE_PEER_MS);
    expect(fixture.idlest).toBe(peer);
  });

  test("is kept by whoever waits for what the rate limit holds back", () => {
    const fixture = new IdlePeersFixture();
    const peer = fixture.join({ peerInterested: true, amChoking: false, uploads: { length: 3 } });
    fixture.pass(10 * IDLE_PEER_MS);
    expect(fixture.idlest).toBeUndefined();
    // What is on its way to a peer that does not read it is not held back by us.
    fixture.set(peer, { uploadInFlight: 16_384 });
    fixture.pass(IDLE_PEER_MS);
    expect(fixture.idlest).toBe(peer);
  });

  test("is not kept by asking for slots and taking nothing", () => {
    const fixture = new IdlePeersFixture();
    const peer = fixture.join({ peerInterested: true });
    fixture.pass(10 * IDLE_PEER_MS);
    fixture.set(peer, { amChoking: false });
    fixture.pass(RECHOKE_MS);
    fixture.set(peer, { amChoking: true });
    fixture.pass(IDLE_PEER_MS - RECHOKE_MS);
    expect(fixture.idlest).toBe(peer);
    fixture.pass(1_000, moving(fixture, [peer], "uploaded"));
    fixture.pass(10 * IDLE_PEER_MS);
    expect(fixture.idlest).toBeUndefined();
  });

  test("is kept by whoever begins to use its slot within half a round", () => {
    const fixture = new IdlePeersFixture();
    const peer = fixture.join({ peerInterested: true });
    fixture.pass(1_000);
    fixture.set(peer, { amChoking: false });
    fixture.pass(UNUSED_SLOT_MS - 1_000);
    fixture.set(peer, { amChoking: true });
    fixture.pass(10 * IDLE_PEER_MS);
    expect(fixture.idlest).toBeUndefined();
  });

  test("is kept by pinned addresses", () => {
    const fixture = new IdlePeersFixture();
    const pinned = fixture.join();
    const other = fixture.join();
    fixture.pinned.add(pinned);
    fixture.pass(10 * IDLE_PEER_MS);
    expect(fixture.idlest).toBe(other);
    fixture.leave(other);
    expect(fixture.idlest).toBeUndefined();
  });

  test("nobody is idle in the time in which we stood still", () => {
    const fixture = new IdlePeersFixture();
    fixture.join();
    fixture.now += 10 * IDLE_PEER_MS;
    fixture.look();
    expect(fixture.idlest).toBeUndefined();
    fixture.now -= 60_000;
    fixture.look();
    fixture.pass(UNPROVEN_PEER_MS - 3_000);
    expect(fixture.idlest).toBeUndefined();
  });

  test("W17: two hundred idle peers do not keep an honest newcomer out", () => {
    for (const state of [{}, { peerInterested: true, amChoking: false }]) {
      const fixture = new IdlePeersFixture();
      for (let i = 0; i < MAX_PEERS_SEEDING; i++) fixture.join(state);
      expect(fixture.knock({ peerInterested: true })).toBeUndefined();
      fixture.pass(IDLE_PEER_MS);
      const honest = fixture.knock({ peerInterested: true });
      expect(honest).toBeDefined();
      // They come back as often as they are let in, and it stays.
      fixture.pass(20 * IDLE_PEER_MS, () => {
        knockOften(fixture, state);
      });
      expect(fixture.activities.has(honest!)).toBe(true);
    }
  });

  test("W17: two hundred idle peers keep a newcomer out for five seconds", () => {
    const fixture = new IdlePeersFixture();
    for (let i = 0; i < MAX_PEERS_SEEDING; i++) fixture.join();
    let waited = 0;
    for (; fixture.knock() === undefined && waited < 60_000; waited += 1_000) fixture.pass(1_000);
    expect(waited).toBe(UNPROVEN_PEER_MS);
  });

  test("W17: a flood that comes back whenever it is thrown out has no place against those who were not there yet", () => {
    const fixture = new IdlePeersFixture();
    const hosts = Array.from({ length: 20 }, (_, i) => `flood ${i}`);
    for (let i = 0; i < MAX_PEERS_SEEDING; i++) fixture.join({}, hosts[i % 20]);
    const honest: PeerHandle[] = [];
    for (let second = 0; second < 100; second++) {
      fixture.pass(1_000);
      for (const host of hosts) knockOften(fixture, {}, host);
      if (second < 10) continue;
      honest.push(fixture.knock()!);
      for (const host of hosts) knockOften(fixture, {}, host);
      fixture.set(honest.at(-1)!, { peerInterested: true });
    }
    expect(honest.filter((peer) => !fixture.activities.has(peer))).toEqual([]);
  });

  test("W17: leaving before its time is over gives a host no more time", () => {
    const fixture = new IdlePeersFixture();
    fixture.leave(fixture.join({}, "flood"));
    const again = fixture.join({}, "flood");
    fixture.look();
    expect([fixture.idlestFor("flood"), fixture.idlestFor("honest")]).toEqual([undefined, again]);
  });

  test("a host has its whole time again when one of its peers was of use", () => {
    for (const state of [{ uploaded: 1 }, { downloaded: 1 }, { peerInterested: true }]) {
      const fixture = new IdlePeersFixture();
      fixture.leave(fixture.join({}, "host"));
      fixture.join({}, "host");
      expect(fixture.idlest).toBeDefined();
      fixture.join(state, "host");
      fixture.look();
      expect(fixture.idlest).toBeUndefined();
    }
  });

  test("remembers a bounded number of hosts, the latest", () => {
    const fixture = new IdlePeersFixture();
    for (let i = 0; i <= MAX_IDLE_HOSTS; i++) fixture.leave(fixture.join({}, `idle ${i}`));
    const first = fixture.join({}, "idle 0");
    expect(fixture.idlest).toBeUndefined();
    fixture.leave(first);
    const last = fixture.join({}, `idle ${MAX_IDLE_HOSTS}`);
    expect(fixture.idlest).toBe(last);
  });

  test("W17: whatever others do, nobody loses a place who took or gave something within its time", () => {
    const act = fc.record({
      who: fc.nat(11),
      act: fc.constantFrom("takes", "gives", "wants", "wants nothing", "slot", "no slot", "knock", "knock"),
      pauseMs: fc.nat(2 * IDLE_CHECK_MS),
    });
    fc.assert(
      fc.property(fc.array(act, { minLength: 100, maxLength: 300 }), (acts) => {
        const fixture = new IdlePeersFixture();
        /** When its place may be had. */
        const freeAt = new Map<PeerHandle, number>();
        const join = (peer: PeerHandle) => freeAt.set(peer, fixture.now + UNPROVEN_PEER_MS);
        for (let i = 0; i < 12; i++) join(fixture.join());
        for (const { who, act: what, pauseMs } of acts) {
          fixture.pass(pauseMs);
          const peer = [...fixture.activities.keys()][who]!;
          const holder = fixture.activities.get(peer)!;
          if (what === "takes" || what === "gives") {
            moving(fixture, [peer], what === "takes" ? "uploaded" : "downloaded")();
            freeAt.set(peer, fixture.now + IDLE_PEER_MS);
          } else if (what === "wants" || what === "wants nothing") holder.peerInterested = what === "wants";
          else if (what === "slot" || what === "no slot") holder.amChoking = what === "no slot";
          else {
            const before = new Map(fixture.activities);
            const newcomer = fixture.knock();
            if (newcomer !== undefined) join(newcomer);
            for (const gone of before.keys()) {
              if (fixture.activities.has(gone)) continue;
              expect(fixture.now).toBeGreaterThanOrEqual(freeAt.get(gone)!);
            }
            expect(fixture.activities.size).toBe(12);
          }
        }
      }),
    );
  });
});
