// Transfers between p2pfile and libtorrent (qBittorrent, Deluge) in both directions, by x.pe and by the DHT alone.
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { addressesOf, infoHashOfMagnet, runP2pfile } from "../helpers/binary.ts";
import { isInstalled, startLibtorrent } from "../helpers/other-clients.ts";
import { useTestFixture } from "../helpers/test-directory.ts";
import { magnetOf, writeTorrent } from "../helpers/torrent-file.ts";

const fixture = useTestFixture();
const SIZE = 64 * MiB;
const TIMEOUT_MS = 60_000;
const testWithLibtorrent = test.skipIf(!isInstalled("libtorrent"));

function makeSeedFolder() {
  const directory = fixture.directory("seed");
  const file = makeBigFile(join(directory, "image.raw"), SIZE);
  const torrent = join(fixture.directory("torrent"), "image.torrent");
  const { infoHash } = writeTorrent(torrent, file.path, "image.raw");
  return { directory, file, torrent, infoHash };
}

testWithLibtorrent("libtorrent downloads what p2pfile serves", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), SIZE);
  const seed = runP2pfile(fixture, ["serve", file.path]);
  const directory = fixture.directory("leech");
  const leech = await startLibtorrent(fixture, "download", { directory, magnet: await seed.magnet() });
  await leech.child.waitForLine("stdout", /^done$/, TIMEOUT_MS);
  expect(sha256Of(join(directory, "image.raw"))).toBe(file.sha256);
});

testWithLibtorrent("p2pfile downloads what libtorrent seeds", async () => {
  const source = makeSeedFolder();
  const seed = await startLibtorrent(fixture, "seed", source);
  const leech = runP2pfile(fixture, ["download", magnetOf(source.infoHash, "image.raw", [seed.address])]);
  expect(await leech.waitForExit(TIMEOUT_MS)).toBe(0);
  expect(sha256Of(join(leech.cwd, "image.raw"))).toBe(source.file.sha256);
});

testWithLibtorrent("libtorrent finds a p2pfile seed through the DHT alone", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), SIZE);
  const seed = runP2pfile(fixture, ["serve", file.path]);
  const magnet = await seed.magnet();
  const dhtNode = addressesOf(magnet)[0]!;
  const directory = fixture.directory("leech");
  const bare = magnetOf(infoHashOfMagnet(magnet), "image.raw");
  const leech = await startLibtorrent(fixture, "download", { directory, magnet: bare, dhtNode });
  await leech.child.waitForLine("stdout", /^done$/, TIMEOUT_MS);
  expect(sha256Of(join(directory, "image.raw"))).toBe(file.sha256);
});

testWithLibtorrent("p2pfile finds a libtorrent seed through the DHT alone", async () => {
  const other = makeBigFile(join(fixture.directory("other"), "other.bin"), MiB);
  const node = runP2pfile(fixture, ["serve", other.path]);
  const dhtNode = addressesOf(await node.magnet())[0]!;
  const source = makeSeedFolder();
  await startLibtorrent(fixture, "seed", { ...source, dhtNode });
  const leech = runP2pfile(fixture, ["download", "--peers", dhtNode, magnetOf(source.infoHash, "image.raw")]);
  expect(await leech.waitForExit(TIMEOUT_MS)).toBe(0);
  expect(sha256Of(join(leech.cwd, "image.raw"))).toBe(source.file.sha256);
});

testWithLibtorrent("p2pfile and libtorrent leechers share one swarm", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), SIZE);
  const seed = runP2pfile(fixture, ["serve", "--upload-limit", "24", file.path]);
  const magnet = await seed.magnet();
  const directory = fixture.directory("other");
  mkdirSync(directory, { recursive: true });
  const other = await startLibtorrent(fixture, "download", { directory, magnet });
  const own = [1, 2].map(() =>
    runP2pfile(fixture, ["download", "--seeding", "--seeding-time", "20", magnet]),
  );
  await Promise.all(own.map((leech) => leech.waitForEvent("completed", () => true, TIMEOUT_MS)));
  await other.child.waitForLine("stdout", /^done$/, TIMEOUT_MS);
  for (const path of [directory, ...own.map((leech) => leech.cwd)]) {
    expect(sha256Of(join(path, "image.raw"))).toBe(file.sha256);
  }
});
