import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { MAX_INBOUND_REQUESTS } from "../../../src/core/torrent/limits.ts";
import { MAX_PEERS_SEEDING } from "../../../src/session/network/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { MiB } from "../../../src/lib/units.ts";
import { UploadQueue } from "../../../src/core/transfer/upload-queue.ts";

const block = (number: number): Block => ({ piece: pieceIndex(number), begin: 0, length: 1 });

describe("UploadQueue", () => {
  test("behaves as a plain list after any steps", () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ act: fc.constant("push" as const), number: fc.nat(20) }) },
      { weight: 4, arbitrary: fc.record({ act: fc.constant("shift" as const), number: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ act: fc.constant("remove" as const), number: fc.nat(20) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant("clear" as const), number: fc.constant(0) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: "max" }), (steps) => {
        const queue = new UploadQueue();
        let model: number[] = [];
        for (const { act, number } of steps) {
          if (act === "push") {
            queue.push(block(number));
            model.push(number);
          } else if (act === "shift") {
            expect(queue.shift()?.piece as number | undefined).toBe(model.shift());
          } else if (act === "remove") {
            const at = model.indexOf(number);
            expect(queue.remove(block(number))).toBe(at >= 0);
            if (at >= 0) model.splice(at, 1);
          } else {
            queue.clear();
            model = [];
          }
          expect(queue.length).toBe(model.length);
          expect(queue.peek()?.piece as number | undefined).toBe(model[0]);
        }
      }),
    );
  });

  test("keeps its order over many more blocks than it ever holds", () => {
    const queue = new UploadQueue();
    let next = 0;
    for (let i = 0; i < 5000; i++) {
      queue.push(block(i));
      if (i >= 300) expect(queue.shift()?.piece as number | undefined).toBe(next++);
    }
    expect(queue.length).toBe(300);
    for (; next < 5000; next++) expect(queue.shift()?.piece as number | undefined).toBe(next);
    expect(queue.shift()).toBeUndefined();
  });

  test("keeps its order when it grows and when a request is removed, with the oldest anywhere in the ring", () => {
    for (let served = 0; served <= 40; served++) {
      for (const removed of [served, served + 20, served + 40]) {
        const queue = new UploadQueue();
        for (let i = 0; i < 40; i++) queue.push(block(i));
        for (let i = 0; i < served; i++) queue.shift();
        for (let i = 40; i < 200; i++) queue.push(block(i));
        expect(queue.remove(block(removed))).toBe(true);
        const left = Array.from({ length: 200 }, (_, i) => i).filter((i) => i >= served && i !== removed);
        expect(left.map(() => queue.shift()?.piece as number | undefined)).toEqual(left);
      }
    }
  });

  test("removes a block only when begin and length are the same too", () => {
    const queue = new UploadQueue();
    queue.push({ piece: pieceIndex(1), begin: 16_384, length: 16_384 });
    expect(queue.remove({ piece: pieceIndex(1), begin: 0, length: 16_384 })).toBe(false);
    expect(queue.remove({ piece: pieceIndex(1), begin: 16_384, length: 100 })).toBe(false);
    expect(queue.remove({ piece: pieceIndex(1), begin: 16_384, length: 16_384 })).toBe(true);
  });

  test("a block that was served cannot be removed any more", () => {
    const queue = new UploadQueue();
    queue.push(block(1));
    queue.push(block(2));
    queue.shift();
    expect([queue.remove(block(1)), queue.length]).toEqual([false, 1]);
  });

  test("the full queues of all peers of a seed take 3 MiB and no object for each request", () => {
    const queues = Array.from({ length: MAX_PEERS_SEEDING }, () => new UploadQueue());
    const collected = () => {
      Bun.gc(true);
      const { objectCount, heapSize } = heapStats();
      return { objectCount, heapSize };
    };
    const before = collected();
    for (const queue of queues) for (let i = 0; i < MAX_INBOUND_REQUESTS; i++) queue.push(block(i));
    const after = collected();
    expect(after.objectCount - before.objectCount).toBeLessThan(10 * MAX_PEERS_SEEDING);
    expect(after.heapSize - before.heapSize).toBeLessThan(4 * MiB);
    expect(queues.every(({ length }) => length === MAX_INBOUND_REQUESTS)).toBe(true);
  });
});
