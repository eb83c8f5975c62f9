import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import type { PeerHandle } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import { SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { otherClient, lengths, onePiece, requests, p2pfilePeer } from "./runs-fixture.ts";
import { aBlock, aRun, BAD_DIGEST, sent, TransferFixture } from "./transfer-fixture.ts";

const MAX_RUN = MAX_REQUEST_LENGTH / BLOCK_LENGTH;
/** The last piece has three and a half blocks. */
const large = new Geometry(803.5 * BLOCK_LENGTH, 16 * BLOCK_LENGTH);

/** Peers answer requests in turns until none is outstanding. */
function deliverInTurns(fixture: TransferFixture, peers: readonly PeerHandle[]): void {
  while (peers.some((peer) => fixture.outstanding(peer).length > 0)) {
    for (const peer of peers)
      if (fixture.outstanding(peer).length > 0) fixture.hashAll(fixture.deliver(peer));
  }
}

describe("requesting runs", () => {
  test("a peer that does not advertise them gets requests of 16 KiB, however fast it is", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join(otherClient);
    fixture.deliverAll(peer);
    expect(fixture.transfer.isComplete).toBe(true);
    expect(lengths(requests(fixture, peer))).toEqual([0.5, 1]);
  });

  test("beside peers that answer runs, other clients get requests of 16 KiB only, to the very end", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peers = [
      fixture.join(p2pfilePeer),
      fixture.join(otherClient),
      fixture.join(p2pfilePeer),
      fixture.join({ ...otherClient, fast: false }),
    ];
    deliverInTurns(fixture, peers);
    fixture.pass(SNUB_MS);
    expect(fixture.transfer.isComplete).toBe(true);
    for (const peer of [peers[1]!, peers[3]!]) {
      expect(requests(fixture, peer).length).toBeGreaterThan(50);
      expect(lengths(requests(fixture, peer)).at(-1)).toBe(1);
    }
    expect(fixture.transfer.status(0)).toMatchObject({ downloaded: large.length, wasted: 0 });
  });

  test("a fast peer gets the longest runs, and far fewer requests than there are blocks", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ ...p2pfilePeer, requestLength: MAX_RUN * BLOCK_LENGTH });
    fixture.deliverAll(peer);
    expect(fixture.transfer.isComplete).toBe(true);
    expect(lengths(requests(fixture, peer)).at(-1)).toBe(MAX_RUN);
    expect(requests(fixture, peer).length).toBeLessThan(804 / 5);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "a peer that answers %d blocks at most gets no longer requests",
    (most) => {
      const fixture = new TransferFixture({ geometry: large });
      const peer = fixture.join({ ...p2pfilePeer, requestLength: most * BLOCK_LENGTH });
      fixture.deliverAll(peer);
      expect(lengths(requests(fixture, peer)).at(-1)).toBe(most);
      expect(fixture.transfer.status(0)).toMatchObject({
        isComplete: true,
        downloaded: large.length,
        wasted: 0,
      });
    },
  );

  test("a peer that advertises runs later gets single blocks until then", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join(otherClient);
    for (let i = 0; i < 20; i++) fixture.hashAll(fixture.deliver(peer));
    expect(lengths(requests(fixture, peer))).toEqual([1]);
    fixture.handle({ type: "peerRequestLength", peer, bytes: MAX_REQUEST_LENGTH });
    fixture.deliverAll(peer);
    expect(lengths(requests(fixture, peer)).at(-1)).toBe(MAX_RUN);
    expect(fixture.transfer.status(0)).toMatchObject({ isComplete: true, wasted: 0 });
  });

  test("a slow peer gets runs of four blocks at most", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join(p2pfilePeer);
    for (let i = 0; i < 40; i++) {
      fixture.pass(2_000);
      fixture.deliver(peer);
    }
    expect(lengths(fixture.outstanding(peer))).toEqual([4]);
  });

  test("under a download limit every request is a single block", () => {
    const fixture = new TransferFixture({ geometry: large, downloadLimit: 100_000_000 });
    const peer = fixture.join(p2pfilePeer);
    for (let i = 0; i < 100; i++) {
      fixture.pass(10, 10);
      fixture.deliverAll(peer);
    }
    expect(fixture.transfer.isComplete).toBe(true);
    expect(lengths(requests(fixture, peer)).at(-1)).toBe(1);
  });

  test("a peer's own limit of queued requests holds for the blocks of its runs", () => {
    const fixture = new TransferFixture({ geometry: large });
    const peer = fixture.join({ ...p2pfilePeer, unchokes: false });
    fixture.handle({ type: "peerQueueLimit", peer, requests: 10 });
    fixture.receive(peer, { type: "unchoke" });
    expect(fixture.outstanding(peer)).toEqual(
      Array.from({ length: 5 }, () => expect.objectContaining({ length: 2 * BLOCK_LENGTH })),
    );
  });
});

describe("an answer to a run", () => {
  test("is written, counted and verified as its blocks are", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const peer = fixture.join(p2pfilePeer);
    expect(fixture.outstanding(peer)).toEqual([aRun(0, 0, 4), aRun(0, 4, 4)]);
    expect(fixture.deliver(peer)).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
    expect(fixture.deliver(peer)).toContainEqual({ type: "verifyPiece", piece: aBlock(0, 0).piece });
    expect(fixture.transfer.status(0)).toMatchObject({ downloaded: onePiece.length, wasted: 0 });
  });

  test.each([1, 2, 3, 5, 8, 0.5, 3.5])("of %d blocks instead of four is dropped", (count) => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const peer = fixture.join(p2pfilePeer);
    const effects = fixture.receive(peer, { type: "block", block: aRun(0, 0, count) });
    expect(effects.filter(({ type }) => type === "writeBlock" || type === "verifyPiece")).toEqual([]);
    expect(fixture.transfer.status(0)).toMatchObject({ downloaded: 0, wasted: count * BLOCK_LENGTH });
    // The whole run is requested again, as single blocks.
    expect(sent(effects, "request", peer).map(({ block }) => block)).toEqual(
      [0, 1, 2, 3].map((at) => aBlock(0, at)),
    );
    fixture.receive(peer, { type: "block", block: aRun(0, 4, 4) });
    const last = [0, 1, 2, 3].map((at) => fixture.receive(peer, { type: "block", block: aBlock(0, at) }));
    expect(last.map((all) => all.some(({ type }) => type === "verifyPiece"))).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test("that begins inside of it is dropped, and the run stays requested", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const peer = fixture.join(p2pfilePeer);
    expect(fixture.receive(peer, { type: "block", block: aRun(0, 1, 3) })).toEqual([]);
    expect(fixture.deliver(peer)).toContainEqual({ type: "writeBlock", block: aRun(0, 0, 4) });
  });

  test("that is wrong closes its peer, the only contributor", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const culprit = fixture.join(p2pfilePeer);
    fixture.deliver(culprit);
    const effects = fixture.hashAll(fixture.deliver(culprit), BAD_DIGEST);
    expect(effects).toContainEqual({ type: "closePeer", peer: culprit, fault: "hashMismatch" });
  });
});
