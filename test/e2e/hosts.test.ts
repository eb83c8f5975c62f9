// How hosts learn of one another by our own exchange, and how serving and seeding end when every host has the file.
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Socket } from "bun";
import { SWARM_END_GRACE_MS } from "../../src/core/transfer/limits.ts";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { addressesOf, infoHashOfMagnet, type P2pfile, runP2pfile } from "../helpers/binary.ts";
import { useTestFixture } from "../helpers/test-directory.ts";
import { magnetOf } from "../helpers/torrent-file.ts";

const fixture = useTestFixture();
/** Milliseconds beyond the grace, for a busy machine. */
const GRACE_AND_MORE_MS = SWARM_END_GRACE_MS + 8_000;
/** Slow enough to stop a leecher during its download. */
const SLOW = ["--download-limit", "2"];

function startSeed(flags: readonly string[] = [], size = 8 * MiB): Promise<Seed> {
  return startSeedOf(["image.raw"], flags, size);
}

interface Seed {
  readonly seed: P2pfile;
  readonly magnet: string;
  readonly magnets: readonly string[];
  readonly sha256: string;
}

async function startSeedOf(names: readonly string[], flags: readonly string[], size: number): Promise<Seed> {
  const directory = fixture.directory("source");
  const files = names.map((name) => makeBigFile(join(directory, name), size));
  const seed = runP2pfile(fixture, ["serve", ...flags, ...files.map((file) => file.path)]);
  const magnets: string[] = [];
  for (const index of names.keys()) magnets.push(await seed.magnet(index));
  return { seed, magnet: magnets[0] ?? "", magnets, sha256: files[0]?.sha256 ?? "" };
}

const leech = (magnet: string, ...flags: string[]) => runP2pfile(fixture, ["download", ...flags, magnet]);

/** The last JSON line of this event, with its field names. */
function lineOf(process: P2pfile, event: string): Record<string, unknown> {
  const line = process.lines.stdout.findLast(({ text }) => text.includes(`"event":"${event}"`));
  return JSON.parse(line?.text ?? "{}");
}

interface JsonTransfer {
  readonly peers: number;
  readonly hosts: number;
  readonly hosts_done: number;
  readonly peers_by_source: Readonly<Record<string, number>>;
}

function transferOf(process: P2pfile): JsonTransfer | undefined {
  const { transfers } = lineOf(process, "progress") as { transfers?: readonly JsonTransfer[] };
  return transfers?.[0];
}

test("serve --until-done 3 ends with 0 soon after the third host is done, and reports it", async () => {
  const { seed, magnet, sha256 } = await startSeed(["--until-done", "3"]);
  const early = [leech(magnet), leech(magnet)];
  for (const one of early) expect(await one.waitForExit()).toBe(0);
  await Bun.sleep(1500);
  expect(seed.hasExited).toBe(false);
  expect(transferOf(seed)).toMatchObject({ hosts: 2, hosts_done: 2 });

  const third = leech(magnet);
  expect(await third.waitForExit()).toBe(0);
  const doneAt = Math.max(...third.timesOf((event) => event.type === "completed"));
  expect(await seed.waitForExit(5000)).toBe(0);
  expect(performance.now() - doneAt).toBeLessThan(4000);
  expect(seed.eventsOf("hostsDone")).toMatchObject([{ hosts: 3, wanted: 3 }]);
  expect(seed.text("stderr")).toContain("3 hosts are done: serving ends");
  expect(sha256Of(join(third.cwd, "image.raw"))).toBe(sha256);
});

test("with several files --until-done counts hosts that have all of them", async () => {
  const { seed, magnets } = await startSeedOf(["a.raw", "b.raw"], ["--until-done", "1"], 2 * MiB);
  const [a = "", b = ""] = magnets;
  expect(await leech(a).waitForExit()).toBe(0);
  expect(await leech(b).waitForExit()).toBe(0);
  await Bun.sleep(1000);
  expect(seed.hasExited).toBe(false);
  expect(await leech(a, b).waitForExit()).toBe(0);
  expect(await seed.waitForExit(5000)).toBe(0);
});

test("a host that has the file already counts, other sources do not", async () => {
  const { seed, magnet } = await startSeed(["--until-done", "2"]);
  const first = leech(magnet);
  expect(await first.waitForExit()).toBe(0);
  const second = runP2pfile(fixture, [
    "serve",
    "--peers",
    addressesOf(magnet)[0] ?? "",
    join(first.cwd, "image.raw"),
  ]);
  await second.waitForProgress((snapshot) => snapshot.peers > 0);
  const again = runP2pfile(fixture, ["download", magnet], { cwd: first.cwd });
  expect(await again.waitForExit()).toBe(0);
  expect(again.eventsOf("completed")[0]?.existed).toBe(true);
  expect(await seed.waitForExit(5000)).toBe(0);
  expect(second.hasExited).toBe(false);
});

test("--seeding ends when every host has the file", async () => {
  const { seed, magnet } = await startSeed();
  const both = [leech(magnet, "--seeding"), leech(magnet, "--seeding")];
  for (const one of both) {
    expect(await one.waitForExit(GRACE_AND_MORE_MS + 5000)).toBe(0);
    expect(lineOf(one, "seedingEnded")).toMatchObject({ reason: "swarm", t_done: expect.any(Number) });
    expect(one.text("stderr")).toContain("every host has the file");
  }
  expect(seed.hasExited).toBe(false);
}, 60_000);

test("--seeding goes on while a host is paused, and ends once the host has left", async () => {
  const { magnet } = await startSeed([], 16 * MiB);
  const keep = ["--seeding", "--seeding-time", "300", "--seeding-ratio", "100"];
  const paused = leech(magnet, ...SLOW);
  await paused.waitForEvent("firstPiece");
  const [one, other] = [leech(magnet, ...keep), leech(magnet, ...keep)];
  await one.waitForEvent("completed");
  await other.waitForEvent("completed");
  paused.signal("SIGSTOP");
  await Bun.sleep(SWARM_END_GRACE_MS + 3000);
  expect([one.hasExited, other.hasExited]).toEqual([false, false]);
  expect(transferOf(one)).toMatchObject({ hosts: 3, hosts_done: 2 });

  // The host was still downloading when it was stopped, and is ended before it can be done.
  paused.signal("SIGINT");
  paused.signal("SIGCONT");
  const left = performance.now();
  expect(await paused.waitForExit(5000)).toBe(130);
  for (const host of [one, other]) {
    expect(await host.waitForExit(GRACE_AND_MORE_MS)).toBe(0);
    expect(host.eventsOf("seedingEnded")[0]?.reason).toBe("swarm");
  }
  expect(performance.now() - left).toBeGreaterThan(SWARM_END_GRACE_MS - 500);
}, 90_000);

test("after a host was killed the others seed until their time is up", async () => {
  const { magnet } = await startSeed([], 16 * MiB);
  const killed = leech(magnet, ...SLOW);
  await killed.waitForEvent("firstPiece");
  const host = leech(magnet, "--seeding", "--seeding-time", "13", "--seeding-ratio", "100");
  await host.waitForEvent("completed");
  await killed.end();
  expect(await host.waitForExit(25_000)).toBe(0);
  expect(host.eventsOf("seedingEnded")[0]?.reason).toBe("time");
}, 60_000);

test("leechers that know only the seed, by TCP only, find each other within about a second", async () => {
  const { magnet } = await startSeed([], 64 * MiB);
  // Behind a relay the DHT does not find the seed, so that only the host exchange can name the other leecher.
  const relay = startRelay(addressesOf(magnet)[0] ?? "");
  const behind = magnetOf(infoHashOfMagnet(magnet), "image.raw", [relay]);
  const first = leech(behind, "--download-limit", "1");
  await first.waitForEvent("firstPeer");
  await Bun.sleep(1500);
  const second = leech(behind, "--download-limit", "1");
  await second.waitForEvent("firstPeer");
  const before = performance.now();
  await second.waitFor("all to be connected", () => haveMet([first, second]), 5000);
  // A second of this is the interval of progress events.
  expect(performance.now() - before).toBeLessThan(2500);
}, 30_000);

/** Each is connected to the seed and to the other, at least once by an address from the exchange. */
function haveMet(hosts: readonly P2pfile[]): true | undefined {
  const transfers = hosts.map(transferOf);
  const dialled = transfers.reduce((sum, transfer) => sum + (transfer?.peers_by_source["exchange"] ?? 0), 0);
  return dialled > 0 && transfers.every((transfer) => transfer?.peers === 2) ? true : undefined;
}

test("one line has all milestones of a download, in milliseconds since the start of the process", async () => {
  const { magnet } = await startSeed();
  const startedAt = performance.now();
  const one = leech(magnet);
  expect(await one.waitForExit()).toBe(0);
  const lasted = performance.now() - startedAt;
  const { t_first_peer, t_metadata, t_first_piece, t_done, elapsedMs } = lineOf(one, "completed");
  const times = [t_first_peer, t_metadata, t_first_piece, t_done].map(Number);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(t_done).toBe(elapsedMs);
  expect(times[0]).toBe(one.eventsOf("firstPeer")[0]?.elapsedMs);
  expect(times[2]).toBe(one.eventsOf("firstPiece")[0]?.elapsedMs);
  expect(times[0]).toBeGreaterThan(5);
  expect(times[3]).toBeLessThan(lasted);
});

/** Relays TCP to `target`. @returns the address of the relay. */
function startRelay(target: string): string {
  const [hostname = "", port = ""] = target.split(":");
  const host = fixture.address();
  const handlers = {
    data: (socket: Socket<Side>, chunk: Buffer) => socket.data.forward(Buffer.from(chunk)),
    drain: (socket: Socket<Side>) => socket.data.flush(),
    close: (socket: Socket<Side>) => socket.data.end(),
  };
  const listener = Bun.listen<Side>({
    hostname: host,
    port: 0,
    socket: {
      ...handlers,
      open(near) {
        near.data = new Side(near);
        void Bun.connect<Side>({
          hostname,
          port: Number(port),
          socket: {
            ...handlers,
            open(far) {
              far.data = new Side(far);
              far.data.join(near.data);
            },
          },
        });
      },
    },
  });
  fixture.onEnd(() => listener.stop(true));
  return `${host}:${listener.port}`;
}

/** One of the two sockets of a relayed connection, and the bytes that wait to be written to it. */
class Side {
  readonly #socket: Socket<Side>;
  readonly #early: Buffer[] = [];
  #waiting: Buffer[] = [];
  #other: Side | undefined;

  constructor(socket: Socket<Side>) {
    this.#socket = socket;
  }

  join(other: Side): void {
    this.#other = other;
    other.#other = this;
    for (const chunk of other.#early) this.#write(chunk);
  }

  forward(chunk: Buffer): void {
    if (this.#other === undefined) this.#early.push(chunk);
    else this.#other.#write(chunk);
  }

  flush(): void {
    for (;;) {
      const [chunk, ...rest] = this.#waiting;
      if (chunk === undefined) return;
      const taken = Math.max(0, this.#socket.write(chunk));
      if (taken < chunk.length) {
        this.#waiting = [chunk.subarray(taken), ...rest];
        return;
      }
      this.#waiting = rest;
    }
  }

  end(): void {
    if (this.#other !== undefined) this.#other.#socket.end();
  }

  #write(chunk: Buffer): void {
    this.#waiting.push(chunk);
    if (this.#waiting.length === 1) this.flush();
  }
}
