import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import type { PeerHandle } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import type { TransferEffect } from "../../../src/core/transfer/transfer-types.ts";
import { aBlock, BAD_DIGEST, sent, TransferFixture } from "./transfer-fixture.ts";

const onePiece = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

/** A piece that failed with two contributors: the next attempt has a sole source. */
function aSoleSourcePiece(): { fixture: TransferFixture; first: PeerHandle; second: PeerHandle } {
  const fixture = new TransferFixture({ geometry: onePiece });
  const first = fixture.join({ has: "all" });
  const second = fixture.join({ has: "all" });
  fixture.handle({ type: "peerQueueLimit", peer: first, requests: 2 });
  for (const peer of [first, second]) fixture.receive(peer, { type: "unchoke" });
  const effects = [first, first, second, second].flatMap((peer) => fixture.deliver(peer));
  fixture.handle({ type: "peerQueueLimit", peer: first, requests: 500 });
  for (const peer of [first, second]) fixture.receive(peer, { type: "choke" });
  fixture.hashAll(effects, BAD_DIGEST);
  return { fixture, first, second };
}

describe("a wrong piece", () => {
  test("W21: with one contributor closes that peer, and is requested from others at once", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const culprit = fixture.join({ has: "all", unchokes: true });
    const honest = fixture.join({ has: "all", unchokes: true });
    let effects = fixture.deliver(culprit);
    while (fixture.outstanding(culprit).length > 0) effects = fixture.deliver(culprit);
    const hashed = fixture.hashAll(effects, BAD_DIGEST);
    expect(hashed).toContainEqual({ type: "pieceFailed", piece: aBlock(0, 0).piece });
    expect(hashed).toContainEqual({ type: "closePeer", peer: culprit, fault: "hashMismatch" });
    expect(fixture.transfer.status(0).wrongInARow).toBe(1);
    expect(sent([...hashed, ...fixture.leave(culprit)], "request", honest)).toHaveLength(4);
    fixture.deliverAll(honest);
    expect(fixture.transfer.isComplete).toBe(true);
    expect(fixture.transfer.status(0)).toMatchObject({ wasted: onePiece.length, wrongInARow: 0 });
  });

  test("with two contributors closes no peer, and is fetched from a sole source next", () => {
    const { fixture, first, second } = aSoleSourcePiece();
    expect(fixture.log.filter(({ type }) => type === "closePeer")).toEqual([]);
    fixture.receive(second, { type: "unchoke" });
    fixture.receive(first, { type: "unchoke" });
    fixture.pass(1000);
    expect([fixture.outstanding(first).length, fixture.outstanding(second).length]).toEqual([0, 4]);
    const effects = fixture.deliverAll(second, BAD_DIGEST);
    expect(effects.filter(({ type }) => type === "closePeer")).toEqual([
      { type: "closePeer", peer: second, fault: "hashMismatch" },
    ]);
  });

  test("a sole source that rejects a block and then sends the others does not stop the download", () => {
    const { fixture, first, second } = aSoleSourcePiece();
    fixture.receive(first, { type: "unchoke" });
    const [refused, ...others] = fixture.outstanding(first);
    fixture.receive(first, { type: "reject", block: refused! });
    fixture.receive(second, { type: "unchoke" });
    for (const block of others) fixture.hashAll(fixture.deliver(first, block));
    for (let i = 0; i < 100 && !fixture.transfer.isComplete; i++) {
      fixture.pass(SNUB_MS / 2);
      fixture.deliverAll(first);
      fixture.deliverAll(second);
    }
    expect(fixture.transfer.isComplete).toBe(true);
  });

  test("W22: a sole source that falls silent is replaced by a peer that sends blocks", () => {
    const { fixture, first, second } = aSoleSourcePiece();
    fixture.receive(first, { type: "unchoke" });
    fixture.receive(second, { type: "unchoke" });
    for (let waited = 0; waited < 3 * SNUB_MS && !fixture.transfer.isComplete; waited += TICK_MS) {
      fixture.pass(TICK_MS);
      fixture.deliverAll(second);
    }
    expect(fixture.transfer.isComplete).toBe(true);
  });
});

/** Two pieces of four blocks; `culprit` and `honest` sent two blocks each of the first, which failed its hash. */
function aDispute(): {
  fixture: TransferFixture;
  culprit: PeerHandle;
  honest: PeerHandle;
  failure: TransferEffect[];
} {
  const fixture = new TransferFixture({ geometry: new Geometry(8 * BLOCK_LENGTH, 4 * BLOCK_LENGTH) });
  fixture.answersBlocks = false;
  const culprit = fixture.join({ has: [0] });
  const honest = fixture.join({ has: [0] });
  fixture.handle({ type: "peerQueueLimit", peer: culprit, requests: 2 });
  for (const peer of [culprit, honest]) fixture.receive(peer, { type: "unchoke" });
  fixture.handle({ type: "peerQueueLimit", peer: culprit, requests: 500 });
  const delivered = [culprit, culprit, honest, honest].flatMap((peer) => fixture.deliver(peer));
  for (const peer of [culprit, honest]) fixture.receive(peer, { type: "choke" });
  return { fixture, culprit, honest, failure: fixture.hashAll(delivered, BAD_DIGEST) };
}

describe("a wrong piece with several contributors", () => {
  test("W21: is not requested before its blocks are digested, so that the proof is not overwritten", () => {
    const { fixture, honest, failure } = aDispute();
    fixture.receive(honest, { type: "unchoke" });
    expect(failure).toEqual([{ type: "digestBlocks", piece: aBlock(0, 0).piece }]);
    expect(sent(fixture.pass(60_000), "request")).toEqual([]);
    const effects = fixture.digestAll(failure, [1]);
    expect(effects).toContainEqual({ type: "pieceFailed", piece: aBlock(0, 0).piece });
    expect(sent(effects, "request")).toHaveLength(4);
  });

  test("W21: exactly the peer whose block differs from the right one is closed", () => {
    const { fixture, culprit, honest, failure } = aDispute();
    fixture.digestAll(failure, [1]);
    fixture.receive(honest, { type: "unchoke" });
    fixture.pass(1000);
    const right = fixture.deliverAll(honest);
    expect(fixture.transfer.have.get(aBlock(0, 0).piece)).toBe(true);
    expect(right.filter(({ type }) => type === "closePeer")).toEqual([]);
    expect(fixture.digestAll(right).filter(({ type }) => type === "closePeer")).toEqual([
      { type: "closePeer", peer: culprit, fault: "hashMismatch" },
    ]);
  });

  test("W21: two culprits are both found, and each is closed once", () => {
    const { fixture, culprit, honest, failure } = aDispute();
    const third = fixture.join({ has: [0] });
    fixture.digestAll(failure, [0, 1, 3]);
    fixture.receive(third, { type: "unchoke" });
    fixture.pass(1000);
    const closed = fixture.digestAll(fixture.deliverAll(third)).filter(({ type }) => type === "closePeer");
    expect(closed.map((effect) => "peer" in effect && effect.peer)).toEqual([culprit, honest]);
  });

  test("W21: no peer is closed when no block differs", () => {
    const { fixture, honest, failure } = aDispute();
    fixture.digestAll(failure, []);
    fixture.receive(honest, { type: "unchoke" });
    fixture.pass(1000);
    const effects = fixture.digestAll(fixture.deliverAll(honest));
    expect(effects.filter(({ type }) => type === "closePeer" || type === "banDisconnected")).toEqual([]);
  });

  test("W21: a culprit that left before the piece was verified is banned all the same", () => {
    const { fixture, culprit, honest, failure } = aDispute();
    fixture.digestAll(failure, [1]);
    fixture.leave(culprit);
    fixture.receive(honest, { type: "unchoke" });
    fixture.pass(1000);
    const effects = fixture.digestAll(fixture.deliverAll(honest));
    expect(effects.filter(({ type }) => type === "closePeer" || type === "banDisconnected")).toEqual([
      { type: "banDisconnected", peer: culprit },
    ]);
  });

  test("the last piece of a file settles no dispute: the download is complete", () => {
    const { fixture, honest, failure } = aDispute();
    fixture.digestAll(failure, [1]);
    fixture.receive(honest, { type: "unchoke" });
    fixture.receive(honest, { type: "have", piece: aBlock(1, 0).piece });
    for (let i = 0; i < 100 && !fixture.transfer.isComplete; i++) {
      fixture.pass(SNUB_MS / 2);
      const effects = fixture.deliverAll(honest);
      if (fixture.transfer.isComplete) expect(effects.at(-1)).toEqual({ type: "completed" });
    }
    expect(fixture.transfer.isComplete).toBe(true);
  });
});
