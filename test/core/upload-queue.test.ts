import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { pieceIndex } from "../../src/core/ids.ts";
import type { Block } from "../../src/core/peer-message.ts";
import { UploadQueue } from "../../src/core/upload-queue.ts";

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
            expect(queue.clear().map(({ piece }) => Number(piece))).toEqual(model);
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
    expect([queue.length, queue.clear().length, queue.length]).toEqual([300, 300, 0]);
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
});
