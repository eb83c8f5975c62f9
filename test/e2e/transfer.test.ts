// The compiled executable moves files between processes: one to one, one to five, several at once.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { addressesOf, infoHashOfMagnet, runP2pfile } from "../helpers/binary.ts";
import { useTestFixture } from "../helpers/test-directory.ts";

const fixture = useTestFixture();

test("one seed serves one leech, and stdout has the answers only", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "model 1.bin"), 40 * MiB + 12_345);
  const seed = runP2pfile(fixture, ["serve", file.path], { json: false });
  const magnet = await seed.magnet();
  expect(magnet).toMatch(/^magnet:\?xt=urn:btih:[0-9a-f]{40}&dn=model%201\.bin&x\.pe=[0-9.]+:[0-9]+$/);
  const [address] = addressesOf(magnet);
  expect(address).toStartWith(`${seed.ip}:`);

  const leech = runP2pfile(fixture, ["download", magnet], { json: false });
  expect(await leech.waitForExit()).toBe(0);
  expect(leech.lines.stdout).toHaveLength(1);
  const path = resolve(leech.cwd, leech.text("stdout"));
  expect(path).toBe(join(leech.cwd, "model 1.bin"));
  expect(sha256Of(path)).toBe(file.sha256);
  expect(readdirSync(leech.cwd).filter((name) => name.endsWith("-part"))).toEqual([]);

  expect(seed.lines.stdout).toHaveLength(1);
  for (const run of [seed, leech]) expect(run.text("stderr")).not.toContain("\u001b");
});

test("the executable needs no sources beside it", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 20 * MiB);
  const seed = runP2pfile(fixture, ["serve", "a.bin"], { cwd: join(file.path, ".."), asNobody: true });
  const leech = runP2pfile(fixture, ["download", await seed.magnet()]);
  expect(await leech.waitForExit()).toBe(0);
  expect(sha256Of(join(leech.cwd, "a.bin"))).toBe(file.sha256);
});

test("one seed serves five leeches that exchange pieces", async () => {
  const size = 48 * MiB;
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), size);
  const seed = runP2pfile(fixture, ["serve", "--upload-limit", "12", file.path]);
  const magnet = await seed.magnet();
  const leeches = [1, 2, 3, 4, 5].map(() => runP2pfile(fixture, ["download", magnet]));
  expect(await Promise.all(leeches.map((leech) => leech.waitForExit(60_000)))).toEqual([0, 0, 0, 0, 0]);
  for (const leech of leeches) expect(sha256Of(join(leech.cwd, "image.raw"))).toBe(file.sha256);
  // Little is sent after the last leech's last block, but much may be sent since the last event.
  await seed.waitForEvent("progress", ({ transfers }) => transfers.every((it) => it.uploaded >= size * 0.9));
  const uploaded = Math.max(
    ...seed.eventsOf("progress").flatMap((event) => event.transfers.map((it) => it.uploaded)),
  );
  console.info(`the seed sent ${(uploaded / size).toFixed(2)} copies to five leeches`);
  expect(uploaded).toBeLessThan(size * 2.5);
});

test("one serve offers several files and one download fetches several magnets", async () => {
  const source = fixture.directory("source");
  const files = [3 * MiB, 17 * MiB + 1, 1].map((size, index) =>
    makeBigFile(join(source, `file-${index}`), size),
  );
  const seed = runP2pfile(fixture, ["serve", ...files.map((file) => file.path)], { json: false });
  const magnets = await Promise.all(files.map((_, index) => seed.magnet(index)));
  expect(new Set(magnets.map(infoHashOfMagnet)).size).toBe(3);
  expect(new Set(magnets.flatMap(addressesOf)).size).toBe(1);

  const target = fixture.directory("target");
  const leech = runP2pfile(fixture, ["download", "--dir", target, ...magnets], { json: false });
  expect(await leech.waitForExit()).toBe(0);
  const printed = leech.lines.stdout.map((line) => resolve(leech.cwd, line.text)).toSorted();
  expect(printed).toEqual(files.map((file) => join(target, file.path.slice(source.length + 1))));
  for (const file of files)
    expect(sha256Of(join(target, file.path.slice(source.length + 1)))).toBe(file.sha256);
});

test("N4: a leech that starts before its seed finds it when it starts", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), 8 * MiB);
  const first = runP2pfile(fixture, ["serve", file.path]);
  const magnet = await first.magnet();
  await first.end();
  const leech = runP2pfile(fixture, ["download", magnet]);
  await leech.waitForEvent("listening");
  await Bun.sleep(1500);
  runP2pfile(fixture, ["serve", file.path], { cwd: first.cwd, ip: first.ip });
  expect(await leech.waitForExit()).toBe(0);
  expect(sha256Of(join(leech.cwd, "image.raw"))).toBe(file.sha256);
});

test("several nodes share one address, each on a port of its own", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), 24 * MiB);
  const ip = fixture.address();
  const seed = runP2pfile(fixture, ["serve", file.path], { ip });
  const magnet = await seed.magnet();
  const leeches = [1, 2, 3, 4].map(() => runP2pfile(fixture, ["download", magnet], { ip }));
  expect(await Promise.all(leeches.map((leech) => leech.waitForExit(40_000)))).toEqual([0, 0, 0, 0]);
  for (const leech of leeches) expect(sha256Of(join(leech.cwd, "image.raw"))).toBe(file.sha256);
  const ports = [seed, ...leeches].map((run) => run.eventsOf("listening")[0]?.port);
  expect(new Set(ports).size).toBe(5);
  for (const port of ports) expect(port).toBeWithin(42070, 42100);
});
