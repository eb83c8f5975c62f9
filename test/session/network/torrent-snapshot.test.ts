import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import type { TransferStatus } from "../../../src/core/transfer/transfer-types.ts";
import { type SnapshotParts, snapshotOf } from "../../../src/session/network/torrent-snapshot.ts";

const SIZE = 1000;

const sources = { magnet: 1, flag: 0, dht: 2, pex: 0, exchange: 3, incoming: 1 };

/** Only what a snapshot reads. */
function parts(status?: Partial<TransferStatus>): SnapshotParts {
  return {
    index: 2,
    phase: "downloading",
    metainfo: { name: "model.bin", infoHash: "ab", geometry: new Geometry(SIZE, 100) } as never,
    swarm: { peerCount: 7, peersBySource: sources, gossip: { hostCounts: { wanting: 9, done: 4 } } },
    transfer: (status && { status: () => status }) as never,
  };
}

describe("snapshotOf", () => {
  test("says what the transfer says", () => {
    const status = {
      completedBytes: 250,
      downloadRate: 50,
      uploadRate: 5,
      downloaded: 300,
      uploaded: 30,
      seeds: 3,
    };
    expect(snapshotOf(parts(status), 0)).toMatchObject({
      index: 2,
      name: "model.bin",
      phase: "downloading",
      size: SIZE,
      completed: 250,
      downloadRate: 50,
      uploadRate: 5,
      downloaded: 300,
      uploaded: 30,
      peers: 7,
      seeds: 3,
      peersBySource: sources,
      hosts: 9,
      hostsDone: 4,
      etaSeconds: 15,
    });
  });

  test("nothing is complete while the part file is being checked", () => {
    expect(snapshotOf(parts(), 0)).toMatchObject({ completed: 0, downloadRate: 0, seeds: 0, peers: 7 });
  });

  test.each([
    [0, 0, Number.POSITIVE_INFINITY],
    [999, 0, Number.POSITIVE_INFINITY],
    [999, 2, 0.5],
    [SIZE, 0, 0],
    [SIZE, 50, 0],
  ])("with %d of 1000 bytes and %d B/s it takes %p s more", (completedBytes, downloadRate, seconds) => {
    expect(snapshotOf(parts({ completedBytes, downloadRate }), 0).etaSeconds).toBe(seconds);
  });
});
