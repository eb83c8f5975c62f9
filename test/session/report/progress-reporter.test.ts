import { describe, expect, test } from "bun:test";
import { PROGRESS_MS } from "../../../src/session/report/limits.ts";
import { ProgressReporter } from "../../../src/session/report/progress-reporter.ts";
import type { SessionEvent, TransferSnapshot } from "../../../src/session/report/session-event.ts";
import { infoHashOf } from "../../../src/core/torrent/ids.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

function snapshot(index: number, completed: number): TransferSnapshot {
  return {
    index,
    name: "model.bin",
    infoHash: infoHashOf(new Uint8Array(20)),
    phase: "downloading",
    size: 100,
    completed,
    downloadRate: 0,
    uploadRate: 0,
    downloaded: 0,
    uploaded: 0,
    peers: 0,
    seeds: 0,
    peersBySource: { magnet: 0, flag: 0, dht: 0, incoming: 0, pex: 0, exchange: 0 },
    hosts: 0,
    hostsDone: 0,
    etaSeconds: 0,
  };
}

describe("ProgressReporter", () => {
  test("emits one snapshot of all torrents at a time, as often as a screen can be read", async () => {
    const clock = new VirtualClock();
    const events: SessionEvent[] = [];
    const reporter = new ProgressReporter((event) => events.push(event), clock);
    reporter.add((now) => snapshot(0, now));
    reporter.add(() => undefined);
    reporter.add((now) => snapshot(2, now));
    await clock.pass(PROGRESS_MS - 1);
    expect(events).toEqual([]);
    await clock.pass(PROGRESS_MS + 1);
    expect(events).toEqual(
      [PROGRESS_MS, 2 * PROGRESS_MS].map((now) => ({
        type: "progress",
        transfers: [snapshot(0, now), snapshot(2, now)],
      })),
    );
  });

  test("emits nothing while there is nothing to show, and nothing of what was taken out", async () => {
    const clock = new VirtualClock();
    const events: SessionEvent[] = [];
    const reporter = new ProgressReporter((event) => events.push(event), clock);
    reporter.add(() => undefined);
    const remove = reporter.add((now) => snapshot(0, now));
    remove();
    await clock.pass(10 * PROGRESS_MS);
    expect(events).toEqual([]);
  });

  test("emits at once when it is told to, and no more by itself once it was stopped", async () => {
    const clock = new VirtualClock();
    const events: SessionEvent[] = [];
    const reporter = new ProgressReporter((event) => events.push(event), clock);
    reporter.stop();
    reporter.add((now) => snapshot(0, now));
    reporter.report();
    reporter.stop();
    await clock.pass(10 * PROGRESS_MS);
    expect([events.length, clock.timerCount]).toEqual([1, 0]);
  });
});
