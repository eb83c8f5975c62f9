// The session of several downloads, with downloads that do what the test says: which run, which fail, how it ends.
import { describe, expect, test } from "bun:test";
import type { PeerAddress } from "../../../src/core/format/peer-address.ts";
import { BusyError, DiskError, ExitCode, IntegrityError, UsageError } from "../../../src/lib/errors.ts";
import {
  download,
  downloadsOn,
  type IndexedSource,
  type OpenDownloads,
} from "../../../src/session/download/download.ts";
import type { DownloadOptions } from "../../../src/session/options.ts";
import type { SessionEvent } from "../../../src/session/report/session-event.ts";
import { parseTorrentSource } from "../../../src/session/torrent-source.ts";
import { promises } from "../../helpers/event-loop.ts";
import { FakeSession } from "../fixtures/fake-resources.ts";

const hash = (digit: number) => String(digit).repeat(40);
const magnet = (digit: number, rest = "") => `magnet:?xt=urn:btih:${hash(digit)}${rest}`;

const settings: Omit<DownloadOptions, "magnets"> = {
  ip: undefined,
  port: undefined,
  portRange: { first: 42070, last: 42099 },
  peers: [],
  allow: [],
  uploadLimit: 0,
  downloadLimit: 0,
  directory: ".",
  output: undefined,
  seeding: false,
  seedingSeconds: 60,
  seedingRatio: 1,
  timeoutSeconds: 0,
};

/** What a download does when it runs; resolves at once unless the test says otherwise. */
type Run = (index: number) => Promise<void>;

class DownloadsFixture {
  readonly opened: IndexedSource[] = [];
  readonly bootstraps: (readonly PeerAddress[])[] = [];
  /** What happened, in order. */
  readonly log: string[] = [];
  readonly events: SessionEvent[] = [];
  readonly warnings: string[] = [];
  readonly stop = new AbortController();
  /** Every closing waits until this is resolved. */
  slow: PromiseWithResolvers<void> | undefined;
  readonly #run: Run;

  constructor(run: Run = () => Promise.resolve()) {
    this.#run = run;
  }

  start(...magnets: readonly string[]): Promise<ExitCode> {
    const { events, warnings, stop } = this;
    return download(
      { ...settings, magnets },
      {
        emit: (event) => events.push(event),
        logger: { debug: () => {}, info: () => {}, warn: (text) => warnings.push(text) },
        signal: stop.signal,
        workingDirectory: "/nowhere",
        io: "map",
      },
      this.#open,
    );
  }

  readonly #open: OpenDownloads = () => ({
    open: (indexed) => {
      this.opened.push(indexed);
      const { index } = indexed;
      return {
        index,
        label: `file ${index}`,
        run: (bootstrap) => {
          this.bootstraps.push(bootstrap);
          return this.#run(index);
        },
        close: () => this.#closed(`file ${index} closed`),
      };
    },
    closeNetwork: () => this.#closed("network closed"),
    close: () => this.#closed("all closed"),
  });

  async #closed(what: string): Promise<void> {
    this.log.push(what);
    await this.slow?.promise;
  }
}

/** Fails as the list says, by index; the others are done. */
const failing =
  (errors: Readonly<Record<number, Error>>): Run =>
  async (index) => {
    const error = errors[index];
    if (error !== undefined) throw error;
  };
const forever: Run = () => new Promise(() => {});

describe("The sources of a download", () => {
  test("run each with its position on the command line, and the run is done when all are", async () => {
    const fixture = new DownloadsFixture();
    expect(await fixture.start(magnet(1), magnet(2))).toBe(ExitCode.done);
    expect(fixture.opened.map(({ index, source }) => [index, source.text])).toEqual([
      [0, magnet(1)],
      [1, magnet(2)],
    ]);
    expect(fixture.events).toEqual([]);
  });

  test("with equal info hashes are fetched once, as the first of them", async () => {
    const fixture = new DownloadsFixture();
    await fixture.start(magnet(1, "&dn=a"), magnet(2), magnet(1, "&dn=b&x.pe=10.0.0.9:9"));
    expect(fixture.opened.map(({ index }) => index)).toEqual([0, 1]);
    expect(fixture.bootstraps).toEqual([[], []]);
  });

  test("give all of their peers to each download to start from", async () => {
    const fixture = new DownloadsFixture();
    await fixture.start(magnet(1, "&x.pe=10.0.0.1:1"), magnet(2, "&x.pe=10.0.0.2:2"));
    const both = [
      { host: "10.0.0.1", port: 1 },
      { host: "10.0.0.2", port: 2 },
    ];
    expect(fixture.bootstraps).toEqual([both, both]);
  });

  test("warn of what they contain and cannot be used, and are fetched all the same", async () => {
    const fixture = new DownloadsFixture();
    await fixture.start(magnet(1, "&x.pe=example.org:5"));
    expect(fixture.warnings).toEqual(["x.pe=example.org:5 is no IPv4 address with a port; ignored"]);
    expect(fixture.opened).toHaveLength(1);
  });
});

describe("A source that cannot be read", () => {
  test("fails with its index, and the others go on", async () => {
    const fixture = new DownloadsFixture();
    expect(await fixture.start(magnet(1), "model.bin", magnet(2))).toBe(ExitCode.usage);
    expect(fixture.opened.map(({ index }) => index)).toEqual([0, 2]);
    expect(fixture.events).toEqual([
      {
        type: "failed",
        index: 1,
        subject: "model.bin",
        message: 'bad magnet model.bin: it does not start with "magnet:?"',
        exitCode: ExitCode.usage,
      },
    ]);
  });

  test("ends the run at once when it is the only one, with everything closed", async () => {
    const fixture = new DownloadsFixture(forever);
    expect(await fixture.start("model.bin")).toBe(ExitCode.usage);
    expect(fixture.log).toEqual(["network closed", "all closed"]);
  });
});

describe("A download that fails", () => {
  test("leaves the others running, and the first failure's code is the run's", async () => {
    const gate = Promise.withResolvers<void>();
    const fixture = new DownloadsFixture(async (index) => {
      if (index === 1) throw new IntegrityError("wrong");
      await gate.promise;
      if (index === 0) throw new BusyError("taken");
    });
    const run = fixture.start(magnet(1), magnet(2), magnet(3));
    expect(await Promise.race([run, Bun.sleep(0).then(() => "running")])).toBe("running");
    gate.resolve();
    expect(await run).toBe(ExitCode.integrity);
    expect(fixture.events).toMatchObject([
      { type: "failed", index: 1, subject: "file 1", message: "wrong", exitCode: ExitCode.integrity },
      { type: "failed", index: 0, subject: "file 0", message: "taken", exitCode: ExitCode.busy },
    ]);
  });

  test("for want of a port ends the run, for no other has one either", async () => {
    const error = new UsageError("port 42080 is in use");
    const fixture = new DownloadsFixture((index) => (index === 1 ? Promise.reject(error) : forever(index)));
    expect(await fixture.start(magnet(1), magnet(2)).catch((thrown: unknown) => thrown)).toBe(error);
    expect(fixture.events).toEqual([]);
    expect(fixture.log.at(-1)).toBe("all closed");
  });

  test("by a bug ends the run", async () => {
    const bug = new TypeError("undefined is not an object");
    const fixture = new DownloadsFixture(failing({ 0: bug }));
    expect(await fixture.start(magnet(1)).catch((thrown: unknown) => thrown)).toBe(bug);
    expect(fixture.log.at(-1)).toBe("all closed");
  });
});

describe("A stopped session", () => {
  test("ends with 0 and closes the network, then the files, then what they share", async () => {
    const fixture = new DownloadsFixture(forever);
    const run = fixture.start(magnet(1), magnet(2));
    fixture.stop.abort();
    expect(await run).toBe(ExitCode.done);
    expect(fixture.log).toEqual(["network closed", "file 0 closed", "file 1 closed", "all closed"]);
  });

  test("waits for each step of the closing before the next, and for the last before it ends", async () => {
    const fixture = new DownloadsFixture(forever);
    fixture.slow = Promise.withResolvers<void>();
    const run = fixture.start(magnet(1), magnet(2));
    fixture.stop.abort();
    const steps: string[][] = [];
    for (let step = 0; step < 3; step++) {
      await promises();
      steps.push([...fixture.log]);
      const { slow } = fixture;
      fixture.slow = Promise.withResolvers<void>();
      slow?.resolve();
      expect(Bun.peek.status(run)).toBe("pending");
    }
    expect(await run).toBe(ExitCode.done);
    const files = ["network closed", "file 0 closed", "file 1 closed"];
    expect(steps).toEqual([["network closed"], files, [...files, "all closed"]]);
  });

  test("keeps the code of a download that failed before", async () => {
    const fixture = new DownloadsFixture((index) =>
      index === 0 ? Promise.reject(new DiskError("disk full")) : forever(index),
    );
    const run = fixture.start(magnet(1), magnet(2));
    await Bun.sleep(0);
    fixture.stop.abort();
    expect(await run).toBe(ExitCode.disk);
  });

  test("does not count what fails because of the stop", async () => {
    const fixture = new DownloadsFixture(async () => {
      fixture.stop.abort();
      throw new DiskError("closed under the write");
    });
    expect(await fixture.start(magnet(1))).toBe(ExitCode.done);
    expect(fixture.events).toEqual([]);
  });
});

describe("The downloads of a session", () => {
  test("share its resources: buffers by the number of magnets, one network and one end", async () => {
    const session = new FakeSession("/nowhere");
    const counts: number[] = [];
    const open = downloadsOn((options, context, fileCount) => {
      counts.push(fileCount);
      return session.open(options, context, fileCount);
    });
    const options = { ...settings, magnets: [magnet(1), magnet(2), magnet(3)] };
    const downloads = open(options, { directory: "/nowhere", fileName: undefined }, session.context);
    const source = parseTorrentSource(magnet(2, "&dn=model.bin"));
    if ("error" in source) throw new Error(source.error);
    const opened = downloads.open({ index: 1, source });
    expect([opened.index, counts]).toEqual([1, [3]]);
    const running = opened.run([]);
    await promises();
    await downloads.closeNetwork();
    expect([session.node.isClosed, session.pool.isClosed]).toEqual([true, false]);
    session.stop.abort();
    await opened.close();
    await downloads.close();
    expect(session.pool.isClosed).toBe(true);
    await Promise.race([running.catch(() => {}), promises()]);
  });
});
