// Transfers between p2pfile and aria2 in both directions. aria2 ignores x.pe: it finds p2pfile through the DHT.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { addressesOf, runP2pfile } from "../helpers/binary.ts";
import { isInstalled, startAria2 } from "../helpers/other-clients.ts";
import { useTestFixture } from "../helpers/test-directory.ts";
import { magnetOf, writeTorrent } from "../helpers/torrent-file.ts";

const fixture = useTestFixture();
const SIZE = 64 * MiB;
const TIMEOUT_MS = 90_000;
const testWithAria2 = test.skipIf(!isInstalled("aria2"));

testWithAria2("aria2 downloads what p2pfile serves", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), SIZE);
  const seed = runP2pfile(fixture, ["serve", file.path]);
  const magnet = await seed.magnet();
  const directory = fixture.directory("leech");
  const leech = startAria2(fixture, {
    directory,
    source: magnet,
    dhtNode: addressesOf(magnet)[0]!,
    seed: false,
  });
  expect(await leech.child.waitForExit(TIMEOUT_MS)).toBe(0);
  expect(sha256Of(join(directory, "image.raw"))).toBe(file.sha256);
});

testWithAria2("p2pfile downloads what aria2 seeds", async () => {
  const directory = fixture.directory("seed");
  const file = makeBigFile(join(directory, "image.raw"), SIZE);
  const torrent = join(fixture.directory("torrent"), "image.torrent");
  const { infoHash } = writeTorrent(torrent, file.path, "image.raw");
  const nowhere = `${fixture.address()}:1`;
  const seed = startAria2(fixture, { directory, source: torrent, dhtNode: nowhere, seed: true });
  const leech = runP2pfile(fixture, ["download", magnetOf(infoHash, "image.raw", [seed.address])]);
  expect(await leech.waitForExit(TIMEOUT_MS)).toBe(0);
  expect(sha256Of(join(leech.cwd, "image.raw"))).toBe(file.sha256);
});

testWithAria2("serve --until-done counts an aria2 that has fetched the file", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), SIZE);
  const seed = runP2pfile(fixture, ["serve", "--until-done", "1", "--upload-limit", "32", file.path]);
  const magnet = await seed.magnet();
  const directory = fixture.directory("leech");
  startAria2(fixture, { directory, source: magnet, dhtNode: addressesOf(magnet)[0]!, seed: false });
  expect(await seed.waitForExit(TIMEOUT_MS)).toBe(0);
  expect(sha256Of(join(directory, "image.raw"))).toBe(file.sha256);
});
