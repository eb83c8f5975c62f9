import { describe, expect, test } from "bun:test";
import { Geometry } from "../../../src/core/torrent/geometry.ts";
import { BLOCK_LENGTH, MAX_REQUEST_LENGTH } from "../../../src/core/torrent/limits.ts";
import { LIMITED_TICK_MS } from "../../../src/session/network/limits.ts";
import { MiB } from "../../../src/lib/units.ts";
import { EventQueue } from "../../sim/event-queue.ts";
import { aBlock, TransferFixture } from "./transfer-fixture.ts";

const large = new Geometry(1024 * BLOCK_LENGTH, 16 * BLOCK_LENGTH);

describe("a download limit", () => {
  /** Sources of unlimited speed with a delay of 2 ms; ticks come as often as under a limit. */
  function underLimit(limit: number, sources: number): { total: number; each: number[] } {
    const seconds = 10;
    const fixture = new TransferFixture({
      geometry: new Geometry(2 * seconds * limit, 1 * MiB),
      downloadLimit: limit,
    });
    const queue = new EventQueue();
    const peers = Array.from({ length: sources }, () => fixture.join({ has: "all" }));
    const each = peers.map(() => 0);
    const run = (effects: ReturnType<TransferFixture["handle"]>) => {
      for (const effect of effects) {
        if (effect.type !== "send" || effect.message.type !== "request") continue;
        const { peer, message } = effect;
        queue.plan(queue.now + 2, () => {
          fixture.now = queue.now;
          each[peers.indexOf(peer)]! += message.block.length;
          const delivered = fixture.deliver(peer, message.block);
          run([...delivered, ...fixture.hashAll(delivered)]);
        });
      }
    };
    const tick = () => {
      fixture.now = queue.now;
      run(fixture.handle({ type: "ticked" }));
      queue.plan(queue.now + LIMITED_TICK_MS, tick);
    };
    queue.plan(0, () => peers.forEach((peer) => run(fixture.receive(peer, { type: "unchoke" }))));
    queue.plan(LIMITED_TICK_MS, tick);
    while (queue.now < seconds * 1000) queue.step();
    return { total: each.reduce((sum, bytes) => sum + bytes, 0) / (seconds * limit), each };
  }

  test.each([0.5, 4, 50])(
    "of %d MiB/s holds within 5 %% over ten seconds, with one source and with five",
    (limit) => {
      for (const sources of [1, 5]) expect(underLimit(limit * MiB, sources).total).toBeWithin(0.95, 1.05);
    },
  );

  test.each([0.5, 4, 50])("of %d MiB/s is shared equally by all sources", (limit) => {
    const { each } = underLimit(limit * MiB, 5);
    const fair = each.reduce((sum, bytes) => sum + bytes, 0) / each.length;
    for (const bytes of each) expect(bytes / fair).toBeWithin(0.8, 1.2);
  });
});

describe("an upload limit", () => {
  /** Leechers of unlimited speed; each keeps as many requests queued as `windows` says, of `length` bytes. */
  function underLimit(limit: number, windows: readonly number[], length: number | number[] = BLOCK_LENGTH) {
    const seconds = 10;
    const fixture = new TransferFixture({ geometry: large, have: "all", uploadLimit: limit });
    const queue = new EventQueue();
    const peers = windows.map(() => fixture.join({ interested: true }));
    const each = peers.map(() => 0);
    let onTheWire = 0;
    const lengths = windows.map((_, at) => (typeof length === "number" ? length : length[at]!));
    const requests = lengths.map((length) => ({ ...aBlock(0, 0), length }));
    const run = (effects: ReturnType<TransferFixture["handle"]>) => {
      for (const effect of effects) {
        if (effect.type !== "serveBlock") continue;
        const { peer } = effect;
        const at = peers.indexOf(peer);
        const bytes = lengths[at]!;
        onTheWire += bytes + 13;
        each[at]! += bytes;
        queue.plan(queue.now + 1, () => {
          fixture.now = queue.now;
          run(fixture.handle({ type: "uploaded", peer, bytes }));
          run(fixture.receive(peer, { type: "request", block: requests[at]! }));
        });
      }
    };
    const tick = () => {
      fixture.now = queue.now;
      run(fixture.handle({ type: "ticked" }));
      queue.plan(queue.now + LIMITED_TICK_MS, tick);
    };
    peers.forEach((peer, at) => {
      for (let i = 0; i < windows[at]!; i++)
        run(fixture.receive(peer, { type: "request", block: requests[at]! }));
    });
    queue.plan(LIMITED_TICK_MS, tick);
    while (queue.now < seconds * 1000) queue.step();
    return { total: onTheWire / (seconds * limit), each };
  }

  test.each([0.5, 4, 50])(
    "of %d MiB/s holds within 5 %% over ten seconds, with one peer and with five",
    (limit) => {
      for (const windows of [[64], [64, 64, 64, 64, 64]]) {
        expect(underLimit(limit * MiB, windows).total).toBeWithin(0.95, 1.05);
      }
    },
  );

  test.each([0.5, 4, 50])(
    "of %d MiB/s is shared equally by peers that request runs and single blocks",
    (limit) => {
      const lengths = [MAX_REQUEST_LENGTH, BLOCK_LENGTH, 3 * BLOCK_LENGTH, BLOCK_LENGTH, MAX_REQUEST_LENGTH];
      const { each, total } = underLimit(limit * MiB, [16, 64, 16, 200, 16], lengths);
      const fair = each.reduce((sum, bytes) => sum + bytes, 0) / each.length;
      for (const bytes of each) expect(bytes / fair).toBeWithin(0.8, 1.2);
      expect(total).toBeWithin(0.95, 1.06);
    },
  );

  test("is used in full by a single peer that requests runs", () => {
    expect(underLimit(4 * MiB, [16], MAX_REQUEST_LENGTH).total).toBeWithin(0.95, 1.06);
  });

  test("holds with the largest requests too, though one exceeds the burst", () => {
    expect(underLimit(0.5 * MiB, [8, 8], MAX_REQUEST_LENGTH).total).toBeWithin(0.9, 1.1);
  });

  test.each([0.5, 4, 50])("of %d MiB/s is shared equally by peers with many and few requests", (limit) => {
    const { each } = underLimit(limit * MiB, [64, 64, 200, 500, 64]);
    const fair = each.reduce((sum, bytes) => sum + bytes, 0) / each.length;
    for (const bytes of each) expect(bytes / fair).toBeWithin(0.95, 1.05);
  });
});
