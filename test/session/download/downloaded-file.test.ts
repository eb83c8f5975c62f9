// A download after its completion: reported, seeded and watched.
import { describe, expect, spyOn, test } from "bun:test";
import { utimesSync, writeFileSync } from "node:fs";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { LAST_REPORT_MS } from "../../../src/core/exchange/limits.ts";
import { SOURCE_CHECK_MS } from "../../../src/session/file/limits.ts";
import { PartFile } from "../../../src/storage/part-file.ts";
import { DownloadFixture, useDownloads } from "../fixtures/download-fixture.ts";
import { CONTENT, METAINFO, PIECE_LENGTH } from "../fixtures/small-torrent.ts";
import { until } from "../../helpers/event-loop.ts";

useDownloads();

describe("a file of which all bytes have arrived", () => {
  test("may take longer than --timeout to reach the disk", async () => {
    const fixture = new DownloadFixture({ timeoutSeconds: 5 });
    const slow = Promise.withResolvers<void>();
    const finish = PartFile.prototype.finish;
    using finishing = spyOn(PartFile.prototype, "finish").mockImplementation(async function (this: PartFile) {
      await slow.promise;
      return await finish.call(this);
    });
    await fixture.trade();
    fixture.deliver();
    await until(() => finishing.mock.calls.length > 0);
    await fixture.session.clock.pass(60_000);
    expect(fixture.session.eventsOf("completed")).toEqual([]);
    slow.resolve();
    expect(await fixture.ended).toBe("done");
    expect(fixture.session.eventsOf("completed")).toHaveLength(1);
    await fixture.end();
  });
});

describe("a download that is closed", () => {
  test("while its file is hashed again keeps the descriptor until the hashing has ended", async () => {
    const fixture = new DownloadFixture({ seeding: true });
    await fixture.complete();
    const hashing = Promise.withResolvers<Uint8Array>();
    let isHashing = false;
    fixture.session.pool.hashRange = () => {
      isHashing = true;
      return hashing.promise;
    };
    utimesSync(fixture.path, 1, 1);
    await fixture.session.clock.pass(SOURCE_CHECK_MS);
    await until(() => isHashing);
    const closed = fixture.download.close();
    await Promise.race([closed, new Promise((resolve) => setImmediate(resolve))]);
    expect(Bun.peek.status(closed)).toBe("pending");
    hashing.resolve(METAINFO.pieces);
    await closed;
    await fixture.end();
  });

  test("takes no block that arrives after that", async () => {
    const fixture = new DownloadFixture();
    await fixture.trade();
    const seed = fixture.deliver(CONTENT, ({ piece }) => piece === 0);
    await until(() => fixture.session.eventsOf("firstPiece").length > 0);
    await fixture.download.close();
    expect(() => fixture.deliverMore(seed)).not.toThrow();
    expect(fixture.session.pool.stored).toHaveLength(1);
    await fixture.end();
  });
});

describe("a file that stands there already", () => {
  test("completes the download, which waits a moment for its last report to be answered", async () => {
    const fixture = new DownloadFixture();
    writeFileSync(fixture.path, CONTENT);
    await fixture.run();
    fixture.swarm.isReported = false;
    fixture.swarm.options.onMetadata(METAINFO.infoBytes);
    await until(() => fixture.session.eventsOf("completed").length > 0);
    expect(fixture.session.eventsOf("completed")).toMatchObject([{ existed: true, path: fixture.path }]);
    expect(fixture.session.eventsOf("hashing")).toMatchObject([{ index: 4, done: CONTENT.length }]);
    await fixture.session.clock.pass(LAST_REPORT_MS / 2);
    expect(Bun.peek.status(fixture.ended)).toBe("pending");
    fixture.swarm.isReported = true;
    await fixture.session.clock.pass(10);
    expect(await fixture.ended).toBe("done");
    await fixture.end();
  });

  test("C12: with other content ends it", async () => {
    const fixture = new DownloadFixture();
    writeFileSync(fixture.path, new Uint8Array(CONTENT.length));
    await fixture.run();
    fixture.swarm.options.onMetadata(METAINFO.infoBytes);
    expect(await fixture.ended).toMatchObject({ exitCode: 4 });
    await fixture.end();
  });
});

describe("--seeding", () => {
  test("goes on until its goal, which is reported with the ratio", async () => {
    const fixture = new DownloadFixture({ seeding: true, seedingSeconds: 10 });
    await fixture.complete();
    fixture.swarm.gossip.isAnyHostNeedy = true;
    const peer = fixture.swarm.join(2, { type: "interested" });
    const block = METAINFO.geometry.block(pieceIndex(0), 0);
    fixture.swarm.receive(peer, { type: "request", block });
    await until(() => peer.blocks.length > 0);
    expect(peer.blocks[0]?.payload).toEqual(CONTENT.slice(0, block.length));
    fixture.swarm.runner?.dispatch({ type: "uploaded", peer: peer.handle, bytes: block.length });
    await fixture.session.clock.pass(9_000);
    expect(Bun.peek.status(fixture.ended)).toBe("pending");
    await fixture.session.clock.pass(1_100);
    expect(await fixture.ended).toBe("done");
    expect(fixture.session.eventsOf("seedingEnded")).toMatchObject([
      { index: 4, name: "model.bin", reason: "time", seconds: 10, uploaded: block.length, ratio: 1 / 3 },
    ]);
    expect(fixture.swarm.calls).toContain("announce completion");
    // The file is watched no more: the timer that is left is that of the progress.
    expect(fixture.session.clock.timerCount).toBe(1);
    await fixture.end();
    expect(fixture.session.clock.timerCount).toBe(0);
  });

  test("stopped, it reports no goal", async () => {
    const fixture = new DownloadFixture({ seeding: true });
    await fixture.complete();
    fixture.session.stop.abort();
    await fixture.session.clock.pass(1000);
    expect(await fixture.ended).toBe("done");
    expect(fixture.session.eventsOf("seedingEnded")).toEqual([]);
    await fixture.end();
  });

  test("stopped while the file is hashed again, it ends the hashing", async () => {
    const fixture = new DownloadFixture({ seeding: true });
    await fixture.complete();
    fixture.session.pool.held = new Promise(() => {});
    utimesSync(fixture.path, 1, 1);
    await fixture.session.clock.pass(SOURCE_CHECK_MS);
    await until(() => fixture.session.pool.latestSignal !== undefined);
    fixture.session.stop.abort();
    await fixture.end();
    expect(fixture.session.pool.latestSignal?.aborted).toBe(true);
  });

  test.each(["fetched", "found"])(
    "C8: other content ends the seeding of a file that was %s, and nothing more is sent",
    async (how) => {
      const fixture = new DownloadFixture({ seeding: true });
      if (how === "found") writeFileSync(fixture.path, CONTENT);
      await (how === "found" ? fixture.trade() : fixture.complete());
      await until(() => fixture.session.eventsOf("completed").length > 0);
      fixture.swarm.gossip.isAnyHostNeedy = true;
      const peer = fixture.swarm.join(2, { type: "interested" });
      const block = METAINFO.geometry.block(pieceIndex(1), 0);
      fixture.change(PIECE_LENGTH + 5);
      const hashing = Promise.withResolvers<void>();
      fixture.session.pool.held = hashing.promise;
      const before = fixture.session.pool.ranges.length;
      await fixture.session.clock.pass(SOURCE_CHECK_MS);
      await until(() => fixture.session.pool.ranges.length > before);
      fixture.swarm.receive(peer, { type: "request", block });
      await until(() => peer.hasHeard("reject"));
      hashing.resolve();
      expect(await fixture.ended).toMatchObject({
        exitCode: 7,
        message: `${fixture.path}: changed while it was being seeded, so its seeding ends; to get the original again, move it away and run the same command`,
      });
      expect([peer.blocks, fixture.swarm.isClosed]).toEqual([[], true]);
      // The goal is not reported later on.
      await fixture.session.clock.pass(120_000);
      expect(fixture.session.eventsOf("seedingEnded")).toEqual([]);
      await fixture.end();
      expect(fixture.session.clock.timerCount).toBe(0);
    },
  );

  test("C8: the same content under a new stamp goes on being seeded", async () => {
    const fixture = new DownloadFixture({ seeding: true });
    await fixture.complete();
    fixture.swarm.gossip.isAnyHostNeedy = true;
    utimesSync(fixture.path, 1, 1);
    await fixture.session.clock.pass(SOURCE_CHECK_MS);
    await until(() => fixture.session.log.length > 0);
    expect(fixture.session.log).toEqual([`info: ${fixture.path}: was touched; its content is the same`]);
    expect(Bun.peek.status(fixture.ended)).toBe("pending");
    await fixture.end();
  });

  test("without it the file is not watched", async () => {
    const fixture = new DownloadFixture();
    await fixture.complete();
    expect(await fixture.ended).toBe("done");
    fixture.change(3);
    await fixture.session.clock.pass(5 * SOURCE_CHECK_MS);
    expect(fixture.session.pool.ranges).toEqual([]);
    await fixture.end();
  });
});
