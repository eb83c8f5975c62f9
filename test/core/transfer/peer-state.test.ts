import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { peerHandle } from "../../../src/core/torrent/ids.ts";
import { PeerState } from "../../../src/core/transfer/peer-state.ts";
import { KiB } from "../../../src/lib/units.ts";

const pieces = (count: number, length = 256 * KiB) => new Geometry(count * length, length);

describe("PeerState", () => {
  test("starts choked and not interested on both sides (BEP 3), with no pieces and no requests", () => {
    const peer = new PeerState(peerHandle(3), true, pieces(17), 5000);
    expect([peer.amChoking, peer.peerChoking, peer.amInterested, peer.peerInterested]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([peer.bitfield.size, peer.bitfield.count, peer.wanted, peer.pickable, peer.counted]).toEqual([
      17,
      0,
      0,
      0,
      false,
    ]);
    expect([
      peer.window.outstandingCount,
      peer.expired.size,
      peer.uploads.length,
      peer.uploadInFlight,
    ]).toEqual([0, 0, 0, 0]);
  });

  test("counts silence from the time of joining, not from time 0", () => {
    expect(new PeerState(peerHandle(1), false, pieces(1), 5000).lastBlockAt).toBe(5000);
  });

  test("has a smaller least window for short pieces", () => {
    const [short, long] = [128 * KiB, 256 * KiB].map((length) => {
      const { window } = new PeerState(peerHandle(1), true, pieces(4, length), 0);
      window.collapse();
      return window.room;
    });
    expect([short, long]).toEqual([8, 16]);
  });

  test("two peers share no queue, window or bitfield", () => {
    const [one, two] = [1, 2].map((handle) => new PeerState(peerHandle(handle), true, pieces(8), 0));
    one!.bitfield.set(0);
    one!.expired.set(1, 16_384);
    one!.window.limitTo(1);
    expect([two!.bitfield.count, two!.expired.size, two!.window.room > 1]).toEqual([0, 0, true]);
  });
});
