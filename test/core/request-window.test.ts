import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Geometry } from "../../src/core/geometry.ts";
import { pieceIndex } from "../../src/core/ids.ts";
import {
  BLOCK_LENGTH,
  FOREIGN_TARGET_DELAY_MS,
  MAX_REQUEST_WINDOW,
  MIN_REQUEST_WINDOW,
} from "../../src/core/limits.ts";
import type { Block } from "../../src/core/peer-message.ts";
import { blockKey, RequestWindow } from "../../src/core/request-window.ts";
import { MiB } from "../../src/lib/units.ts";
import { EventQueue } from "../sim/event-queue.ts";

const block = (number: number): Block => ({ piece: pieceIndex(number), begin: 0, length: BLOCK_LENGTH });

/** A peer that answers in order over a link; the window is kept full. @returns waiting requests and delays over time. */
function overLink(bytesPerSecond: number, roundTripMs: number, milliseconds: number, targetMs?: number) {
  const window = new RequestWindow();
  if (targetMs !== undefined) window.aimAt(targetMs);
  const queue = new EventQueue();
  const delays: { at: number; delay: number }[] = [];
  let linkFreeAt = 0;
  let next = 0;
  const fill = () => {
    while (window.room > 0) {
      const key = next++;
      const askedAt = queue.now;
      window.sent(key, block(key), askedAt);
      linkFreeAt = Math.max(linkFreeAt, askedAt + roundTripMs) + (BLOCK_LENGTH / bytesPerSecond) * 1000;
      queue.plan(linkFreeAt, (now) => {
        window.arrived(key, now);
        delays.push({ at: now, delay: now - askedAt });
        fill();
      });
    }
  };
  fill();
  while (queue.now < milliseconds) queue.step();
  const later = delays.filter(({ at }) => at > milliseconds / 2).map(({ delay }) => delay);
  const received = delays.length * BLOCK_LENGTH;
  return {
    waiting: window.outstandingCount,
    delay: later.reduce((sum, delay) => sum + delay, 0) / later.length,
    rate: (received / milliseconds) * 1000,
  };
}

describe("RequestWindow", () => {
  test("starts with 512 KiB of requests", () => {
    expect(new RequestWindow().room * BLOCK_LENGTH).toBe(512 * 1024);
  });

  test("grows to its maximum on a fast link within some round trips", () => {
    expect(overLink(1000 * MiB, 1, 100).waiting).toBe(MAX_REQUEST_WINDOW);
    expect(overLink(1000 * MiB, 20, 300).waiting).toBe(MAX_REQUEST_WINDOW);
  });

  test.each([
    [1 * MiB, 1],
    [4 * MiB, 1],
    [4 * MiB, 50],
    [10 * MiB, 10],
    [20 * MiB, 100],
  ])("settles near 300 ms of delay on a link of %d B/s and %d ms", (rate, roundTripMs) => {
    const { delay, rate: reached } = overLink(rate, roundTripMs, 30_000);
    expect(delay).toBeWithin(260, 340);
    expect(reached / rate).toBeWithin(0.98, 1.01);
  });

  test("settles near another delay when it is told to", () => {
    const { delay } = overLink(4 * MiB, 1, 30_000, FOREIGN_TARGET_DELAY_MS);
    expect(delay / FOREIGN_TARGET_DELAY_MS).toBeWithin(0.9, 1.1);
  });

  test("keeps eight requests waiting on the slowest link, so that it never runs dry", () => {
    const { waiting, rate } = overLink(20 * 1024, 1, 120_000);
    expect(waiting).toBe(MIN_REQUEST_WINDOW);
    expect(rate / (20 * 1024)).toBeGreaterThan(0.95);
  });

  test("never offers more room than the peer's own bound", () => {
    const window = new RequestWindow();
    window.limitTo(5);
    expect(window.room).toBe(5);
    window.sent(1, block(1), 0);
    expect(window.room).toBe(4);
    window.limitTo(0);
    expect(window.room).toBe(0);
    window.forget(1);
    expect(window.room).toBe(1);
    window.limitTo(1e9);
    expect(window.room).toBe(32);
  });

  test("behaves as a list of requests after any steps, with its size between its bounds", () => {
    const step = fc.record({
      act: fc.constantFrom("sent", "sent", "arrived", "forget", "drain", "collapse"),
      key: fc.nat(10),
      pause: fc.nat(500),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: "max" }), (steps) => {
        const window = new RequestWindow();
        let model: { key: number; at: number }[] = [];
        let now = 0;
        for (const { act, key, pause } of steps) {
          now += pause;
          const known = model.some((request) => request.key === key);
          const without = model.filter((request) => request.key !== key);
          if (act === "sent" && !known) {
            window.sent(key, block(key), now);
            model.push({ key, at: now });
          } else if (act === "arrived" || act === "forget") {
            expect(act === "arrived" ? window.arrived(key, now) : window.forget(key)).toBe(known);
            model = without;
          } else if (act === "drain") {
            expect(window.drain().map(({ piece }) => Number(piece))).toEqual(
              model.map((request) => request.key),
            );
            model = [];
          } else if (act === "collapse") window.collapse();
          expect(window.outstandingCount).toBe(model.length);
          expect(window.oldestSentAt()).toBe(model[0]?.at);
          expect(window.room + model.length).toBeWithin(MIN_REQUEST_WINDOW, MAX_REQUEST_WINDOW + 1);
        }
      }),
    );
  });

  test("after a stall it asks for little, and grows again", () => {
    const window = new RequestWindow();
    window.collapse();
    expect(window.room).toBe(MIN_REQUEST_WINDOW);
    for (let key = 0; key < 20; key++) {
      window.sent(key, block(key), key);
      window.arrived(key, key + 1);
    }
    expect(window.room).toBeGreaterThan(MIN_REQUEST_WINDOW + 15);
  });

  test("follows the time from request to arrival", () => {
    const window = new RequestWindow();
    for (let key = 0; key < 100; key++) {
      window.sent(key, block(key), key * 100);
      window.arrived(key, key * 100 + 40);
    }
    expect(window.delayMs).toBeCloseTo(40, 0);
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
