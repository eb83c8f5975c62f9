import { describe, expect, test } from "bun:test";
import { Geometry } from "../../src/core/geometry.ts";
import type { PeerHandle } from "../../src/core/ids.ts";
import { BLOCK_LENGTH, SNUB_MS, TICK_MS } from "../../src/core/limits.ts";
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
  test("with one contributor closes that peer, and others are asked for it at once", () => {
    const bed = new TransferBed({ geometry: onePiece });
    const liar = bed.join({ has: "all", unchokes: true });
    const honest = bed.join({ has: "all", unchokes: true });
    let effects = bed.deliver(liar);
    while (bed.asked(liar).length > 0) effects = bed.deliver(liar);
    const hashed = bed.hashAll(effects, BAD_DIGEST);
    expect(hashed).toContainEqual({ type: "pieceFailed", piece: aBlock(0, 0).piece });
    expect(hashed).toContainEqual({ type: "closePeer", peer: liar, fault: "hashMismatch" });
    expect(sent([...hashed, ...bed.leave(liar)], "request", honest)).toHaveLength(4);
    bed.deliverAll(honest);
    expect(bed.transfer.isComplete).toBe(true);
    expect(bed.transfer.status(0).wasted).toBe(onePiece.length);
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

  test("a sole source that falls silent gives way to a peer that delivers", () => {
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
