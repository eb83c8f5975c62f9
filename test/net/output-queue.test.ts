import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  MAX_SPARE_OUTPUT_SEGMENTS,
  OUTPUT_SEGMENT_LENGTH,
  SMALL_OUTPUT_SEGMENT_LENGTH,
} from "../../src/net/limits.ts";
import { concatBytes } from "../../src/lib/bytes.ts";
import { OutputQueue } from "../../src/net/output-queue.ts";

/** A socket that takes at most `room` bytes. */
class SlowSocket {
  room = Number.POSITIVE_INFINITY;
  calls = 0;
  readonly taken: Uint8Array[] = [];
  readonly write = (bytes: Uint8Array, start: number, length: number): number => {
    this.calls++;
    const count = Math.min(length, this.room);
    this.taken.push(bytes.slice(start, start + count));
    this.room -= count;
    return count;
  };
}

test("OutputQueue gives every byte to the socket once and in order, however little it takes", () => {
  const step = fc.oneof(
    fc.record({ put: fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 300_000 })) }),
    fc.record({ room: fc.nat({ max: 400_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const queue = new OutputQueue();
      const socket = new SlowSocket();
      const expected: Uint8Array[] = [];
      let mark = 0;
      for (const step of steps) {
        if ("put" in step) {
          queue.reserve(step.put).fill(++mark);
          expected.push(new Uint8Array(step.put).fill(mark));
        } else {
          socket.room = step.room;
          queue.flush(socket.write);
        }
      }
      socket.room = Number.POSITIVE_INFINITY;
      expect(queue.flush(socket.write)).toBe(true);
      const whole = concatBytes(expected);
      expect(Buffer.compare(concatBytes(socket.taken), whole)).toBe(0);
      expect([queue.pendingBytes, queue.totalWritten]).toEqual([0, whole.length]);
    }),
    { numRuns: 60 },
  );
});

test("OutputQueue writes many messages with one call", () => {
  const queue = new OutputQueue();
  const socket = new SlowSocket();
  for (let i = 0; i < 200; i++) queue.reserve(17).fill(i);
  queue.flush(socket.write);
  expect(socket.calls).toBe(1);
  for (let i = 0; i < 15; i++) queue.reserve(16 * 1024 + 13);
  queue.flush(socket.write);
  expect(socket.calls).toBe(2);
});

test("OutputQueue takes a closed socket for one that takes nothing", () => {
  const queue = new OutputQueue();
  queue.reserve(10);
  expect(queue.flush(() => -1)).toBe(false);
  expect([queue.pendingBytes, queue.totalWritten]).toEqual([10, 0]);
});

test("OutputQueue drops everything when closed and swallows what comes later", () => {
  const queue = new OutputQueue();
  queue.reserve(OUTPUT_SEGMENT_LENGTH);
  queue.close();
  expect(queue.reserve(5).length).toBe(5);
  expect(queue.pendingBytes).toBe(0);
  expect(queue.flush(() => 1)).toBe(true);
});

test("OutputQueue never hands recycled memory to two queues", () => {
  const first = new OutputQueue();
  const second = new OutputQueue();
  const socket = new SlowSocket();
  first.reserve(100_000).fill(1);
  first.flush(socket.write);
  const a = first.reserve(100_000).fill(2);
  const b = second.reserve(100_000).fill(3);
  expect([a[0], b[0], a.buffer === b.buffer]).toEqual([2, 3, false]);
});

test("OutputQueue uses the same small memory again for a trickle of messages", () => {
  const queue = new OutputQueue();
  const socket = new SlowSocket();
  const memory = queue.reserve(17).buffer;
  expect(memory.byteLength).toBe(SMALL_OUTPUT_SEGMENT_LENGTH);
  queue.flush(socket.write);
  expect(queue.reserve(17).buffer).toBe(memory);
});

test.each(["flushed", "closed"])("OutputQueue gives back at once what is no spare: %s", (end) => {
  const queues = Array.from({ length: 2 * MAX_SPARE_OUTPUT_SEGMENTS }, () => new OutputQueue());
  const segments = queues.map((queue) => queue.reserve(OUTPUT_SEGMENT_LENGTH));
  for (const queue of queues) {
    if (end === "closed") queue.close();
    else queue.flush(new SlowSocket().write);
  }
  const kept = segments.filter(({ byteLength }) => byteLength > 0);
  expect(kept).toHaveLength(MAX_SPARE_OUTPUT_SEGMENTS);
});
