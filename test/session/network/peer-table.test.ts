import { describe, expect, test } from "bun:test";
import { IDLE_CHECK_MS, UNPROVEN_PEER_MS } from "../../../src/core/swarm/limits.ts";
import type { PeerAddress } from "../../../src/core/format/peer-address.ts";
import { type PeerHandle, type PeerId, peerHandle, peerIdOf } from "../../../src/core/torrent/ids.ts";
import { MAX_DISCONNECTED_PEERS } from "../../../src/session/network/limits.ts";
import { PeerTable } from "../../../src/session/network/peer-table.ts";
import type { PeerConnection } from "../../../src/session/peer/peer-connection.ts";

const id = (byte: number): PeerId => peerIdOf(new Uint8Array(20).fill(byte));

interface FakePeer {
  readonly handle: PeerHandle;
  readonly remote: PeerAddress;
  readonly direction: "incoming" | "outgoing";
  readonly peerId: PeerId;
  listenAddress?: PeerAddress;
}

/** As much of a connection as the table uses; of one host and incoming unless it is said. */
function peer(number: number, parts: Partial<FakePeer> = {}): PeerConnection {
  const fake: FakePeer = {
    handle: peerHandle(number),
    remote: { host: "10.0.0.2", port: 50_000 },
    direction: "incoming",
    peerId: id(number),
    ...parts,
  };
  return fake as unknown as PeerConnection;
}

function tableOf(...peers: readonly PeerConnection[]): PeerTable {
  const table = new PeerTable(0);
  for (const each of peers) table.add(each, each.peerId!);
  return table;
}

describe("PeerTable", () => {
  test("finds peers by handle and by the address on which they listen", () => {
    const listening = peer(1, { listenAddress: { host: "10.0.0.2", port: 2000 } });
    const table = tableOf(listening, peer(2));
    expect([table.size, table.get(peerHandle(1)), table.get(peerHandle(3))]).toEqual([
      2,
      listening,
      undefined,
    ]);
    expect(table.at({ host: "10.0.0.2", port: 2000 })).toEqual([listening]);
    expect([table.remove(listening), table.remove(listening), table.size]).toEqual([true, false, 1]);
  });

  test("W16: of two connections with one peer keeps the one that the smaller id opened, and of one direction the older", () => {
    const [incoming, outgoing] = [peer(5), peer(5, { direction: "outgoing" })];
    const stays = (present: PeerConnection, next: PeerConnection, own: number) =>
      tableOf(present).duplicateOf(next, id(5), id(own))?.stays;
    expect([stays(incoming, outgoing, 9), stays(incoming, outgoing, 1)]).toEqual([true, false]);
    expect([stays(outgoing, incoming, 9), stays(outgoing, incoming, 1)]).toEqual([false, true]);
    expect([stays(incoming, incoming, 1), stays(outgoing, outgoing, 9)]).toEqual([true, true]);
  });

  test("takes the same id from another host for another peer", () => {
    const elsewhere = peer(5, { remote: { host: "10.0.0.3", port: 50_000 } });
    expect(tableOf(peer(5)).duplicateOf(elsewhere, id(5), id(1))).toBeUndefined();
  });

  test("keeps the identity of a connection that has replaced another", () => {
    const [old, fresh] = [peer(1, { peerId: id(5) }), peer(2, { peerId: id(5) })];
    const table = tableOf(old, fresh);
    table.remove(old);
    expect(table.duplicateOf(peer(3), id(5), id(1))?.present).toBe(fresh);
    table.remove(fresh);
    expect(table.duplicateOf(peer(3), id(5), id(1))).toBeUndefined();
  });

  test("W21: remembers where a peer listened that has left, for one ban, and a bounded number of them", () => {
    const table = tableOf();
    for (let i = 0; i <= MAX_DISCONNECTED_PEERS; i++) {
      const listenAddress = { host: "10.0.0.2", port: 2000 + i };
      table.rememberDisconnected(peer(1 + i, i === 1 ? {} : { listenAddress }));
    }
    const taken = [1, 2, 3, 3].map((number) => table.takeDisconnected(peerHandle(number)));
    expect(taken).toEqual([
      undefined,
      { host: "10.0.0.2", port: 0 },
      { host: "10.0.0.2", port: 2002 },
      undefined,
    ]);
  });

  test("W17: names the peer that is idle for longest and not exempt", () => {
    const [first, second, incoming] = [peer(1), peer(2), peer(3)];
    const table = tableOf(first, second);
    let now = 0;
    const longest = (exempt?: PeerConnection) =>
      table.longestIdle(
        incoming,
        () => undefined,
        (each) => each === exempt,
        now,
      )?.peer;
    expect(longest()).toBeUndefined();
    for (; now <= UNPROVEN_PEER_MS; now += IDLE_CHECK_MS) table.tick(() => undefined, now);
    expect([longest(), longest(first)]).toEqual([first, second]);
  });
});
