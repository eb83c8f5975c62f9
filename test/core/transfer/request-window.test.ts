import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import {
  OTHER_CLIENT_TARGET_DELAY_MS,
  MAX_REQUEST_WINDOW,
  MIN_REQUEST_WINDOW_OF_LONG_PIECES,
} from "../../../src/core/transfer/limits.ts";
import type { Block } from "../../../src/core/torrent/peer-message.ts";
import { blockKey, leastWindow, RequestWindow } from "../../../src/core/transfer/request-window.ts";
import { MiB } from "../../../src/lib/units.ts";
import { EventQueue } from "../../sim/event-queue.ts";

const block = (number: number, count = 1): Block => ({
  piece: pieceIndex(number),
  begin: 0,
  length: count * BLOCK_LENGTH,
});
const LEAST = MIN_REQUEST_WINDOW_OF_LONG_PIECES;
const MAX_RUN = MAX_REQUEST_LENGTH / BLOCK_LENGTH;

interface LinkOptions {
  readonly targetMs?: number;
  /** Bytes of the longest request. */
  readonly requestLength?: number;
}

/** A peer that answers in order over a link; the window is kept full. @returns blocks outstanding, delay and rate. */
function overLink(
  bytesPerSecond: number,
  roundTripMs: number,
  milliseconds: number,
  options: LinkOptions = {},
) {
  const { targetMs, requestLength } = options;
  const window = new RequestWindow(LEAST);
  if (targetMs !== undefined) window.setTargetDelay(targetMs);
  if (requestLength !== undefined) window.allowRuns(requestLength);
  const queue = new EventQueue();
  const delays: { at: number; delay: number }[] = [];
  let linkFreeAt = 0;
  let next = 0;
  const fill = () => {
    while (window.room >= window.runLength) {
      const key = next;
      const count = window.runLength;
      next += count;
      const sentAt = queue.now;
      window.sent(key, block(key, count), sentAt);
      const transmission = ((count * BLOCK_LENGTH) / bytesPerSecond) * 1000;
      linkFreeAt = Math.max(linkFreeAt, sentAt + roundTripMs) + transmission;
      queue.plan(linkFreeAt, (now) => {
        window.arrived(key, now);
        for (let i = 0; i < count; i++) delays.push({ at: now, delay: now - sentAt });
        fill();
      });
    }
  };
  fill();
  while (queue.now < milliseconds) queue.step();
  const later = delays.filter(({ at }) => at > milliseconds / 2).map(({ delay }) => delay);
  const received = delays.length * BLOCK_LENGTH;
  return {
    outstanding: window.outstandingCount,
    run: window.runLength,
    delay: later.reduce((sum, delay) => sum + delay, 0) / later.length,
    rate: (received / milliseconds) * 1000,
  };
}

/** Requests one block after another; each arrives after `delayMs`, and then the next one is requested. */
function exchange(window: RequestWindow, blocks: number, delayMs: number): void {
  for (let key = 0; key < blocks; key++) {
    window.sent(key, block(key), key * delayMs);
    window.arrived(key, (key + 1) * delayMs);
  }
}

describe("RequestWindow", () => {
  test("starts with 512 KiB of requests", () => {
    expect(new RequestWindow(LEAST).room * BLOCK_LENGTH).toBe(512 * 1024);
  });

  test("starts with half of that beside other peers, and keeps a size that it has grown to", () => {
    const window = new RequestWindow(LEAST);
    window.startSmall();
    expect(window.room).toBe(LEAST);
    exchange(window, 4, 1);
    const grown = window.room;
    expect(grown).toBeGreaterThan(LEAST);
    window.startSmall();
    expect(window.room).toBe(grown);
  });

  test("grows to its maximum on a fast link within some round trips", () => {
    expect(overLink(1000 * MiB, 1, 100).outstanding).toBe(MAX_REQUEST_WINDOW);
    expect(overLink(1000 * MiB, 20, 300).outstanding).toBe(MAX_REQUEST_WINDOW);
  });

  test.each([
    [4 * MiB, 1],
    [10 * MiB, 1],
    [10 * MiB, 20],
    [40 * MiB, 10],
  ])("settles near 80 ms of delay on a link of %d B/s and %d ms", (rate, roundTripMs) => {
    const { delay, rate: reached } = overLink(rate, roundTripMs, 30_000);
    expect(delay).toBeWithin(65, 95);
    expect(reached / rate).toBeWithin(0.98, 1.01);
  });

  test.each([
    [4 * MiB, 100],
    [20 * MiB, 100],
    [10 * MiB, 300],
    [10 * MiB, 450],
  ])(
    "fills a link of %d B/s on a long path of %d ms, and queues a quarter of it at most",
    (rate, roundTripMs) => {
      for (const requestLength of [BLOCK_LENGTH, MAX_REQUEST_LENGTH]) {
        const { delay, rate: reached } = overLink(rate, roundTripMs, 60_000, { requestLength });
        const leastMs = roundTripMs + (requestLength / rate) * 1000;
        expect(delay).toBeWithin(roundTripMs, 1.35 * leastMs);
        // The first second or two are growth.
        expect(reached / rate).toBeWithin(0.9, 1.01);
      }
    },
  );

  test("counts no path as longer than a second", () => {
    const { delay } = overLink(1 * MiB, 1_200, 60_000);
    expect(delay).toBeWithin(1_200, 1_300);
  });

  test("settles near another target delay", () => {
    const { delay } = overLink(4 * MiB, 1, 30_000, { targetMs: OTHER_CLIENT_TARGET_DELAY_MS });
    expect(delay / OTHER_CLIENT_TARGET_DELAY_MS).toBeWithin(0.9, 1.1);
  });

  test("keeps sixteen blocks outstanding on the slowest link, so that it never runs dry", () => {
    const { outstanding, rate } = overLink(20 * 1024, 1, 120_000);
    expect(outstanding).toBe(LEAST);
    expect(rate / (20 * 1024)).toBeGreaterThan(0.95);
  });

  test.each([
    [4 * MiB, 1, 4],
    [8 * MiB, 1, MAX_RUN],
    [20 * MiB, 10, MAX_RUN],
  ])(
    "settles near 80 ms on a link of %d B/s and %d ms with runs too, of %d blocks",
    (rate, roundTripMs, most) => {
      const {
        delay,
        rate: reached,
        run,
      } = overLink(rate, roundTripMs, 30_000, { requestLength: MAX_REQUEST_LENGTH });
      expect(delay).toBeWithin(60, 95);
      expect(reached / rate).toBeWithin(0.98, 1.01);
      expect(run).toBeWithin(most, most + 2);
    },
  );

  test("grows as fast with runs as with single blocks", () => {
    const link = (requestLength: number) => overLink(1000 * MiB, 1, 20, { requestLength }).outstanding;
    expect(link(MAX_REQUEST_LENGTH) / link(BLOCK_LENGTH)).toBeWithin(0.9, 1.1);
  });

  test("has single blocks as requests until the peer answers runs, and never longer runs than it answers", () => {
    expect(new RequestWindow(LEAST).runLength).toBe(1);
    expect(overLink(1000 * MiB, 1, 100).run).toBe(1);
    for (let run = 1; run <= MAX_RUN; run++) {
      expect(overLink(1000 * MiB, 1, 100, { requestLength: run * BLOCK_LENGTH }).run).toBe(run);
    }
    expect(overLink(1000 * MiB, 1, 100, { requestLength: 100 * MAX_REQUEST_LENGTH }).run).toBe(MAX_RUN);
    expect(overLink(1000 * MiB, 1, 100, { requestLength: 0 }).run).toBe(1);
  });

  test("on a slow link has runs of a quarter of the least window, even if the peer answers longer ones", () => {
    expect(overLink(20 * 1024, 1, 120_000, { requestLength: MAX_REQUEST_LENGTH }).run).toBe(4);
  });

  test("a run always has room in an empty window", () => {
    for (let limit = 1; limit <= MAX_REQUEST_WINDOW; limit++) {
      const window = new RequestWindow(LEAST);
      window.allowRuns(MAX_REQUEST_LENGTH);
      window.limitTo(limit);
      expect(window.runLength).toBeLessThanOrEqual(window.room);
    }
  });

  test("finds the requests that share a block with a run", () => {
    const window = new RequestWindow(LEAST);
    window.sent(10, block(10, 8), 0);
    window.sent(18, block(18, 1), 0);
    window.sent(20, block(20, 3), 0);
    const found = (key: number, count: number) =>
      window.overlapping(key, count).map(({ piece }) => Number(piece));
    expect([found(9, 1), found(10, 1), found(17, 1), found(18, 1), found(19, 1)]).toEqual([
      [],
      [10],
      [10],
      [18],
      [],
    ]);
    expect([found(17, 8), found(0, 10), found(22, 8), found(23, 8)]).toEqual([[10, 18, 20], [], [20], []]);
  });

  test("never has more room than the peer's own limit", () => {
    const window = new RequestWindow(LEAST);
    window.limitTo(5);
    expect(window.room).toBe(5);
    window.sent(1, block(1), 0);
    expect(window.room).toBe(4);
    window.limitTo(0);
    expect(window.room).toBe(0);
    window.forget(1, BLOCK_LENGTH);
    expect(window.room).toBe(1);
    window.limitTo(1e9);
    expect(window.room).toBe(32);
  });

  test("behaves as a list of requests after any steps, with its size within its limits", () => {
    const step = fc.record({
      act: fc.constantFrom("sent", "sent", "arrived", "forget", "drain", "collapse"),
      key: fc.nat(10),
      count: fc.integer({ min: 1, max: MAX_RUN }),
      pause: fc.nat(500),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: "max" }), (steps) => {
        const window = new RequestWindow(LEAST);
        let model: { key: number; count: number; at: number }[] = [];
        let now = 0;
        for (const { act, key, count, pause } of steps) {
          now += pause;
          const known = model.find((request) => request.key === key);
          const without = model.filter((request) => request.key !== key);
          const asked = known === undefined ? undefined : block(key, known.count);
          expect(window.request(key)).toEqual(asked);
          if (act === "sent" && known === undefined) {
            window.sent(key, block(key, count), now);
            model.push({ key, count, at: now });
          } else if (act === "arrived") {
            expect(window.arrived(key, now)).toEqual(asked);
            model = without;
          } else if (act === "forget") {
            expect(window.forget(key, count * BLOCK_LENGTH)).toBe(known?.count === count);
            if (known?.count === count) model = without;
          } else if (act === "drain") {
            expect(window.drain().map(({ piece }) => Number(piece))).toEqual(
              model.map((request) => request.key),
            );
            model = [];
          } else if (act === "collapse") window.collapse();
          const blocks = model.reduce((sum, request) => sum + request.count, 0);
          expect(window.outstandingCount).toBe(blocks);
          expect(window.oldestSentAt()).toBe(model[0]?.at);
          if (window.room > 0) expect(window.room + blocks).toBeWithin(LEAST, MAX_REQUEST_WINDOW + 1);
        }
      }),
    );
  });

  test("collapses to the least window and grows again", () => {
    const window = new RequestWindow(LEAST);
    window.collapse();
    expect(window.room).toBe(LEAST);
    exchange(window, 20, 1);
    expect(window.room).toBeGreaterThan(LEAST + 15);
  });

  test("follows the time from request to arrival", () => {
    const window = new RequestWindow(LEAST);
    exchange(window, 100, 40);
    expect(window.delayMs).toBeCloseTo(40, 0);
  });
});

describe("leastWindow", () => {
  test("is one piece, and between 8 and 16 blocks", () => {
    const lengths = [BLOCK_LENGTH, 4 * BLOCK_LENGTH, 8 * BLOCK_LENGTH, 11 * BLOCK_LENGTH, MiB / 4, 16 * MiB];
    expect(lengths.map(leastWindow)).toEqual([8, 8, 8, 11, 16, 16]);
  });

  test("is the lower bound of a window that shrinks, collapses or starts small", () => {
    for (const least of [8, 16]) {
      const window = new RequestWindow(least);
      exchange(window, 100, 5000);
      expect(window.room).toBe(least);
      exchange(window, 20, 1);
      expect(window.room).toBeGreaterThan(least);
      window.collapse();
      expect(window.room).toBe(least);
      const fresh = new RequestWindow(least);
      fresh.startSmall();
      expect(fresh.room).toBe(least);
    }
  });
});

describe("blockKey", () => {
  test("numbers the blocks of a file one after another, across pieces of any accepted length", () => {
    for (const pieceLength of [BLOCK_LENGTH, 3 * BLOCK_LENGTH, 16 * BLOCK_LENGTH]) {
      const geometry = new Geometry(20.5 * BLOCK_LENGTH, pieceLength);
      const keys: number[] = [];
      for (let piece = 0; piece < geometry.pieceCount; piece++) {
        for (let i = 0; i < geometry.blockCount(pieceIndex(piece)); i++) {
          keys.push(blockKey(geometry.block(pieceIndex(piece), i), pieceLength));
        }
      }
      expect(keys).toEqual(Array.from({ length: 21 }, (_, i) => i));
    }
  });
});
