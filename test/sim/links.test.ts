import { describe, expect, test } from "bun:test";
import { Geometry } from "../../src/core/torrent/geometry.ts";
import { pieceIndex } from "../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../src/core/torrent/limits.ts";
import { MiB } from "../../src/lib/units.ts";
import { EventQueue } from "./event-queue.ts";
import { Swarm } from "./swarm.ts";

const LENGTH = 16 * MiB;
const geometry = new Geometry(LENGTH, LENGTH);
const alone = (rate: number) => (LENGTH / rate) * 1000;

/** One machine writes 16 MiB to each of the others at once. @returns when each has them, in milliseconds. */
function times(up: number, downs: readonly number[], delayMs = 0): number[] {
  const swarm = new Swarm({ geometry, randomSeed: 1 });
  const later = { startAt: Number.POSITIVE_INFINITY, delayMs };
  const sender = swarm.add({ isSeed: true, up, down: up, ...later });
  const receivers = downs.map((down) => swarm.add({ up: down, down, ...later }));
  for (const receiver of receivers) swarm.connect(sender, receiver);
  for (let begin = 0; begin < LENGTH; begin += BLOCK_LENGTH) {
    for (const stream of sender.streams.values()) {
      stream.writeBlock({ piece: pieceIndex(0), begin, length: BLOCK_LENGTH });
    }
  }
  const doneAt = receivers.map(() => Number.NaN);
  while (swarm.queue.step()) {
    for (const [i, receiver] of receivers.entries()) {
      if (Number.isNaN(doneAt[i]) && receiver.receivedBytes === LENGTH) doneAt[i] = swarm.queue.now;
    }
  }
  return doneAt;
}

describe("a simulated link", () => {
  test("moves bytes at the rate of its slower half", () => {
    expect(times(10e6, [40e6])[0]! / alone(10e6)).toBeWithin(1, 1.01);
    expect(times(40e6, [10e6])[0]! / alone(10e6)).toBeWithin(1, 1.01);
  });

  test("is shared evenly by busy connections", () => {
    for (const took of times(40e6, [40e6, 40e6, 40e6, 40e6]))
      expect(took / alone(10e6)).toBeWithin(0.99, 1.01);
  });

  test("is not held up by a receiver that is slower than its share", () => {
    const [slow, fast] = times(40e6, [4e6, 80e6]);
    expect(fast! / alone(36e6)).toBeWithin(0.95, 1.05);
    expect(slow! / alone(4e6)).toBeWithin(1, 1.01);
  });

  test("delays a transfer once, not each block", () => {
    const [near] = times(10e6, [10e6]);
    const [far] = times(10e6, [10e6], 20);
    expect(far! - near!).toBeWithin(39.9, 40.1);
  });
});

describe("the virtual clock", () => {
  test("runs events in the order of their time, and at the same time in the order of planning", () => {
    const queue = new EventQueue();
    const done: string[] = [];
    queue.after(5, { happen: () => done.push("line 5") });
    queue.plan(5, () => done.push("heap 5"));
    queue.plan(1, (now) => done.push(`heap ${now}`));
    queue.after(5, { happen: () => done.push("line 5 again") });
    queue.after(2, { happen: () => done.push("line 2") });
    while (queue.step());
    expect(done).toEqual(["heap 1", "line 2", "line 5", "heap 5", "line 5 again"]);
  });
});
