import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import type { PeerHandle } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { SNUB_MS } from "../../../src/core/transfer/limits.ts";
import { TICK_MS } from "../../../src/session/network/limits.ts";
import type { TransferEffect } from "../../../src/core/transfer/transfer-types.ts";
import { aBlock, BAD_DIGEST, sent, TransferBed } from "./transfer-bed.ts";

const onePiece = new Geometry(4 * BLOCK_LENGTH, 4 * BLOCK_LENGTH);

/** A piece that failed with two contributors: from now on it is fetched from one peer alone. */
function aSuspectPiece(): { bed: TransferBed; first: PeerHandle; second: PeerHandle } {
  const bed = new TransferBed({ geometry: onePiece });
  const first = bed.join({ has: "all" });
  const second = bed.join({ has: "all" });
  bed.handle({ type: "peerQueueLimit", peer: first, requests: 2 });
  for (const peer of [first, second]) bed.hear(peer, { type: "unchoke" });
  const effects = [first, first, second, second].flatMap((peer) => bed.deliver(peer));
  bed.handle({ type: "peerQueueLimit", peer: first, requests: 500 });
  for (const peer of [first, second]) bed.hear(peer, { type: "choke" });
  bed.hashAll(effects, BAD_DIGEST);
  return { bed, first, second };
}

describe("a wrong piece", () => {
  test("W21: with one contributor closes that peer, and others are asked for it at once", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const culprit = bed.join({ has: "all", unchokes: true });
    const honest = bed.join({ has: "all", unchokes: true });
    let effects = bed.deliver(culprit);
    while (bed.asked(culprit).length > 0) effects = bed.deliver(culprit);
    const hashed = bed.hashAll(effects, BAD_DIGEST);
    expect(hashed).toContainEqual({ type: "pieceFailed", piece: aBlock(0, 0).piece });
    expect(hashed).toContainEqual({ type: "closePeer", peer: culprit, fault: "hashMismatch" });
    expect(bed.transfer.status(0).wrongInARow).toBe(1);
    expect(sent([...hashed, ...bed.leave(culprit)], "request", honest)).toHaveLength(4);
    bed.deliverAll(honest);
    expect(bed.transfer.isComplete).toBe(true);
    expect(bed.transfer.status(0)).toMatchObject({ wasted: onePiece.length, wrongInARow: 0 });
  });

  test("with two contributors closes nobody, and is fetched from one peer alone next", () => {
    const { bed, first, second } = aSuspectPiece();
    expect(bed.log.filter(({ type }) => type === "closePeer")).toEqual([]);
    bed.hear(second, { type: "unchoke" });
    bed.hear(first, { type: "unchoke" });
    bed.pass(1000);
    expect([bed.asked(first).length, bed.asked(second).length]).toEqual([0, 4]);
    const effects = bed.deliverAll(second, BAD_DIGEST);
    expect(effects.filter(({ type }) => type === "closePeer")).toEqual([
      { type: "closePeer", peer: second, fault: "hashMismatch" },
    ]);
  });

  test("a sole source that refuses a block and then delivers the others does not stop the download", () => {
    const { bed, first, second } = aSuspectPiece();
    bed.hear(first, { type: "unchoke" });
    const [refused, ...others] = bed.asked(first);
    bed.hear(first, { type: "reject", block: refused! });
    bed.hear(second, { type: "unchoke" });
    for (const block of others) bed.hashAll(bed.deliver(first, block));
    for (let i = 0; i < 100 && !bed.transfer.isComplete; i++) {
      bed.pass(SNUB_MS / 2);
      bed.deliverAll(first);
      bed.deliverAll(second);
    }
    expect(bed.transfer.isComplete).toBe(true);
  });

  test("W22: a sole source that falls silent gives way to a peer that delivers", () => {
    const { bed, first, second } = aSuspectPiece();
    bed.hear(first, { type: "unchoke" });
    bed.hear(second, { type: "unchoke" });
    for (let waited = 0; waited < 3 * SNUB_MS && !bed.transfer.isComplete; waited += TICK_MS) {
      bed.pass(TICK_MS);
      bed.deliverAll(second);
    }
    expect(bed.transfer.isComplete).toBe(true);
  });
});

/** One piece of four blocks beside another; `culprit` and `honest` gave two blocks each of the first, and it failed. */
function aDispute(): {
  bed: TransferBed;
  culprit: PeerHandle;
  honest: PeerHandle;
  failure: TransferEffect[];
} {
  const bed = new TransferBed({ geometry: new Geometry(8 * BLOCK_LENGTH, 4 * BLOCK_LENGTH) });
  bed.answersBlocks = false;
  const culprit = bed.join({ has: [0] });
  const honest = bed.join({ has: [0] });
  bed.handle({ type: "peerQueueLimit", peer: culprit, requests: 2 });
  for (const peer of [culprit, honest]) bed.hear(peer, { type: "unchoke" });
  bed.handle({ type: "peerQueueLimit", peer: culprit, requests: 500 });
  const given = [culprit, culprit, honest, honest].flatMap((peer) => bed.deliver(peer));
  for (const peer of [culprit, honest]) bed.hear(peer, { type: "choke" });
  return { bed, culprit, honest, failure: bed.hashAll(given, BAD_DIGEST) };
}

describe("a wrong piece that several gave", () => {
  test("W21: is wanted by nobody before its blocks were hashed: the proof must not be written over", () => {
    const { bed, honest, failure } = aDispute();
    bed.hear(honest, { type: "unchoke" });
    expect(failure).toEqual([{ type: "digestBlocks", piece: aBlock(0, 0).piece }]);
    expect(sent(bed.pass(60_000), "request")).toEqual([]);
    const effects = bed.digestAll(failure, [1]);
    expect(effects).toContainEqual({ type: "pieceFailed", piece: aBlock(0, 0).piece });
    expect(sent(effects, "request")).toHaveLength(4);
  });

  test("W21: exactly the peer whose block differs from the right one is closed", () => {
    const { bed, culprit, honest, failure } = aDispute();
    bed.digestAll(failure, [1]);
    bed.hear(honest, { type: "unchoke" });
    bed.pass(1000);
    const right = bed.deliverAll(honest);
    expect(bed.transfer.have.get(aBlock(0, 0).piece)).toBe(true);
    expect(right.filter(({ type }) => type === "closePeer")).toEqual([]);
    expect(bed.digestAll(right).filter(({ type }) => type === "closePeer")).toEqual([
      { type: "closePeer", peer: culprit, fault: "hashMismatch" },
    ]);
  });

  test("W21: two culprits are both found, and each is closed once", () => {
    const { bed, culprit, honest, failure } = aDispute();
    const third = bed.join({ has: [0] });
    bed.digestAll(failure, [0, 1, 3]);
    bed.hear(third, { type: "unchoke" });
    bed.pass(1000);
    const closed = bed.digestAll(bed.deliverAll(third)).filter(({ type }) => type === "closePeer");
    expect(closed.map((effect) => "peer" in effect && effect.peer)).toEqual([culprit, honest]);
  });

  test("W21: nobody is blamed when no block differs", () => {
    const { bed, honest, failure } = aDispute();
    bed.digestAll(failure, []);
    bed.hear(honest, { type: "unchoke" });
    bed.pass(1000);
    const effects = bed.digestAll(bed.deliverAll(honest));
    expect(effects.filter(({ type }) => type === "closePeer" || type === "banDisconnected")).toEqual([]);
  });

  test("W21: a culprit that left before the right piece was here is banned all the same", () => {
    const { bed, culprit, honest, failure } = aDispute();
    bed.digestAll(failure, [1]);
    bed.leave(culprit);
    bed.hear(honest, { type: "unchoke" });
    bed.pass(1000);
    const effects = bed.digestAll(bed.deliverAll(honest));
    expect(effects.filter(({ type }) => type === "closePeer" || type === "banDisconnected")).toEqual([
      { type: "banDisconnected", peer: culprit },
    ]);
  });

  test("the last piece of a file settles no dispute: nobody is asked for anything any more", () => {
    const { bed, honest, failure } = aDispute();
    bed.digestAll(failure, [1]);
    bed.hear(honest, { type: "unchoke" });
    bed.hear(honest, { type: "have", piece: aBlock(1, 0).piece });
    for (let i = 0; i < 100 && !bed.transfer.isComplete; i++) {
      bed.pass(SNUB_MS / 2);
      const effects = bed.deliverAll(honest);
      if (bed.transfer.isComplete) expect(effects.at(-1)).toEqual({ type: "completed" });
    }
    expect(bed.transfer.isComplete).toBe(true);
  });
});
