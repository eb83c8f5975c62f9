import { describe, expect, test } from "bun:test";
import { UsageError } from "../../src/lib/errors.ts";
import { MIN_SPANS_PER_FILE } from "../../src/session/limits.ts";
import { FakeSession, NODE_OPTIONS } from "./fixtures/fake-resources.ts";

const PEER = { host: "10.0.0.1", port: 1 };
const OTHER = { host: "10.0.0.2", port: 2 };

describe("Resources", () => {
  test("the node is started by the first who needs it, with all addresses that are known then, and once", async () => {
    const session = new FakeSession("/nowhere");
    const resources = session.resources({ ...NODE_OPTIONS, peers: [PEER] });
    const node = await resources.node(42_075, [OTHER]);
    expect(await resources.node(undefined, [])).toBe(node);
    expect(session.node.start).toMatchObject({ keptPort: 42_075, bootstrap: [PEER, OTHER] });
    expect(session.events).toEqual([
      { type: "listening", host: "127.0.0.1", port: 42_070, allInterfaces: false },
    ]);
  });

  test("warns when no other machine can reach it, unless the user asked for that address", async () => {
    for (const [ip, warnings] of [
      [undefined, 1],
      ["127.0.0.1", 0],
    ] as const) {
      const session = new FakeSession("/nowhere");
      await session.resources({ ...NODE_OPTIONS, ip }).node(undefined, []);
      expect(session.log.filter((line) => line.startsWith("warn: no network: 127.0.0.1"))).toHaveLength(
        warnings,
      );
    }
  });

  test("warns of a public address when every interface is open, and says that it is", async () => {
    for (const [host, ip, warnings] of [
      ["203.0.113.5", undefined, 1],
      ["203.0.113.5", "203.0.113.5", 0],
      ["10.1.1.1", undefined, 0],
    ] as const) {
      const session = new FakeSession("/nowhere");
      session.node.address = { host, port: 42_070 };
      await session.resources({ ...NODE_OPTIONS, ip }).node(undefined, []);
      const isOfHost = (line: string) => line.startsWith("warn: 203.0.113.5 is a public address");
      expect(session.log.filter(isOfHost)).toHaveLength(warnings);
      expect(session.events).toEqual([
        { type: "listening", host, port: 42_070, allInterfaces: ip === undefined },
      ]);
    }
  });

  test("without a port every call fails, and it closes all the same", async () => {
    const session = new FakeSession("/nowhere");
    session.startFailure = new UsageError("no port");
    const resources = session.resources();
    for (let i = 0; i < 2; i++) await expect(resources.node(undefined, [])).rejects.toThrow("no port");
    await resources.close();
    expect(session.pool.isClosed).toBe(true);
  });

  test("the files share the spans, and each has a few", () => {
    const session = new FakeSession("/nowhere");
    const shareOf = (files: number) => session.open(NODE_OPTIONS, session.context, files).shareOf(96);
    expect([0, 1, 3, 1000].map(shareOf)).toEqual([96, 96, 32, MIN_SPANS_PER_FILE]);
  });

  test("time is that of its clock, in whole milliseconds", async () => {
    const session = new FakeSession("/nowhere");
    await session.clock.pass(12.6);
    expect(session.resources().elapsedMs).toBe(13);
  });

  test("closing ends the network, the workers and the progress", async () => {
    const session = new FakeSession("/nowhere");
    const resources = session.resources();
    resources.progress.add(() => undefined);
    await resources.node(undefined, []);
    await resources.close();
    expect([session.node.isClosed, session.pool.isClosed, session.clock.timerCount]).toEqual([true, true, 0]);
  });

  test("closing ends the progress and the network first, then the workers, and the state last", async () => {
    const session = new FakeSession("/nowhere");
    const resources = session.resources();
    const order: string[] = [];
    const noted = (name: string, hold: Promise<void>) => async () => {
      await hold;
      order.push(`${name}, ${session.clock.timerCount} timers`);
    };
    const held = Promise.withResolvers<void>();
    session.node.close = noted("network", held.promise);
    session.pool.close = noted("workers", Promise.resolve());
    session.store.close = () => void order.push("state");
    resources.progress.add(() => undefined);
    await resources.node(undefined, []);
    const closing = resources.close();
    await Bun.sleep(0);
    expect(order).toEqual([]);
    held.resolve();
    await closing;
    expect(order).toEqual(["network, 0 timers", "workers, 0 timers", "state"]);
  });

  test("closing the network alone leaves the workers and the progress, and needs no node", async () => {
    const session = new FakeSession("/nowhere");
    const resources = session.resources();
    resources.progress.add(() => undefined);
    await resources.closeNetwork();
    await resources.node(undefined, []);
    await resources.closeNetwork();
    expect([session.node.isClosed, session.pool.isClosed, session.clock.timerCount]).toEqual([
      true,
      false,
      1,
    ]);
    await resources.close();
  });

  test("a network that another host can reach is no warning", async () => {
    const session = new FakeSession("/nowhere");
    Object.assign(session.node, { address: { host: "10.0.0.127", port: 1 } });
    await session.resources({ ...NODE_OPTIONS, ip: undefined }).node(undefined, []);
    expect(session.log).toEqual([]);
    expect(session.events).toEqual([{ type: "listening", host: "10.0.0.127", port: 1, allInterfaces: true }]);
  });
});
