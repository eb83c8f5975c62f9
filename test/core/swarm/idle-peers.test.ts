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

/** As long as peers are admitted, and never without end. */
function connectOften(fixture: IdlePeersFixture, state: Partial<PeerActivity>, host?: string): void {
  for (let i = 0; i < 2 * MAX_PEERS_SEEDING && fixture.connect(state, host) !== undefined; i++);
}

describe("A connection slot of a full torrent", () => {
  test("is taken from the peer that has been idle for longest, and not before its time", () => {
    const fixture = new IdlePeersFixture();
    const first = fixture.join();
    fixture.pass(2_000);
    const second = fixture.join();
    fixture.pass(UNPROVEN_PEER_MS - 3_000);
    expect(fixture.candidate).toBeUndefined();
    fixture.pass(1_000);
    expect(fixture.idlePeers.longestIdle("admitted's", () => false)).toEqual({ handle: first, overdueMs: 0 });
    fixture.leave(first);
    expect(fixture.candidate).toBeUndefined();
    fixture.pass(2_000);
    expect(fixture.candidate).toBe(second);
  });

  test("is taken last from the peer that was active last, in whatever order they joined", () => {
    const fixture = new IdlePeersFixture();
    const peers = [fixture.join(), fixture.join(), fixture.join()];
    const order = [peers[1]!, peers[2]!, peers[0]!];
    for (const peer of order) fixture.pass(2_000, moving(fixture, [peer], "uploaded"));
    fixture.pass(2 * IDLE_PEER_MS);
    for (const peer of order) {
      expect(fixture.candidate).toBe(peer);
      fixture.leave(peer);
    }
  });

  test("is kept for longer by a peer that was active once, or interested", () => {
    for (const state of [{ uploaded: 1 }, { downloaded: 1 }, { peerInterested: true }]) {
      const fixture = new IdlePeersFixture();
      const peer = fixture.join(state);
      const other = fixture.join();
      fixture.pass(1_000);
      fixture.set(peer, { peerInterested: false });
      fixture.pass(IDLE_PEER_MS - 1_000);
      fixture.leave(other);
      expect(fixture.candidate).toBeUndefined();
      fixture.pass(1_000);
      expect(fixture.candidate).toBe(peer);
    }
  });

  test.each(["downloaded", "uploaded"] as const)("is kept by a peer that has %s something lately", (what) => {
    const fixture = new IdlePeersFixture();
    const peer = fixture.join({ peerInterested: true, amChoking: false });
    fixture.pass(10 * IDLE_PEER_MS, moving(fixture, [peer], what));
    expect(fixture.candidate).toBeUndefined();
    fixture.pass(IDLE_PEER_MS - 1_000);
    expect(fixture.candidate).toBeUndefined();
    fixture.pass(1_000);
    expect(fixture.candidate).toBe(peer);
  });

  test("is kept by a peer that is interested and waits to be unchoked, however long", () => {
    const fixture = new IdlePeersFixture();
    const peer = fixture.join({ peerInterested: true });
    fixture.pass(100 * IDLE_PEER_MS);
    expect(fixture.candidate).toBeUndefined();
    fixture.set(peer, { peerInterested: false });
    fixture.pass(IDLE_PEER_MS);
    expect(fixture.candidate).toBe(peer);
  });

  test("is kept by a peer that waits for what the rate limit holds back", () => {
    const fixture = new IdlePeersFixture();
    const peer = fixture.join({ peerInterested: true, amChoking: false, uploads: { length: 3 } });
    fixture.pass(10 * IDLE_PEER_MS);
    expect(fixture.candidate).toBeUndefined();
    // What is on its way to a peer that does not read it is not held back by us.
    fixture.set(peer, { uploadInFlight: 16_384 });
    fixture.pass(IDLE_PEER_MS);
    expect(fixture.candidate).toBe(peer);
  });

  test("is not kept by a peer that is interested and requests nothing", () => {
    const fixture = new IdlePeersFixture();
    const peer = fixture.join({ peerInterested: true });
    fixture.pass(10 * IDLE_PEER_MS);
    fixture.set(peer, { amChoking: false });
    fixture.pass(RECHOKE_MS);
    fixture.set(peer, { amChoking: true });
    fixture.pass(IDLE_PEER_MS - RECHOKE_MS);
    expect(fixture.candidate).toBe(peer);
    fixture.pass(1_000, moving(fixture, [peer], "uploaded"));
    fixture.pass(10 * IDLE_PEER_MS);
    expect(fixture.candidate).toBeUndefined();
  });

  test("is kept by a peer that requests within half a round of being unchoked", () => {
    const fixture = new IdlePeersFixture();
    const peer = fixture.join({ peerInterested: true });
    fixture.pass(1_000);
    fixture.set(peer, { amChoking: false });
    fixture.pass(UNUSED_SLOT_MS - 1_000);
    fixture.set(peer, { amChoking: true });
    fixture.pass(10 * IDLE_PEER_MS);
    expect(fixture.candidate).toBeUndefined();
  });

  test("is kept by pinned addresses", () => {
    const fixture = new IdlePeersFixture();
    const pinned = fixture.join();
    const other = fixture.join();
    fixture.pinned.add(pinned);
    fixture.pass(10 * IDLE_PEER_MS);
    expect(fixture.candidate).toBe(other);
    fixture.leave(other);
    expect(fixture.candidate).toBeUndefined();
  });

  test("is not taken for the time in which the process stood still", () => {
    const fixture = new IdlePeersFixture();
    fixture.join();
    fixture.now += 10 * IDLE_PEER_MS;
    fixture.check();
    expect(fixture.candidate).toBeUndefined();
    fixture.now -= 60_000;
    fixture.check();
    fixture.pass(UNPROVEN_PEER_MS - 3_000);
    expect(fixture.candidate).toBeUndefined();
  });

  test("W17: two hundred idle peers do not keep an honest peer out", () => {
    for (const state of [{}, { peerInterested: true, amChoking: false }]) {
      const fixture = new IdlePeersFixture();
      for (let i = 0; i < MAX_PEERS_SEEDING; i++) fixture.join(state);
      expect(fixture.connect({ peerInterested: true })).toBeUndefined();
      fixture.pass(IDLE_PEER_MS);
      const honest = fixture.connect({ peerInterested: true });
      expect(honest).toBeDefined();
      // They reconnect as often as they are admitted, and it stays.
      fixture.pass(20 * IDLE_PEER_MS, () => {
        connectOften(fixture, state);
      });
      expect(fixture.activities.has(honest!)).toBe(true);
    }
  });

  test("W17: two hundred idle peers keep another out for five seconds", () => {
    const fixture = new IdlePeersFixture();
    for (let i = 0; i < MAX_PEERS_SEEDING; i++) fixture.join();
    let waited = 0;
    for (; fixture.connect() === undefined && waited < 60_000; waited += 1_000) fixture.pass(1_000);
    expect(waited).toBe(UNPROVEN_PEER_MS);
  });

  test("W17: hosts of a flood that reconnect whenever they are closed keep no slot from other hosts", () => {
    const fixture = new IdlePeersFixture();
    const hosts = Array.from({ length: 20 }, (_, i) => `flood ${i}`);
    for (let i = 0; i < MAX_PEERS_SEEDING; i++) fixture.join({}, hosts[i % 20]);
    const honest: PeerHandle[] = [];
    for (let second = 0; second < 100; second++) {
      fixture.pass(1_000);
      for (const host of hosts) connectOften(fixture, {}, host);
      if (second < 10) continue;
      honest.push(fixture.connect()!);
      for (const host of hosts) connectOften(fixture, {}, host);
      fixture.set(honest.at(-1)!, { peerInterested: true });
    }
    expect(honest.filter((peer) => !fixture.activities.has(peer))).toEqual([]);
  });

  test("W17: a host gets no more time by leaving before its time is over", () => {
    const fixture = new IdlePeersFixture();
    fixture.leave(fixture.join({}, "flood"));
    const again = fixture.join({}, "flood");
    fixture.check();
    expect([fixture.candidateFor("flood"), fixture.candidateFor("honest")]).toEqual([undefined, again]);
  });

  test("a host has its full time again when one of its peers was active", () => {
    for (const state of [{ uploaded: 1 }, { downloaded: 1 }, { peerInterested: true }]) {
      const fixture = new IdlePeersFixture();
      fixture.leave(fixture.join({}, "host"));
      fixture.join({}, "host");
      expect(fixture.candidate).toBeDefined();
      fixture.join(state, "host");
      fixture.check();
      expect(fixture.candidate).toBeUndefined();
    }
  });

  test("remembers a bounded number of hosts, the latest", () => {
    const fixture = new IdlePeersFixture();
    for (let i = 0; i <= MAX_IDLE_HOSTS; i++) fixture.leave(fixture.join({}, `idle ${i}`));
    const first = fixture.join({}, "idle 0");
    expect(fixture.candidate).toBeUndefined();
    fixture.leave(first);
    const last = fixture.join({}, `idle ${MAX_IDLE_HOSTS}`);
    expect(fixture.candidate).toBe(last);
  });

  test("W17: whatever others do, no peer is closed that took or gave something within its time", () => {
    const act = fc.record({
      index: fc.nat(11),
      act: fc.constantFrom(
        "takes",
        "gives",
        "wants",
        "wants nothing",
        "slot",
        "no slot",
        "connect",
        "connect",
      ),
      pauseMs: fc.nat(2 * IDLE_CHECK_MS),
    });
    fc.assert(
      fc.property(fc.array(act, { minLength: 100, maxLength: 300 }), (acts) => {
        const fixture = new IdlePeersFixture();
        /** When its slot may be taken. */
        const freeAt = new Map<PeerHandle, number>();
        const join = (peer: PeerHandle) => freeAt.set(peer, fixture.now + UNPROVEN_PEER_MS);
        for (let i = 0; i < 12; i++) join(fixture.join());
        for (const { index, act: what, pauseMs } of acts) {
          fixture.pass(pauseMs);
          const peer = [...fixture.activities.keys()][index]!;
          const activity = fixture.activities.get(peer)!;
          if (what === "takes" || what === "gives") {
            moving(fixture, [peer], what === "takes" ? "uploaded" : "downloaded")();
            freeAt.set(peer, fixture.now + IDLE_PEER_MS);
          } else if (what === "wants" || what === "wants nothing") activity.peerInterested = what === "wants";
          else if (what === "slot" || what === "no slot") activity.amChoking = what === "no slot";
          else {
            const before = new Map(fixture.activities);
            const admitted = fixture.connect();
            if (admitted !== undefined) join(admitted);
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
