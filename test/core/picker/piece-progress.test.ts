import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { peerHandle, pieceIndex } from "../../../src/core/torrent/ids.ts";
import { PieceProgress } from "../../../src/core/picker/piece-progress.ts";

const BLOCKS = 6;
const PEERS = [1, 2, 3];

interface Step {
  readonly act: "request" | "release" | "receive";
  readonly block: number;
  readonly count: number;
  readonly peer: number;
}

const steps = fc.array(
  fc.record<Step>({
    act: fc.constantFrom("request", "request", "release", "receive"),
    block: fc.nat(BLOCKS - 1),
    count: fc.integer({ min: 1, max: BLOCKS }),
    peer: fc.constantFrom(...PEERS),
  }),
  { maxLength: 60, size: "max" },
);

interface ModelBlock {
  requesters: number[];
  contributor: number | undefined;
}

function aPiece(): PieceProgress {
  return new PieceProgress(pieceIndex(4), BLOCKS, false);
}

describe("PieceProgress", () => {
  test("counts free and received blocks as a simple model does, after any steps", () => {
    fc.assert(
      fc.property(steps, (steps) => {
        const piece = aPiece();
        const model = Array.from({ length: BLOCKS }, (): ModelBlock => ({
          requesters: [],
          contributor: undefined,
        }));
        for (const { act, block, count: most, peer } of steps) {
          const count = Math.min(most, BLOCKS - block);
          const run = model.slice(block, block + count);
          const missing = run.filter(({ contributor }) => contributor === undefined);
          expect(piece.missingIn(block, count)).toBe(missing.length);
          if (act === "release") {
            piece.release(block, count, peerHandle(peer));
            for (const known of run) known.requesters = known.requesters.filter((other) => other !== peer);
          } else if (act === "request" && missing.length === count) {
            piece.request(block, count, peerHandle(peer), 0);
            for (const known of run) {
              if (!known.requesters.includes(peer)) known.requesters = [...known.requesters, peer];
            }
          } else if (act === "receive" && missing.length > 0) {
            const others = piece.receive(block, count, peerHandle(peer));
            const asked = new Set(missing.flatMap(({ requesters }) => requesters));
            asked.delete(peer);
            expect([...others].map(Number)).toEqual([...asked]);
            for (const known of run) {
              known.requesters = [];
              known.contributor = peer;
            }
          }
        }
        const free = model.flatMap(({ requesters, contributor }, block) =>
          requesters.length === 0 && contributor === undefined ? [block] : [],
        );
        expect(piece.freeCount).toBe(free.length);
        expect(piece.nextFree()).toBe(free[0]);
        const end = model.findIndex((_, at) => at >= free[0]! && !free.includes(at));
        if (free[0] !== undefined)
          expect(piece.freeRun(free[0], BLOCKS)).toBe((end < 0 ? BLOCKS : end) - free[0]);
        expect(piece.isComplete).toBe(model.every(({ contributor }) => contributor !== undefined));
        model.forEach(({ requesters, contributor }, block) => {
          expect(piece.isReceived(block)).toBe(contributor !== undefined);
          expect([...piece.requestersOf(block)].map(Number)).toEqual(requesters);
        });
        const contributors = new Set(model.flatMap(({ contributor }) => contributor ?? []));
        expect(piece.contributors()).toEqual(contributors);
      }),
    );
  });

  test("a block that is requested from a second peer too keeps the time of the first request", () => {
    const piece = aPiece();
    piece.request(2, 1, peerHandle(1), 100);
    piece.request(2, 1, peerHandle(2), 900);
    expect(piece.requestedAt(2)).toBe(100);
    piece.release(2, 1, peerHandle(1));
    piece.release(2, 1, peerHandle(2));
    piece.request(2, 1, peerHandle(3), 1000);
    expect(piece.requestedAt(2)).toBe(1000);
  });

  test("a block may come from a peer whose request was released", () => {
    const piece = aPiece();
    piece.request(0, 1, peerHandle(1), 0);
    piece.release(0, 1, peerHandle(1));
    expect(piece.receive(0, 1, peerHandle(1))).toEqual([]);
    expect([piece.freeCount, piece.nextFree()]).toEqual([BLOCKS - 1, 1]);
  });

  test("receiving or requesting a received block is an invariant error", () => {
    const piece = aPiece();
    piece.receive(1, 1, peerHandle(1));
    expect(() => piece.receive(1, 1, peerHandle(2))).toThrow("block 1 of piece 4 came twice");
    expect(() => piece.request(1, 1, peerHandle(2), 0)).toThrow("block 1 of piece 4 is already here");
    expect(() => piece.request(0, 2, peerHandle(2), 0)).toThrow("block 0 of piece 4 is already here");
  });
});
