// One served file with a network, workers and a clock that are fakes; the file is a real one.
import { afterAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseMagnet, type Magnet } from "../../../src/core/format/magnet.ts";
import { pieceIndex } from "../../../src/core/torrent/ids.ts";
import { BLOCK_LENGTH } from "../../../src/core/torrent/limits.ts";
import { assert } from "../../../src/lib/assert.ts";
import { UsageError } from "../../../src/lib/errors.ts";
import { SOURCE_CHECK_MS } from "../../../src/session/file/limits.ts";
import type { NodeOptions } from "../../../src/session/options.ts";
import { PROGRESS_MS } from "../../../src/session/report/limits.ts";
import { ServedFile } from "../../../src/session/serve/served-file.ts";
import { MAX_READ_SPANS } from "../../../src/storage/limits.ts";
import type { FakePeer } from "../fixtures/fake-network.ts";
import { FakeSession, NODE_OPTIONS } from "../fixtures/fake-resources.ts";
import { until } from "../../helpers/event-loop.ts";

const root = mkdtempSync(join(tmpdir(), "p2pfile-served-"));
afterAll(() => rmSync(root, { recursive: true }));

const CONTENT = crypto.getRandomValues(new Uint8Array(5 * BLOCK_LENGTH));
const BLOCK = { piece: pieceIndex(0), begin: BLOCK_LENGTH, length: BLOCK_LENGTH };

class Fixture {
  readonly directory = mkdtempSync(join(root, "case-"));
  readonly session = new FakeSession(this.directory);
  readonly path = join(this.directory, "model.bin");

  constructor() {
    writeFileSync(this.path, CONTENT);
  }

  start(magnet?: Magnet, options: NodeOptions = NODE_OPTIONS): Promise<ServedFile> {
    const resources = this.session.resources(options);
    return ServedFile.start({ index: 0, given: "model.bin", magnet, hostsPerAddress: 1, resources });
  }

  get swarm() {
    const [swarm] = this.session.node.swarms;
    assert(swarm !== undefined, "no swarm was joined");
    return swarm;
  }

  /** A peer that wants data asks for a block. */
  ask(peer = this.swarm.join(1, { type: "interested" })): FakePeer {
    this.swarm.receive(peer, { type: "request", block: BLOCK });
    return peer;
  }

  /** Descriptors that are open on the file. */
  get openCount(): number {
    return readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === this.path;
      } catch {
        return false;
      }
    }).length;
  }
}

function magnetOf(infoHash: string, ...peers: readonly string[]): Magnet {
  const magnet = parseMagnet(
    `magnet:?xt=urn:btih:${infoHash}${peers.map((peer) => `&x.pe=${peer}`).join("")}`,
  );
  assert(!("error" in magnet), "not a magnet");
  return magnet;
}

describe("ServedFile.start", () => {
  test("hashes the file, joins its swarm as a source, and emits the magnet", async () => {
    const { session, path } = new Fixture();
    const file = await ServedFile.start({
      index: 3,
      given: "model.bin",
      magnet: undefined,
      hostsPerAddress: 1,
      resources: session.resources({ ...NODE_OPTIONS, peers: [{ host: "10.0.0.1", port: 7 }] }),
    });
    const [serving] = session.eventsOf("serving");
    const [swarm] = session.node.swarms;
    assert(serving !== undefined && swarm !== undefined, "it is served");
    const { infoHash } = serving;
    expect(serving).toEqual({
      type: "serving",
      index: 3,
      name: "model.bin",
      path,
      size: CONTENT.length,
      infoHash,
      magnet: `magnet:?xt=urn:btih:${infoHash}&dn=model.bin&x.pe=127.0.0.1:42070&x.pe=10.0.0.1:7`,
      cached: false,
    });
    expect(session.eventsOf("hashing")).toMatchObject([
      { index: 3, done: CONTENT.length, size: CONTENT.length },
    ]);
    expect(swarm.options).toMatchObject({
      infoHash,
      state: "source",
      pinned: [{ address: { host: "10.0.0.1", port: 7 }, source: "flag" }],
    });
    expect(swarm.runner?.transfer.isComplete).toBe(true);
    await file.close();
  });

  test("a second time the state store answers", async () => {
    const fixture = new Fixture();
    await (await fixture.start()).close();
    await (await fixture.start()).close();
    expect(fixture.session.eventsOf("serving").map(({ cached }) => cached)).toEqual([false, true]);
    expect(fixture.session.pool.ranges).toEqual([CONTENT.length]);
  });

  test("keeps the port of the last run, and warns when it is on another one", async () => {
    const fixture = new Fixture();
    await (await fixture.start()).close();
    const [serving] = fixture.session.eventsOf("serving");
    assert(serving !== undefined, "it was served");
    expect(fixture.session.store.portOf(serving.infoHash)).toBe(42_070);
    fixture.session.store.rememberPort(serving.infoHash, 42_099);
    await (await fixture.start()).close();
    expect(fixture.session.node.start?.keptPort).toBe(42_099);
    expect(fixture.session.log).toEqual([
      "warn: model.bin was served on port 42099 before and is now on 42070: old magnets do not lead here; serve it alone to keep its port",
    ]);
    fixture.session.store.rememberPort(serving.infoHash, 42_099);
    await (await fixture.start(undefined, { ...NODE_OPTIONS, port: 42_070 })).close();
    expect(fixture.session.log).toHaveLength(1);
  });

  test("under --magnet it takes the port from it and dials its other seeds", async () => {
    const fixture = new Fixture();
    await (await fixture.start()).close();
    const { infoHash } = fixture.session.eventsOf("serving")[0]!;
    const magnet = magnetOf(infoHash, "127.0.0.1:42088", "10.0.0.9:42071");
    const file = await fixture.start(magnet);
    expect(fixture.session.node.start).toMatchObject({
      keptPort: 42_088,
      bootstrap: [{ host: "10.0.0.9", port: 42_071 }],
    });
    expect(fixture.session.eventsOf("serving")[1]?.magnet).toContain("x.pe=10.0.0.9:42071");
    await file.close();
  });

  test("another file than that of the magnet is refused, and closed", async () => {
    const fixture = new Fixture();
    const starting = fixture.start(magnetOf("ab".repeat(20)));
    await expect(starting).rejects.toMatchObject({
      exitCode: 7,
      message: expect.stringMatching(/^model\.bin: is not the file of the magnet/),
    });
    expect([fixture.openCount, fixture.session.clock.timerCount]).toEqual([0, 0]);
  });

  test("without a port the file is closed again", async () => {
    const fixture = new Fixture();
    fixture.session.startFailure = new UsageError("no port");
    await expect(fixture.start()).rejects.toThrow("no port");
    expect([fixture.openCount, fixture.session.clock.timerCount]).toEqual([0, 0]);
  });
});

describe("a served file", () => {
  test("is read for the peers that ask, and its progress is shown", async () => {
    const fixture = new Fixture();
    const file = await fixture.start();
    const peer = fixture.ask();
    await until(() => peer.blocks.length > 0);
    expect(peer.blocks[0]?.payload).toEqual(CONTENT.slice(BLOCK_LENGTH, 2 * BLOCK_LENGTH));
    await fixture.session.clock.pass(PROGRESS_MS);
    expect(fixture.session.eventsOf("progress")[0]?.transfers).toMatchObject([
      { index: 0, phase: "seeding", completed: CONTENT.length },
    ]);
    await file.close();
  });

  test("reports its first peer, and the hosts that are done", async () => {
    const fixture = new Fixture();
    const file = await fixture.start();
    await fixture.session.clock.pass(40);
    fixture.swarm.options.onMetadata(new Uint8Array());
    fixture.swarm.options.onFirstPeer("dht");
    expect(fixture.session.eventsOf("firstPeer")).toMatchObject([{ index: 0, source: "dht", elapsedMs: 40 }]);
    fixture.swarm.doneHosts = new Map([["10.0.0.1", new Set(["a"])]]);
    expect([file.isServed, [...file.doneHosts().keys()]]).toEqual([true, ["10.0.0.1"]]);
    await file.close();
  });

  test("C8: is not sent while it is hashed again after a change of its stamp, and sent when it was the same", async () => {
    const fixture = new Fixture();
    const { session } = fixture;
    const file = await fixture.start();
    const peer = fixture.ask();
    await until(() => peer.blocks.length === 1);
    const hashing = Promise.withResolvers<void>();
    session.pool.held = hashing.promise;
    utimesSync(fixture.path, 1, 1);
    await session.clock.pass(SOURCE_CHECK_MS);
    await until(() => session.pool.ranges.length === 2);
    // The block is in memory, and stays there.
    fixture.ask(peer);
    await until(() => peer.hasHeard("reject"));
    expect(peer.blocks).toHaveLength(1);
    hashing.resolve();
    await until(() => session.log.length > 0);
    expect(session.log).toEqual([`info: ${fixture.path}: was touched; its content is the same`]);
    fixture.ask(peer);
    await until(() => peer.blocks.length === 2);
    await file.close();
  });

  test("C8: other content ends the serving of it: its swarm is left and its progress is over", async () => {
    const fixture = new Fixture();
    const { session } = fixture;
    const file = await fixture.start();
    const ended = file.ended.catch((error: unknown) => error);
    const fd = openSync(fixture.path, "r+");
    writeSync(fd, "other", 7);
    closeSync(fd);
    await session.clock.pass(SOURCE_CHECK_MS);
    await until(() => !file.isServed);
    expect(await ended).toMatchObject({ exitCode: 7, message: expect.stringContaining("changed while") });
    expect(fixture.swarm.isClosed).toBe(true);
    const before = session.eventsOf("progress").length;
    await session.clock.pass(5 * PROGRESS_MS);
    expect(session.eventsOf("progress")).toHaveLength(before);
    await file.close();
  });

  test("P8: that cannot be read any more ends", async () => {
    const fixture = new Fixture();
    const file = await fixture.start();
    const ended = file.ended.catch((error: unknown) => error);
    writeFileSync(fixture.path, "cut");
    fixture.ask();
    await until(() => !file.isServed);
    expect(await ended).toMatchObject({ exitCode: 7, message: expect.stringContaining("it was cut") });
    // It is watched no more; the timer is that of the progress.
    expect(fixture.session.clock.timerCount).toBe(1);
    await file.close();
  });

  test("shares the spans that are read ahead with the other files", async () => {
    const fixture = new Fixture();
    const resources = fixture.session.resources();
    const asked: number[] = [];
    resources.shareOf = (spans) => (asked.push(spans), 4);
    const file = await ServedFile.start({
      index: 0,
      given: "model.bin",
      magnet: undefined,
      hostsPerAddress: 1,
      resources,
    });
    expect(asked).toEqual([MAX_READ_SPANS]);
    await file.close();
  });

  test("once closed it leaves neither a descriptor nor a timer of its own", async () => {
    const fixture = new Fixture();
    const file = await fixture.start();
    expect(fixture.openCount).toBe(1);
    await file.close();
    // What is left is the progress of the session.
    expect([fixture.openCount, fixture.session.clock.timerCount]).toEqual([0, 1]);
  });
});
