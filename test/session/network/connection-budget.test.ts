import { describe, expect, test } from "bun:test";
import type { PeerFault } from "../../../src/core/torrent/peer-message.ts";
import { MAX_CONNECTIONS, MAX_HALF_OPEN_OUTGOING } from "../../../src/session/network/limits.ts";
import { ConnectionBudget, type ConnectionHolder } from "../../../src/session/network/connection-budget.ts";
import type { PeerConnection } from "../../../src/session/peer/peer-connection.ts";

/** As much of a connection as the budget uses. */
class FakeConnection {
  readonly remote: { readonly host: string };
  readonly faults: PeerFault[] = [];

  constructor(host = "10.0.0.1") {
    this.remote = { host };
  }

  close(fault: PeerFault): void {
    this.faults.push(fault);
  }
}

const real = (connection: FakeConnection) => connection as unknown as PeerConnection;
const incoming = real(new FakeConnection());

/** A torrent with one idle connection, or none. */
function torrentWith(
  isFull: boolean,
  overdueMs?: number,
): ConnectionHolder & { readonly idle: FakeConnection } {
  const idle = new FakeConnection();
  return {
    idle,
    isFull,
    peers: () => [],
    isExempt: () => false,
    longestIdle: (asker) => {
      expect(asker).toBe(incoming);
      return overdueMs === undefined ? undefined : { peer: real(idle), overdueMs };
    },
  };
}

function filled(connections: number): ConnectionBudget {
  const budget = new ConnectionBudget();
  for (let i = 0; i < connections; i++) budget.add(real(new FakeConnection()));
  return budget;
}

describe("Dial slots", () => {
  test("W20: are as many as may be half-open, and each is held until its attempt has ended", async () => {
    const budget = new ConnectionBudget();
    const attempts = Array.from({ length: MAX_HALF_OPEN_OUTGOING }, () => Promise.withResolvers<number>());
    const results = attempts.map(({ promise }) => budget.dialing(promise));
    expect(budget.dialSlots).toBe(0);
    attempts[0]?.resolve(7);
    expect(await results[0]).toBe(7);
    expect(budget.dialSlots).toBe(1);
    attempts[1]?.reject(new Error("planted"));
    await results[1]?.catch(() => {});
    expect(budget.dialSlots).toBe(2);
  });

  test("W17: are as many as the process has room for connections, and no fewer for pinned addresses than ever", () => {
    const budget = filled(MAX_CONNECTIONS - 5);
    expect(budget.unpinnedDialSlots).toBe(5);
    void budget.dialing(new Promise(() => {}));
    expect(budget.unpinnedDialSlots).toBe(4);
    for (let i = 0; i < 10; i++) budget.add(real(new FakeConnection()));
    expect([budget.unpinnedDialSlots, budget.dialSlots]).toEqual([0, MAX_HALF_OPEN_OUTGOING - 1]);
  });

  test("are free again when a connection ends, once", () => {
    const budget = filled(MAX_CONNECTIONS - 1);
    const connection = real(new FakeConnection());
    budget.add(connection);
    expect(budget.unpinnedDialSlots).toBe(0);
    budget.remove(connection);
    budget.remove(connection);
    expect(budget.unpinnedDialSlots).toBe(1);
  });
});

describe("Room for an incoming connection", () => {
  test("is there while neither the torrent nor the process is full", () => {
    const torrent = torrentWith(false, 5);
    expect(filled(MAX_CONNECTIONS).makeRoom(incoming, torrent)).toBe(true);
    expect(torrent.idle.faults).toEqual([]);
  });

  test("W17: is made in a full torrent by its own longest idle connection, and by no other torrent's", () => {
    const budget = filled(10);
    const [full, other] = [torrentWith(true, 1), torrentWith(false, 1_000)];
    budget.join(full);
    budget.join(other);
    expect(budget.makeRoom(incoming, full)).toBe(true);
    expect([full.idle.faults, other.idle.faults]).toEqual([["notNeeded"], []]);
    expect(budget.makeRoom(incoming, torrentWith(true))).toBe(false);
    expect(other.idle.faults).toEqual([]);
  });

  test("W17: is made in a full process by the connection that is idle for longest, of any torrent", () => {
    const budget = filled(MAX_CONNECTIONS + 1);
    const torrents = [
      torrentWith(false, 10),
      torrentWith(false, 30),
      torrentWith(false),
      torrentWith(false, 20),
    ];
    for (const torrent of torrents) budget.join(torrent);
    expect(budget.makeRoom(incoming, torrents[0]!)).toBe(true);
    expect(torrents.map(({ idle }) => idle.faults.length)).toEqual([0, 1, 0, 0]);
    budget.leave(torrents[1]!);
    expect(budget.makeRoom(incoming, torrents[0]!)).toBe(true);
    expect(torrents.map(({ idle }) => idle.faults.length)).toEqual([0, 1, 0, 1]);
  });

  test("is not made by a connection that is in use", () => {
    const budget = filled(MAX_CONNECTIONS + 1);
    budget.join(torrentWith(false));
    expect(budget.makeRoom(incoming, torrentWith(false, 10))).toBe(false);
  });

  test("W17: is made by one of the host that holds most, in a full torrent and in a full process", () => {
    const many = Array.from({ length: 3 }, () => new FakeConnection("10.0.0.2"));
    const lone = new FakeConnection("10.0.0.3");
    const torrent: ConnectionHolder = { ...torrentWith(true), peers: () => [...many, lone].map(real) };
    expect(filled(10).makeRoom(incoming, torrent)).toBe(true);
    expect([...many, lone].map(({ faults }) => faults.length)).toEqual([0, 0, 1, 0]);
    const budget = filled(MAX_CONNECTIONS + 1);
    budget.join({ ...torrent, isFull: false });
    expect(budget.makeRoom(incoming, torrentWith(false))).toBe(true);
    expect([...many, lone].map(({ faults }) => faults.length)).toEqual([0, 0, 2, 0]);
  });

  test("W17: is made for an exempt peer by any that is not", () => {
    const [exempt, other] = [new FakeConnection("10.0.0.2"), new FakeConnection("10.0.0.3")];
    const torrent: ConnectionHolder = {
      ...torrentWith(true),
      peers: () => [exempt, other].map(real),
      isExempt: (peer) => peer === real(exempt) || peer === incoming,
    };
    expect(filled(10).makeRoom(incoming, torrent)).toBe(true);
    expect([exempt, other].map(({ faults }) => faults.length)).toEqual([0, 1]);
    expect(filled(10).makeRoom(incoming, { ...torrent, peers: () => [real(exempt)] })).toBe(false);
  });

  test("is made by a connection whose time is over this very moment", () => {
    expect(new ConnectionBudget().makeRoom(incoming, torrentWith(true, 0))).toBe(true);
  });
});
