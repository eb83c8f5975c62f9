import { afterAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskError, UsageError } from "../../../src/lib/errors.ts";
import { SOURCE_CHECK_MS } from "../../../src/session/file/limits.ts";
import { SEEDING_CHECK_MS } from "../../../src/session/limits.ts";
import type { ServeOptions } from "../../../src/session/options.ts";
import { serve } from "../../../src/session/serve/serve.ts";
import { FakeSession, NODE_OPTIONS } from "../fixtures/fake-resources.ts";
import { until } from "../../helpers/event-loop.ts";

const root = mkdtempSync(join(tmpdir(), "p2pfile-serve-"));
afterAll(() => rmSync(root, { recursive: true }));

class Fixture {
  readonly directory = mkdtempSync(join(root, "case-"));
  readonly session = new FakeSession(this.directory);

  /** Makes the files; one that is empty is not made. */
  constructor(...contents: readonly string[]) {
    for (const [index, content] of contents.entries())
      if (content !== "") writeFileSync(this.pathOf(index), content);
  }

  pathOf(index: number): string {
    return join(this.directory, `file-${index}`);
  }

  serve(count: number, options: Partial<ServeOptions> = {}): Promise<number> {
    const files = Array.from({ length: count }, (_, index) => `file-${index}`);
    const all = {
      ...NODE_OPTIONS,
      files,
      magnet: undefined,
      untilDone: undefined,
      hostsPerAddress: 1,
      ...options,
    };
    return serve(all, this.session.context, this.session.open);
  }

  async untilServed(count: number): Promise<void> {
    await until(() => this.session.eventsOf("serving").length === count);
  }

  change(index: number): void {
    const fd = openSync(this.pathOf(index), "r+");
    writeSync(fd, "X", 0);
    closeSync(fd);
  }

  get isClosed(): boolean {
    return this.session.node.isClosed && this.session.pool.isClosed;
  }
}

describe("serve", () => {
  test("goes on until it is stopped, and closes what it opened", async () => {
    const fixture = new Fixture("a", "b");
    const ending = fixture.serve(2);
    await fixture.untilServed(2);
    expect(fixture.isClosed).toBe(false);
    fixture.session.stop.abort();
    expect(await ending).toBe(0);
    expect([fixture.isClosed, fixture.session.clock.timerCount]).toEqual([true, 0]);
    expect(fixture.session.eventsOf("failed")).toEqual([]);
  });

  test("C19: a file that cannot be served is reported, the others are served, and its code is the run's", async () => {
    const fixture = new Fixture("a", "", "c");
    const ending = fixture.serve(3);
    await fixture.untilServed(2);
    expect(fixture.session.eventsOf("failed")).toMatchObject([{ index: 1, subject: "file-1", exitCode: 3 }]);
    fixture.session.stop.abort();
    expect(await ending).toBe(3);
  });

  test("ends by itself when no file is left that can be served", async () => {
    expect(await new Fixture("").serve(1)).toBe(3);
    const fixture = new Fixture("a");
    const ending = fixture.serve(1);
    await fixture.untilServed(1);
    fixture.change(0);
    await fixture.session.clock.pass(SOURCE_CHECK_MS);
    expect(await ending).toBe(7);
    expect(fixture.session.eventsOf("failed")).toMatchObject([
      { index: 0, subject: fixture.pathOf(0), exitCode: 7 },
    ]);
  });

  test("--until-done ends it when so many hosts have every file", async () => {
    const fixture = new Fixture("a", "b");
    const ending = fixture.serve(2, { untilDone: 1 });
    await fixture.untilServed(2);
    const [first, second] = fixture.session.node.swarms;
    first!.doneHosts = new Map([
      ["10.0.0.1", new Set(["a"])],
      ["10.0.0.2", new Set(["a"])],
    ]);
    await fixture.session.clock.pass(3 * SEEDING_CHECK_MS);
    expect(Bun.peek.status(ending)).toBe("pending");
    second!.doneHosts = new Map([["10.0.0.2", new Set(["b"])]]);
    await fixture.session.clock.pass(SEEDING_CHECK_MS);
    expect(await ending).toBe(0);
    expect(fixture.session.eventsOf("hostsDone")).toEqual([{ type: "hostsDone", hosts: 1, wanted: 1 }]);
  });

  test("--until-done reports no hosts when it is stopped before", async () => {
    const fixture = new Fixture("a");
    const ending = fixture.serve(1, { untilDone: 1 });
    await fixture.untilServed(1);
    fixture.session.stop.abort();
    await fixture.session.clock.pass(SEEDING_CHECK_MS);
    expect(await ending).toBe(0);
    expect(fixture.session.eventsOf("hostsDone")).toEqual([]);
  });

  test("nothing arrives any more when its files are closed, and the workers go on until they are", async () => {
    const fixture = new Fixture("a");
    const { session } = fixture;
    const open = () =>
      readdirSync("/proc/self/fd").some((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === fixture.pathOf(0);
        } catch {
          return false;
        }
      });
    const order: string[] = [];
    const { node, pool } = session;
    node.close = async () => {
      await Promise.resolve();
      order.push(`network closed, the file is ${open() ? "open" : "closed"}`);
    };
    pool.close = async () => void order.push(`workers closed, the file is ${open() ? "open" : "closed"}`);
    const ending = fixture.serve(1);
    await fixture.untilServed(1);
    session.stop.abort();
    await ending;
    expect(order.slice(0, 1)).toEqual(["network closed, the file is open"]);
    expect(order.at(-1)).toBe("workers closed, the file is closed");
  });

  test("a file that has changed ends alone: the others are served on, and its code is the run's", async () => {
    const fixture = new Fixture("a", "b");
    const ending = fixture.serve(2);
    await fixture.untilServed(2);
    fixture.change(1);
    await fixture.session.clock.pass(SOURCE_CHECK_MS);
    await until(() => fixture.session.eventsOf("failed").length === 1);
    expect(Bun.peek.status(ending)).toBe("pending");
    expect(fixture.session.node.swarms.map(({ isClosed }) => isClosed)).toEqual([false, true]);
    fixture.session.stop.abort();
    expect(await ending).toBe(7);
  });

  test("without a port it ends with the error, and closes what it opened", async () => {
    const fixture = new Fixture("a", "b");
    fixture.session.startFailure = new UsageError("no port");
    await expect(fixture.serve(2)).rejects.toThrow("no port");
    expect(fixture.session.pool.isClosed).toBe(true);
  });

  test("a bug in one file ends all of it", async () => {
    const fixture = new Fixture("a", "b");
    fixture.session.pool.failure = new TypeError("a bug");
    await expect(fixture.serve(2)).rejects.toThrow("a bug");
    expect(fixture.session.pool.isClosed).toBe(true);
  });

  test("stopped while a file is hashed it reports nothing and begins no other", async () => {
    const fixture = new Fixture("a", "b");
    fixture.session.pool.held = new Promise(() => {});
    const ending = fixture.serve(2);
    await until(() => fixture.session.pool.ranges.length === 1);
    fixture.session.stop.abort();
    expect(await ending).toBe(0);
    expect([fixture.session.events, fixture.session.pool.ranges]).toEqual([[], [1]]);
  });

  test("stopped between two files it begins no other", async () => {
    const fixture = new Fixture("a", "b");
    const { emit } = fixture.session.context;
    const context = {
      ...fixture.session.context,
      emit: (event: Parameters<typeof emit>[0]) => {
        emit(event);
        if (event.type === "serving") fixture.session.stop.abort();
      },
    };
    const options = {
      ...NODE_OPTIONS,
      files: ["file-0", "file-1"],
      magnet: undefined,
      untilDone: undefined,
      hostsPerAddress: 1,
    };
    expect(await serve(options, context, fixture.session.open)).toBe(0);
    expect(fixture.session.eventsOf("serving")).toHaveLength(1);
  });

  test("a failure of the disk keeps its own code", async () => {
    const fixture = new Fixture("a");
    fixture.session.pool.failure = new DiskError("i/o error");
    expect(await fixture.serve(1)).toBe(5);
  });

  test("a broken --magnet is refused before anything is opened", async () => {
    const fixture = new Fixture("a");
    await expect(fixture.serve(1, { magnet: "magnet:?" })).rejects.toBeInstanceOf(UsageError);
    expect(fixture.session.pool.isClosed).toBe(false);
  });
});
