// The end of a download: at once by default, by time or by ratio with --seeding.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { infoHashOfMagnet, runP2pfile } from "../helpers/binary.ts";
import { useTestFixture } from "../helpers/test-directory.ts";
import { magnetOf } from "../helpers/torrent-file.ts";

const fixture = useTestFixture();

async function startSeed() {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), 16 * MiB);
  const seed = runP2pfile(fixture, ["serve", file.path]);
  return { file, seed, magnet: await seed.magnet() };
}

test("without --seeding a download ends as soon as it is complete", async () => {
  const { magnet } = await startSeed();
  const leech = runP2pfile(fixture, ["download", magnet]);
  expect(await leech.waitForExit()).toBe(0);
  const lingered = performance.now() - Math.max(...leech.timesOf((event) => event.type === "completed"));
  expect(lingered).toBeLessThan(1500);
  expect(leech.eventsOf("seedingEnded")).toEqual([]);
});

test("--seeding-time ends the seeding, and the path is printed before it", async () => {
  const { magnet } = await startSeed();
  const leech = runP2pfile(fixture, ["download", "--seeding", "--seeding-time", "2", magnet], {
    json: false,
  });
  const printed = await leech.waitForLine("stdout", /image\.raw$/);
  expect(await leech.waitForExit(10_000)).toBe(0);
  const seconds = (performance.now() - printed.at) / 1000;
  expect(seconds).toBeGreaterThan(1.8);
  expect(seconds).toBeLessThan(4);
  expect(leech.text("stderr")).toMatch(/seeding.*time|time.*seeding/i);
});

test("--seeding-time is in the JSON event", async () => {
  const { magnet } = await startSeed();
  const leech = runP2pfile(fixture, ["download", "--seeding", "--seeding-time", "1", magnet]);
  expect(await leech.waitForExit(10_000)).toBe(0);
  expect(leech.eventsOf("seedingEnded")[0]?.reason).toBe("time");
});

test("--seeding-ratio ends the seeding after the last byte has reached its leech", async () => {
  const { file, seed, magnet } = await startSeed();
  const flags = ["--seeding", "--seeding-time", "60", "--seeding-ratio", "1.0"];
  const first = runP2pfile(fixture, ["download", ...flags, magnet]);
  await first.waitForEvent("completed");
  await seed.end();
  const { host, port } = await first.waitForEvent("listening");
  const second = runP2pfile(fixture, [
    "download",
    magnetOf(infoHashOfMagnet(magnet), "image.raw", [`${host}:${port}`]),
  ]);
  expect(await second.waitForExit()).toBe(0);
  expect(sha256Of(join(second.cwd, "image.raw"))).toBe(file.sha256);
  expect(await first.waitForExit(10_000)).toBe(0);
  const ended = first.eventsOf("seedingEnded")[0];
  expect(ended?.reason).toBe("ratio");
  expect(ended?.ratio).toBeGreaterThanOrEqual(1);
  expect(ended?.ratio).toBeLessThan(1.2);
});
