// One magnet from its info hash to the complete file.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createMetainfo } from "../../../src/core/format/metainfo.ts";
import { assert } from "../../../src/lib/assert.ts";
import { UsageError } from "../../../src/lib/errors.ts";
import { PROGRESS_MS } from "../../../src/session/report/limits.ts";
import { partFileName } from "../../../src/storage/own-files.ts";
import { DownloadFixture, useDownloads } from "../fixtures/download-fixture.ts";
import { CONTENT, METAINFO } from "../fixtures/small-torrent.ts";
import { until } from "../../helpers/event-loop.ts";

useDownloads();

describe("Download.run", () => {
  test("fetches the metadata, then the file, and reports each step with its time", async () => {
    const fixture = new DownloadFixture();
    await fixture.run();
    expect(fixture.download.label).toBe("given");
    const { options, calls } = fixture.swarm;
    expect(options).toMatchObject({
      state: "leeching",
      infoHash: METAINFO.infoHash,
      infoDict: undefined,
      pinned: [
        { address: { host: "10.0.0.1", port: 7 }, source: "magnet" },
        { address: { host: "10.0.0.2", port: 8 }, source: "flag" },
      ],
    });
    expect(calls).toEqual(["tick 0"]);
    await fixture.session.clock.pass(10);
    options.onFirstPeer("magnet");
    await fixture.session.clock.pass(10);
    options.onMetadata(METAINFO.infoBytes);
    await until(() => fixture.swarm.runner !== undefined);
    expect(fixture.download.label).toBe("model.bin");
    await fixture.session.clock.pass(PROGRESS_MS);
    const seed = fixture.deliver();
    expect(await fixture.ended).toBe("done");
    expect(readFileSync(fixture.path)).toEqual(Buffer.from(CONTENT));
    expect(fixture.typesOfEvents).toEqual(["listening", "firstPeer", "metadata", "firstPiece", "completed"]);
    const at = 20 + PROGRESS_MS;
    const moments = { firstPeer: 10, metadata: 20, firstPiece: at, done: at };
    const { infoHash } = METAINFO;
    const common = { index: 4, infoHash, name: "model.bin", size: CONTENT.length };
    expect(fixture.session.eventsOf("firstPeer")).toMatchObject([
      { index: 4, source: "magnet", elapsedMs: 10 },
    ]);
    expect(fixture.session.eventsOf("metadata")).toMatchObject([{ ...common, elapsedMs: 20 }]);
    expect(fixture.session.eventsOf("firstPiece")).toMatchObject([{ index: 4, infoHash, elapsedMs: at }]);
    expect(fixture.session.eventsOf("completed")).toMatchObject([
      { ...common, path: fixture.path, elapsedMs: at, existed: false, moments },
    ]);
    const phases = fixture.session.eventsOf("progress").flatMap(({ transfers }) => transfers[0]?.phase);
    expect(phases).toEqual(["downloading", "seeding"]);
    expect([seed.closedFor, fixture.swarm.isClosed]).toEqual([undefined, true]);
    expect(fixture.swarm.calls.slice(1)).toEqual(["say done"]);
    await fixture.end();
    expect(fixture.session.clock.timerCount).toBe(0);
  });

  test("remembers the metadata, and needs no peer for it the next time", async () => {
    const first = new DownloadFixture();
    await first.complete();
    expect(await first.ended).toBe("done");
    expect(first.session.store.metadata(METAINFO.infoHash)).toEqual(METAINFO.infoBytes);
    await first.download.close();
    const second = new DownloadFixture();
    second.session.store.rememberMetadata(METAINFO.infoHash, METAINFO.infoBytes);
    await second.run();
    await until(() => second.swarm.runner !== undefined);
    expect(second.swarm.options.infoDict).toEqual(METAINFO.infoBytes);
    second.deliver();
    expect(await second.ended).toBe("done");
    await second.end();
    await first.end();
  });

  test("without a port it fails", async () => {
    const fixture = new DownloadFixture();
    fixture.session.startFailure = new UsageError("no port");
    await fixture.run();
    expect(await fixture.ended).toBe(fixture.session.startFailure);
    await fixture.end();
  });

  test.each([
    ["no info dict", new TextEncoder().encode("de"), 7, /cannot be used/],
    [
      "a name that is no name",
      // As a hostile seed makes it: createMetainfo would refuse.
      Buffer.from(
        Buffer.from(METAINFO.infoBytes).toString("latin1").replace("9:model.bin", "9:../../bin"),
        "latin1",
      ),
      4,
      /the file name/,
    ],
  ] as const)("metadata with %s ends it", async (_, infoDict, exitCode, words) => {
    const fixture = new DownloadFixture();
    await fixture.run();
    fixture.swarm.options.onMetadata(infoDict);
    expect(await fixture.ended).toMatchObject({ exitCode, message: expect.stringMatching(words) });
    expect([fixture.swarm.isClosed, fixture.typesOfEvents]).toEqual([true, ["listening"]]);
    await fixture.end();
  });

  test("P8: a disk that fails ends it, and what was verified before is recorded for the next run", async () => {
    const fixture = new DownloadFixture();
    await fixture.trade();
    const seed = fixture.deliver(CONTENT, ({ piece }) => piece === 0);
    await until(() => fixture.session.eventsOf("firstPiece").length > 0);
    fixture.session.pool.failure = Object.assign(new Error("no space"), { code: "ENOSPC" });
    fixture.deliverMore(seed);
    expect(await fixture.ended).toMatchObject({ exitCode: 5 });
    await fixture.download.close();
    expect(existsSync(fixture.path)).toBe(false);
    const part = join(fixture.directory, partFileName("model.bin", METAINFO.infoHash));
    expect([...(fixture.session.store.download(METAINFO.infoHash, part)?.bitfield ?? [])]).toEqual([
      0b1000_0000,
    ]);
    await fixture.end();
  });

  test("a piece that fails its hash is reported to the debug log", async () => {
    const fixture = new DownloadFixture();
    await fixture.trade();
    fixture.deliver(CONTENT.map((byte) => byte ^ 1));
    await until(() => fixture.session.log.length > 0);
    expect(fixture.session.log[0]).toMatch(/^debug: piece \d failed its hash and is fetched again$/);
    await fixture.end();
  });

  test("while the disk is behind no socket is read, and the transfer's clock stands still", async () => {
    const large = createMetainfo("large.bin", 40 << 20, 1 << 20, new Uint8Array(40 * 20));
    const fixture = new DownloadFixture({}, large);
    await fixture.trade(large);
    const stored = Promise.withResolvers<Uint8Array>();
    fixture.session.pool.storePiece = () => stored.promise;
    const dispatched: unknown[] = [];
    const { runner } = fixture.swarm;
    assert(runner !== undefined, "it trades");
    const handle = runner.transfer.handle.bind(runner.transfer);
    runner.transfer.handle = (event, now) => {
      if (event.type === "paused") dispatched.push(event);
      return handle(event, now);
    };
    const seed = fixture.swarm.join(1, { type: "haveAll" }, { type: "unchoke" });
    fixture.swarm.deliver(seed, (block) => large.geometry.offsetOf(block), new Uint8Array(40 << 20));
    expect(fixture.swarm.calls).toContain("paused true");
    expect(dispatched[0]).toEqual({ type: "paused", paused: true });
    stored.resolve(new Uint8Array(20));
    await until(() => fixture.swarm.calls.includes("paused false"));
    expect(dispatched[1]).toEqual({ type: "paused", paused: false });
    await fixture.end();
  });
});

describe("--timeout", () => {
  test("ends a download that gets no metadata", async () => {
    const fixture = new DownloadFixture({ timeoutSeconds: 5 });
    await fixture.run();
    await fixture.session.clock.pass(6000);
    expect(await fixture.ended).toMatchObject({
      exitCode: 6,
      message:
        "given: no metadata arrived for 5 s; check that a seed is up and that its address can be reached",
    });
    expect(fixture.swarm.isClosed).toBe(true);
    await fixture.end();
  });

  for (const [peerCount, who] of [
    [1, "1 peer"],
    [3, "3 peers"],
  ] as const) {
    test(`says of ${who} that none hands out metadata`, async () => {
      const fixture = new DownloadFixture({ timeoutSeconds: 5 });
      await fixture.run();
      fixture.swarm.peerCount = peerCount;
      await fixture.session.clock.pass(6000);
      expect(await fixture.ended).toMatchObject({
        exitCode: 6,
        message: expect.stringContaining(`given: ${who}, none hands out metadata for 5 s;`),
      });
      await fixture.end();
    });
  }

  test("does not end one whose metadata arrives slowly", async () => {
    const fixture = new DownloadFixture({ timeoutSeconds: 5 });
    await fixture.run();
    for (let pieces = 1; pieces <= 10; pieces++) {
      await fixture.session.clock.pass(4000);
      fixture.swarm.metadataReceived = pieces * 16_384;
    }
    expect(fixture.swarm.isClosed).toBe(false);
    await fixture.session.clock.pass(6000);
    expect(await fixture.ended).toMatchObject({ exitCode: 6 });
    await fixture.end();
  });

  test("ends one that gets no byte", async () => {
    const fixture = new DownloadFixture({ timeoutSeconds: 5 });
    await fixture.trade();
    await fixture.session.clock.pass(6000);
    expect(await fixture.ended).toMatchObject({
      exitCode: 6,
      message: expect.stringMatching(/^model\.bin: no byte/),
    });
    // It shows no progress and waits for nothing: what is left are the timers of the session and of the journal.
    const shown = fixture.session.eventsOf("progress").length;
    await fixture.session.clock.pass(5 * PROGRESS_MS);
    expect(fixture.session.eventsOf("progress")).toHaveLength(shown);
    expect(fixture.session.clock.timerCount).toBe(2);
    await fixture.end();
  });

  test("names the pieces that were wrong when they are all that arrived", async () => {
    const fixture = new DownloadFixture({ timeoutSeconds: 5 });
    await fixture.trade();
    fixture.deliver(CONTENT.map((byte) => byte ^ 1));
    await until(() => fixture.session.log.length === 3);
    await fixture.session.clock.pass(6000);
    expect(await fixture.ended).toMatchObject({
      exitCode: 7,
      message: expect.stringContaining("no peer has good data: the last pieces that arrived were wrong (3)"),
    });
    await fixture.end();
  });

  test("does not count while the disk is being checked, nor after the completion", async () => {
    const fixture = new DownloadFixture({ timeoutSeconds: 5, seeding: true, seedingSeconds: 30 });
    writeFileSync(fixture.path, CONTENT);
    const hashing = Promise.withResolvers<void>();
    fixture.session.pool.held = hashing.promise;
    await fixture.run();
    fixture.swarm.options.onMetadata(METAINFO.infoBytes);
    await until(() => fixture.session.pool.ranges.length === 1);
    await fixture.session.clock.pass(20_000);
    hashing.resolve();
    await until(() => fixture.session.eventsOf("completed").length > 0);
    fixture.swarm.gossip.isAnyHostNeedy = true;
    await fixture.session.clock.pass(31_000);
    expect(await fixture.ended).toBe("done");
    await fixture.end();
  });
});
