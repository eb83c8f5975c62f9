// The limits hold for the whole process, protocol included, within 5 percent over a transfer.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { type P2pfile, runP2pfile } from "../helpers/binary.ts";
import { useTestFixture } from "../helpers/test-directory.ts";

const fixture = useTestFixture();
const LIMIT = 8;

type Counter = "uploaded" | "downloaded";

/** Bytes of all torrents of a process over time. A complete torrent has no further progress events. */
function course(run: P2pfile, counter: Counter, total: number) {
  const latest = new Map<number, number>();
  return run.events
    .map((event, index) => ({ event, at: run.lines.stdout[index]?.at ?? 0 }))
    .flatMap(({ event, at }) => {
      if (event.type !== "progress") return [];
      for (const transfer of event.transfers) latest.set(transfer.index, transfer[counter]);
      return [{ at, bytes: [...latest.values()].reduce((sum, bytes) => sum + bytes, 0) }];
    })
    .filter(({ bytes }) => bytes > 0 && bytes < total);
}

/** The rate is within 5 percent of the limit during the transfer, and not above it from the first byte to the last. */
function expectRate(run: P2pfile, counter: Counter, total: number, leeches: readonly P2pfile[]): void {
  const points = course(run, counter, total);
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) throw new Error("there was no progress");
  expect(last.bytes - first.bytes).toBeGreaterThan(total / 2);
  const rate = (last.bytes - first.bytes) / MiB / ((last.at - first.at) / 1000);
  const starts = leeches.flatMap((leech) => leech.timesOf((event) => event.type === "metadata"));
  const ends = leeches.flatMap((leech) => leech.timesOf((event) => event.type === "completed"));
  const overall = total / MiB / ((Math.max(...ends) - Math.min(...starts)) / 1000);
  console.info(`limit ${LIMIT} MiB/s, measured ${rate.toFixed(2)} under way, ${overall.toFixed(2)} overall`);
  expect(rate).toBeGreaterThanOrEqual(LIMIT * 0.95);
  expect(rate).toBeLessThanOrEqual(LIMIT * 1.05);
  expect(overall).toBeLessThanOrEqual(LIMIT * 1.05);
}

test("--upload-limit holds for one file and one leech", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 64 * MiB);
  const seed = runP2pfile(fixture, ["serve", "--upload-limit", String(LIMIT), file.path]);
  const leech = runP2pfile(fixture, ["download", await seed.magnet()]);
  expect(await leech.waitForExit()).toBe(0);
  expectRate(seed, "uploaded", file.size, [leech]);
});

test("--upload-limit holds for two files to two leeches together", async () => {
  const source = fixture.directory("source");
  const files = ["a.bin", "b.bin"].map((name) => makeBigFile(join(source, name), 32 * MiB));
  const seed = runP2pfile(fixture, [
    "serve",
    "--upload-limit",
    String(LIMIT),
    ...files.map((file) => file.path),
  ]);
  const magnets = await Promise.all(files.map((_, index) => seed.magnet(index)));
  const leeches = magnets.map((magnet) => runP2pfile(fixture, ["download", magnet]));
  expect(await Promise.all(leeches.map((leech) => leech.waitForExit()))).toEqual([0, 0]);
  expectRate(seed, "uploaded", 64 * MiB, leeches);
});

test("--download-limit holds for one file", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 64 * MiB);
  const seed = runP2pfile(fixture, ["serve", file.path]);
  const leech = runP2pfile(fixture, ["download", "--download-limit", String(LIMIT), await seed.magnet()]);
  expect(await leech.waitForExit()).toBe(0);
  expectRate(leech, "downloaded", file.size, [leech]);
});

test("--download-limit holds for two files together", async () => {
  const source = fixture.directory("source");
  const files = ["a.bin", "b.bin"].map((name) => makeBigFile(join(source, name), 32 * MiB));
  const seed = runP2pfile(fixture, ["serve", ...files.map((file) => file.path)]);
  const magnets = await Promise.all(files.map((_, index) => seed.magnet(index)));
  const leech = runP2pfile(fixture, ["download", "--download-limit", String(LIMIT), ...magnets]);
  expect(await leech.waitForExit()).toBe(0);
  expect(leech.eventsOf("completed")).toHaveLength(2);
  expectRate(leech, "downloaded", 64 * MiB, [leech]);
});
