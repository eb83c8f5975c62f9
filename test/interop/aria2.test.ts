// p2pfile and aria2 feed one another. aria2 reads no x.pe: it finds p2pfile through the DHT.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { addressesOf, runP2pfile } from "../helpers/binary.ts";
import { isInstalled, startAria2 } from "../helpers/foreign-clients.ts";
import { useTestBed } from "../helpers/test-bed.ts";
import { magnetOf, writeTorrent } from "../helpers/torrent-file.ts";

const bed = useTestBed();
const SIZE = 64 * MiB;
const TIMEOUT_MS = 90_000;
const testWithAria2 = test.skipIf(!isInstalled("aria2"));

testWithAria2("aria2 downloads what p2pfile serves", async () => {
  const file = makeBigFile(join(bed.directory("source"), "image.raw"), SIZE);
  const seed = runP2pfile(bed, ["serve", file.path]);
  const magnet = await seed.magnet();
  const directory = bed.directory("leech");
  const leech = startAria2(bed, { directory, source: magnet, dhtNode: addressesOf(magnet)[0]!, seed: false });
  expect(await leech.child.waitForExit(TIMEOUT_MS)).toBe(0);
  expect(sha256Of(join(directory, "image.raw"))).toBe(file.sha256);
});

testWithAria2("p2pfile downloads what aria2 seeds", async () => {
  const directory = bed.directory("seed");
  const file = makeBigFile(join(directory, "image.raw"), SIZE);
  const torrent = join(bed.directory("torrent"), "image.torrent");
  const { infoHash } = writeTorrent(torrent, file.path, "image.raw");
  const nowhere = `${bed.address()}:1`;
  const seed = startAria2(bed, { directory, source: torrent, dhtNode: nowhere, seed: true });
  const leech = runP2pfile(bed, ["download", magnetOf(infoHash, "image.raw", [seed.address])]);
  expect(await leech.waitForExit(TIMEOUT_MS)).toBe(0);
  expect(sha256Of(join(leech.cwd, "image.raw"))).toBe(file.sha256);
});

testWithAria2("serve --until-done counts an aria2 that has fetched the file", async () => {
  const file = makeBigFile(join(bed.directory("source"), "image.raw"), SIZE);
  const seed = runP2pfile(bed, ["serve", "--until-done", "1", "--upload-limit", "32", file.path]);
  const magnet = await seed.magnet();
  const directory = bed.directory("leech");
  startAria2(bed, { directory, source: magnet, dhtNode: addressesOf(magnet)[0]!, seed: false });
  expect(await seed.waitForExit(TIMEOUT_MS)).toBe(0);
  expect(sha256Of(join(directory, "image.raw"))).toBe(file.sha256);
});
