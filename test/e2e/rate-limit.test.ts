// The limits hold for the whole process, protocol included, within 5 percent over the time of a transfer.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { type P2pfile, runP2pfile } from "../helpers/binary.ts";
import { useTestBed } from "../helpers/test-bed.ts";

const bed = useTestBed();
const LIMIT = 8;

/** Seconds from the first payload to the last completion: metadata is known at once, so this is the transfer. */
function secondsOfTransfer(leeches: readonly P2pfile[]): number {
  const starts = leeches.map((leech) => leech.timeOf((event) => event.type === "metadata"));
  const ends = leeches.map((leech) => leech.timeOf((event) => event.type === "completed"));
  return (Math.max(...ends) - Math.min(...starts)) / 1000;
}

function expectRate(bytes: number, leeches: readonly P2pfile[]): void {
  const rate = bytes / MiB / secondsOfTransfer(leeches);
  console.info(`limit ${LIMIT} MiB/s, measured ${rate.toFixed(2)} MiB/s`);
  expect(rate).toBeGreaterThanOrEqual(LIMIT * 0.95);
  expect(rate).toBeLessThanOrEqual(LIMIT * 1.05);
}

test("--upload-limit holds for one file and one leech", async () => {
  const file = makeBigFile(join(bed.directory("source"), "a.bin"), 64 * MiB);
  const seed = runP2pfile(bed, ["serve", "--upload-limit", String(LIMIT), file.path]);
  const leech = runP2pfile(bed, ["download", await seed.magnet()]);
  expect(await leech.waitForExit()).toBe(0);
  expectRate(file.size, [leech]);
});

test("--upload-limit holds for two files to two leeches together", async () => {
  const source = bed.directory("source");
  const files = ["a.bin", "b.bin"].map((name) => makeBigFile(join(source, name), 32 * MiB));
  const seed = runP2pfile(bed, ["serve", "--upload-limit", String(LIMIT), ...files.map((file) => file.path)]);
  const magnets = await Promise.all(files.map((_, index) => seed.magnet(index)));
  const leeches = magnets.map((magnet) => runP2pfile(bed, ["download", magnet]));
  expect(await Promise.all(leeches.map((leech) => leech.waitForExit()))).toEqual([0, 0]);
  expectRate(64 * MiB, leeches);
});

test("--download-limit holds for one file", async () => {
  const file = makeBigFile(join(bed.directory("source"), "a.bin"), 64 * MiB);
  const seed = runP2pfile(bed, ["serve", file.path]);
  const leech = runP2pfile(bed, ["download", "--download-limit", String(LIMIT), await seed.magnet()]);
  expect(await leech.waitForExit()).toBe(0);
  expectRate(file.size, [leech]);
});

test("--download-limit holds for two files together", async () => {
  const source = bed.directory("source");
  const files = ["a.bin", "b.bin"].map((name) => makeBigFile(join(source, name), 32 * MiB));
  const seed = runP2pfile(bed, ["serve", ...files.map((file) => file.path)]);
  const magnets = await Promise.all(files.map((_, index) => seed.magnet(index)));
  const leech = runP2pfile(bed, ["download", "--download-limit", String(LIMIT), ...magnets]);
  expect(await leech.waitForExit()).toBe(0);
  expect(leech.eventsOf("completed")).toHaveLength(2);
  const start = leech.timeOf((event) => event.type === "metadata");
  const end = leech.timeOf((event) => event.type === "completed" && event === leech.eventsOf("completed")[1]);
  const rate = 64 / ((end - start) / 1000);
  console.info(`limit ${LIMIT} MiB/s, measured ${rate.toFixed(2)} MiB/s`);
  expect(rate).toBeWithin(LIMIT * 0.95, LIMIT * 1.05);
});
