// Transfers between p2pfile and Transmission in both directions. Transmission never dials loopback addresses, so p2pfile dials.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { runP2pfile } from "../helpers/binary.ts";
import { isInstalled, startTransmission } from "../helpers/other-clients.ts";
import { useTestFixture } from "../helpers/test-directory.ts";
import { magnetOf, writeTorrent } from "../helpers/torrent-file.ts";

const fixture = useTestFixture();
const SIZE = 64 * MiB;
// Transmission 3 increases its uploads slowly: 64 MiB take about 25 s to any client.
const TIMEOUT_MS = 100_000;
const testWithTransmission = test.skipIf(!isInstalled("transmission"));

testWithTransmission("Transmission downloads what p2pfile serves", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), SIZE);
  const directory = fixture.directory("leech");
  const leech = await startTransmission(fixture, directory);
  const seed = runP2pfile(fixture, ["serve", "--peers", leech.address, file.path]);
  await leech.add(await seed.magnet());
  await leech.waitUntilDone(TIMEOUT_MS);
  expect(sha256Of(join(directory, "image.raw"))).toBe(file.sha256);
});

testWithTransmission("p2pfile downloads what Transmission seeds", async () => {
  const directory = fixture.directory("seed");
  const file = makeBigFile(join(directory, "image.raw"), SIZE);
  const torrent = join(fixture.directory("torrent"), "image.torrent");
  const { infoHash } = writeTorrent(torrent, file.path, "image.raw");
  const seed = await startTransmission(fixture, directory);
  await seed.add(torrent);
  await seed.waitUntilDone(TIMEOUT_MS);
  const leech = runP2pfile(fixture, ["download", magnetOf(infoHash, "image.raw", [seed.address])]);
  expect(await leech.waitForExit(TIMEOUT_MS)).toBe(0);
  expect(sha256Of(join(leech.cwd, "image.raw"))).toBe(file.sha256);
});
