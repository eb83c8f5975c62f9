// p2pfile requests runs of blocks from p2pfile peers, and 16 KiB at a time from other clients.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { KiB, MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { addressesOf, infoHashOfMagnet, runP2pfile } from "../helpers/binary.ts";
import { watchRequests } from "../helpers/request-watch.ts";
import { useTestFixture } from "../helpers/test-directory.ts";
import { magnetOf } from "../helpers/torrent-file.ts";

const fixture = useTestFixture();
const SIZE = 96 * MiB + 12_345;

/** The request lengths of one download, checked to cover the file. */
async function download(asOtherClient: boolean, flags: readonly string[] = []) {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), SIZE);
  const seed = runP2pfile(fixture, ["serve", file.path]);
  const magnet = await seed.magnet();
  const watch = await watchRequests(fixture, addressesOf(magnet)[0]!, asOtherClient);
  const leech = runP2pfile(fixture, [
    "download",
    ...flags,
    magnetOf(infoHashOfMagnet(magnet), "image.raw", [watch.address]),
  ]);
  expect(await leech.waitForExit(60_000)).toBe(0);
  expect(sha256Of(join(leech.cwd, "image.raw"))).toBe(file.sha256);
  expect(watch.lengths.reduce((sum, length) => sum + length, 0)).toBe(SIZE);
  return { longest: Math.max(...watch.lengths), count: watch.lengths.length };
}

test("a seed that advertises long requests gets requests of up to 128 KiB", async () => {
  const { longest, count } = await download(false);
  expect(longest).toBe(128 * KiB);
  expect(count).toBeLessThan(SIZE / (24 * KiB));
});

test("a seed that does not never gets requests of more than 16 KiB", async () => {
  const { longest, count } = await download(true);
  expect([longest, count]).toEqual([16 * KiB, Math.ceil(SIZE / (16 * KiB))]);
});

test("under a download limit no request is longer than 16 KiB", async () => {
  const { longest } = await download(false, ["--download-limit", "60"]);
  expect(longest).toBe(16 * KiB);
});
