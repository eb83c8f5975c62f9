import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import type { PeerHandle } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import type { TransferEffect } from "../../../src/core/transfer/transfer-types.ts";
import { aBlock, BAD_DIGEST, sent, TransferFixture } from "./transfer-fixture.ts";

const onePiece = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

/** A piece that failed with two contributors: from now on it is fetched from one peer alone. */
function aSuspectPiece(): { fixture: TransferFixture; first: PeerHandle; second: PeerHandle } {
  const fixture = new TransferFixture({ geometry: onePiece });
  const first = fixture.join({ has: "all" });
  const second = fixture.join({ has: "all" });
  fixture.handle({ type: "peerQueueLimit", peer: first, requests: 2 });
  for (const peer of [first, second]) fixture.hear(peer, { type: "unchoke" });
  const effects = [first, first, second, second].flatMap((peer) => fixture.deliver(peer));
  fixture.handle({ type: "peerQueueLimit", peer: first, requests: 500 });
  for (const peer of [first, second]) fixture.hear(peer, { type: "choke" });
  fixture.hashAll(effects, BAD_DIGEST);
  return { fixture, first, second };
}

describe("a wrong piece", () => {
  test("W21: with one contributor closes that peer, and others are asked for it at once", () => {
    const fixture = new TransferFixture({ geometry: onePiece });
    const culprit = fixture.join({ has: "all", unchokes: true });
    const honest = fixture.join({ has: "all", unchokes: true });
    let effects = fixture.deliver(culprit);
    while (fixture.asked(culprit).length > 0) effects = fixture.deliver(culprit);
    const hashed = fixture.hashAll(effects, BAD_DIGEST);
    expect(hashed).toContainEqual({ type: "pieceFailed", piece: aBlock(0, 0).piece });
    expect(hashed).toContainEqual({ type: "closePeer", peer: culprit, fault: "hashMismatch" });
    expect(fixture.transfer.status(0).wrongInARow).toBe(1);
    expect(sent([...hashed, ...fixture.leave(culprit)], "request", honest)).toHaveLength(4);
    fixture.deliverAll(honest);
    expect(fixture.transfer.isComplete).toBe(true);
    expect(fixture.transfer.status(0)).toMatchObject({ wasted: onePiece.length, wrongInARow: 0 });
  });

  test("with two contributors closes nobody, and is fetched from one peer alone next", () => {
    const { fixture, first, second } = aSuspectPiece();
    expect(fixture.log.filter(({ type }) => type === "closePeer")).toEqual([]);
    fixture.hear(second, { type: "unchoke" });
    fixture.hear(first, { type: "unchoke" });
    fixture.pass(1000);
    expect([fixture.asked(first).length, fixture.asked(second).length]).toEqual([0, 4]);
    const effects = fixture.deliverAll(second, BAD_DIGEST);
    expect(effects.filter(({ type }) => type === "closePeer")).toEqual([
      { type: "closePeer", peer: second, fault: "hashMismatch" },
    ]);
  });

  test("a sole source that refuses a block and then delivers the others does not stop the download", () => {
    const { fixture, first, second } = aSuspectPiece();
    fixture.hear(first, { type: "unchoke" });
    const [refused, ...others] = fixture.asked(first);
    fixture.hear(first, { type: "reject", block: refused! });
    fixture.hear(second, { type: "unchoke" });
    for (const block of others) fixture.hashAll(fixture.deliver(first, block));
    for (let i = 0; i < 100 && !fixture.transfer.isComplete; i++) {
      fixture.pass(SNUB_MS / 2);
      fixture.deliverAll(first);
      fixture.deliverAll(second);
    }
    expect(fixture.transfer.isComplete).toBe(true);
  });

  test("W22: a sole source that falls silent gives way to a peer that delivers", () => {
    const { fixture, first, second } = aSuspectPiece();
    fixture.hear(first, { type: "unchoke" });
    fixture.hear(second, { type: "unchoke" });
    for (let waited = 0; waited < 3 * SNUB_MS && !fixture.transfer.isComplete; waited += TICK_MS) {
      fixture.pass(TICK_MS);
      fixture.deliverAll(second);
    }
    expect(fixture.transfer.isComplete).toBe(true);
  });
});

/** One piece of four blocks beside another; `culprit` and `honest` gave two blocks each of the first, and it failed. */
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
  for (const peer of [culprit, honest]) fixture.hear(peer, { type: "unchoke" });
  fixture.handle({ type: "peerQueueLimit", peer: culprit, requests: 500 });
  const given = [culprit, culprit, honest, honest].flatMap((peer) => fixture.deliver(peer));
  for (const peer of [culprit, honest]) fixture.hear(peer, { type: "choke" });
  return { fixture, culprit, honest, failure: fixture.hashAll(given, BAD_DIGEST) };
}

describe("a wrong piece that several gave", () => {
  test("W21: is wanted by nobody before its blocks were hashed: the proof must not be written over", () => {
    const { fixture, honest, failure } = aDispute();
    fixture.hear(honest, { type: "unchoke" });
    expect(failure).toEqual([{ type: "digestBlocks", piece: aBlock(0, 0).piece }]);
    expect(sent(fixture.pass(60_000), "request")).toEqual([]);
    const effects = fixture.digestAll(failure, [1]);
    expect(effects).toContainEqual({ type: "pieceFailed", piece: aBlock(0, 0).piece });
    expect(sent(effects, "request")).toHaveLength(4);
  });

  test("W21: exactly the peer whose block differs from the right one is closed", () => {
    const { fixture, culprit, honest, failure } = aDispute();
    fixture.digestAll(failure, [1]);
    fixture.hear(honest, { type: "unchoke" });
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
    fixture.hear(third, { type: "unchoke" });
    fixture.pass(1000);
    const closed = fixture.digestAll(fixture.deliverAll(third)).filter(({ type }) => type === "closePeer");
    expect(closed.map((effect) => "peer" in effect && effect.peer)).toEqual([culprit, honest]);
  });

  test("W21: nobody is blamed when no block differs", () => {
    const { fixture, honest, failure } = aDispute();
    fixture.digestAll(failure, []);
    fixture.hear(honest, { type: "unchoke" });
    fixture.pass(1000);
    const effects = fixture.digestAll(fixture.deliverAll(honest));
    expect(effects.filter(({ type }) => type === "closePeer" || type === "banDisconnected")).toEqual([]);
  });

  test("W21: a culprit that left before the right piece was here is banned all the same", () => {
    const { fixture, culprit, honest, failure } = aDispute();
    fixture.digestAll(failure, [1]);
    fixture.leave(culprit);
    fixture.hear(honest, { type: "unchoke" });
    fixture.pass(1000);
    const effects = fixture.digestAll(fixture.deliverAll(honest));
    expect(effects.filter(({ type }) => type === "closePeer" || type === "banDisconnected")).toEqual([
      { type: "banDisconnected", peer: culprit },
    ]);
  });

  test("the last piece of a file settles no dispute: nobody is asked for anything any more", () => {
    const { fixture, honest, failure } = aDispute();
    fixture.digestAll(failure, [1]);
    fixture.hear(honest, { type: "unchoke" });
    fixture.hear(honest, { type: "have", piece: aBlock(1, 0).piece });
    for (let i = 0; i < 100 && !fixture.transfer.isComplete; i++) {
      fixture.pass(SNUB_MS / 2);
      const effects = fixture.deliverAll(honest);
      if (fixture.transfer.isComplete) expect(effects.at(-1)).toEqual({ type: "completed" });
    }
    expect(fixture.transfer.isComplete).toBe(true);
  });
});
