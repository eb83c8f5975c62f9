import { describe, expect, test } from "bun:test";
import {
  MAX_DIAL_FAILURES,
  REDIAL_OTHER_MIN_MS,
  STABLE_CONNECTION_MS,
} from "../../../src/core/swarm/limits.ts";
import { addressKey, type PeerAddress } from "../../../src/core/format/peer-address.ts";
import { unknownPortAt } from "../../../src/core/swarm/peer-book.ts";
import { ConnectionAddresses } from "../../../src/session/network/connection-addresses.ts";
import { MAX_OTHER_ADDRESSES } from "../../../src/session/network/limits.ts";
import type { PeerConnection } from "../../../src/session/peer/peer-connection.ts";

const HOST = "10.1.0.9";
const at = (port: number, host = HOST): PeerAddress => ({ host, port });

class Fixture {
  now = 0;
  readonly addresses = new ConnectionAddresses({ allows: ({ port }) => port > 1000 }, () => this.now);

  /** As much of a connection as its addresses need. */
  peer(dialled?: PeerAddress): PeerConnection {
    if (dialled !== undefined) this.addresses.learn(dialled, "dht");
    const peer = { remote: at(50_000), dialled, listenAddress: dialled, otherAddresses: [] };
    return peer as unknown as PeerConnection;
  }

  /** Ports of HOST that are marked as connected. */
  get connected(): number[] {
    return this.addresses.book.addresses().map(({ port }) => port);
  }
}

describe("Addresses of a connection", () => {
  test("are released with it, all of them", () => {
    const fixture = new Fixture();
    const peer = fixture.peer(at(2000));
    fixture.addresses.admitted(peer);
    fixture.addresses.learn(at(3000), "dht");
    fixture.addresses.reachedAgain(peer, at(3000));
    fixture.addresses.advertised(peer, at(4000, "10.2.0.1"));
    expect(fixture.connected).toEqual([2000, 3000]);
    fixture.now = STABLE_CONNECTION_MS;
    fixture.addresses.ended(peer, undefined, true);
    expect(fixture.connected).toEqual([]);
    expect(fixture.addresses.book.nextDials(1e9, 10, Math.random).map(addressKey).toSorted()).toEqual([
      "10.1.0.9:2000",
      "10.1.0.9:3000",
      "10.2.0.1:4000",
    ]);
  });

  test("are bounded, however many a peer advertises or is reached at", () => {
    const fixture = new Fixture();
    const peer = fixture.peer();
    for (let port = 2000; port < 2100; port++) fixture.addresses.advertisedPort(peer, port);
    for (let port = 3000; port < 3100; port++) fixture.addresses.advertised(peer, at(port));
    for (let port = 4000; port < 4100; port++) {
      fixture.addresses.learn(at(port), "pex");
      fixture.addresses.reachedAgain(peer, at(port));
    }
    expect(fixture.connected).toEqual(Array.from({ length: MAX_OTHER_ADDRESSES }, (_, i) => 4000 + i));
  });

  test("pass to the connection that replaces it, in either direction", () => {
    for (const dialledFirst of [true, false]) {
      const fixture = new Fixture();
      const dialled = fixture.peer(at(2000));
      const incoming = fixture.peer();
      const [closed, kept] = dialledFirst ? [dialled, incoming] : [incoming, dialled];
      if (!dialledFirst) fixture.addresses.advertisedPort(incoming, 3000);
      else fixture.addresses.admitted(dialled);
      fixture.addresses.replaced(closed, kept);
      fixture.addresses.ended(closed, "duplicateConnection", true);
      fixture.addresses.admitted(kept);
      expect(fixture.connected).toEqual([2000]);
      fixture.addresses.ended(kept, undefined, true);
      expect(fixture.connected).toEqual([]);
    }
  });

  test("W20: never count as connected on the word of a peer, its own port included", () => {
    const fixture = new Fixture();
    const peer = fixture.peer();
    fixture.addresses.learn(at(2000), "magnet");
    fixture.addresses.learn(at(4000, "10.2.0.1"), "dht");
    fixture.addresses.advertisedPort(peer, 2000);
    fixture.addresses.advertised(peer, at(3000, "10.2.0.1"));
    fixture.addresses.advertised(peer, at(4000, "10.2.0.1"));
    expect([fixture.connected, fixture.addresses.isPinned(peer)]).toEqual([[], false]);
    // An address that another host has named is not held back by a claim.
    expect(fixture.addresses.book.nextDials(0, 10, Math.random)).toEqual([at(2000), at(4000, "10.2.0.1")]);
    fixture.addresses.reachedAgain(peer, at(2000));
    expect([fixture.connected, fixture.addresses.isPinned(peer)]).toEqual([[2000], true]);
  });

  test("W20: are one for each connection: the port before is given back, and what was known otherwise stays", () => {
    const fixture = new Fixture();
    const peer = fixture.peer();
    fixture.addresses.learn(at(2001), "dht");
    for (let port = 2000; port < 2100; port++) fixture.addresses.advertisedPort(peer, port);
    expect([fixture.addresses.book.size, peer.listenAddress?.port]).toEqual([2, 2099]);
    fixture.addresses.ended(peer, undefined, true);
    expect(
      fixture.addresses.book
        .nextDials(1e9, 10, Math.random)
        .map(({ port }) => port)
        .toSorted(),
    ).toEqual([2001, 2099]);
  });

  test("that the peer has stated are dialled soon after it has left", () => {
    const fixture = new Fixture();
    const peer = fixture.peer();
    fixture.addresses.advertisedPort(peer, 2000);
    fixture.addresses.ended(peer, undefined, true);
    const dialled = (now: number) => fixture.addresses.book.nextDials(now, 10, Math.random);
    expect([dialled(REDIAL_OTHER_MIN_MS - 1), dialled(REDIAL_OTHER_MIN_MS)]).toEqual([[], [at(2000)]]);
  });

  test("are forgotten when its handshake fails again and again", () => {
    const fixture = new Fixture();
    const peer = fixture.peer(at(2000));
    for (let i = 0; i < MAX_DIAL_FAILURES; i++) {
      fixture.addresses.book.dialing(at(2000), (fixture.now += 1e6));
      fixture.addresses.ended(peer, "badHandshake", false);
    }
    expect(fixture.addresses.book.size).toBe(0);
  });

  test("are kept when a peer that was admitted leaves again and again, and dialled soon", () => {
    const fixture = new Fixture();
    const peer = fixture.peer(at(2000));
    for (let i = 0; i < 2 * MAX_DIAL_FAILURES; i++) {
      fixture.addresses.admitted(peer);
      fixture.now += STABLE_CONNECTION_MS;
      fixture.addresses.ended(peer, undefined, true);
      expect(fixture.addresses.book.nextDials(fixture.now + 10_000, 10, Math.random)).toEqual([at(2000)]);
    }
    expect(fixture.addresses.book.size).toBe(1);
  });

  test("that may not be contacted are not taken in when a peer advertises them", () => {
    const fixture = new Fixture();
    const peer = fixture.peer();
    fixture.addresses.advertised(peer, at(22));
    expect(fixture.addresses.advertisedPort(peer, 23)).toBe(true);
    expect(fixture.addresses.book.size).toBe(0);
  });
});

describe("W21: A ban", () => {
  test("is for the port that a peer listens on, and for its host when it has advertised none", () => {
    const fixture = new Fixture();
    const [known, unknown] = [fixture.peer(), fixture.peer()];
    fixture.addresses.advertisedPort(known, 2000);
    fixture.addresses.ended(known, "hashMismatch", true);
    expect([fixture.addresses.isBanned(known), fixture.addresses.isBanned(unknown)]).toEqual([true, false]);
    fixture.addresses.ended(unknown, "hashMismatch", true);
    expect(fixture.addresses.isBanned(unknown)).toBe(true);
    expect(fixture.addresses.book.isBanned(unknownPortAt("10.1.0.10"), 0)).toBe(false);
  });

  test("is never for an address that the peer advertises as a whole", () => {
    const fixture = new Fixture();
    const peer = fixture.peer();
    fixture.addresses.advertised(peer, at(3000, "10.2.0.1"));
    fixture.addresses.ended(peer, "hashMismatch", true);
    expect(fixture.addresses.book.isBanned(at(3000, "10.2.0.1"), 1)).toBe(false);
  });

  test("refuses the port that a peer advertises", () => {
    const fixture = new Fixture();
    fixture.addresses.book.ban(at(2000), 0);
    expect(fixture.addresses.advertisedPort(fixture.peer(), 2000)).toBe(false);
    expect(fixture.connected).toEqual([]);
  });
});

test("A peer was found by the source of the address that was dialled, or it has come by itself", () => {
  const fixture = new Fixture();
  const named = at(2000);
  fixture.addresses.learn(named, "magnet");
  const peer = fixture.peer(named);
  expect(fixture.addresses.sourceOf(peer)).toBe("magnet");
  expect(fixture.addresses.isPinned(peer)).toBe(true);
  expect([fixture.addresses.sourceOf(fixture.peer()), fixture.addresses.isPinned(fixture.peer())]).toEqual([
    "incoming",
    false,
  ]);
  expect(fixture.addresses.sourceOf(fixture.peer(at(30)))).toBe("incoming");
});
