// Seeds that name each other replace one another, and a restarted seed keeps its magnets valid.
import { expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { addressesOf, infoHashOfMagnet, type P2pfile, runP2pfile } from "../helpers/binary.ts";
import { useTestFixture } from "../helpers/test-directory.ts";

const fixture = useTestFixture();

async function startPair() {
  const file = makeBigFile(join(fixture.directory("source"), "model.bin"), 48 * MiB);
  const copy = join(fixture.directory("copy"), "model.bin");
  copyFileSync(file.path, copy);
  const [left, right] = [fixture.address(), fixture.address()];
  const seed = (ip: string, port: number, other: string, path: string) =>
    runP2pfile(fixture, ["serve", "--port", String(port), "--peers", other, "--upload-limit", "6", path], {
      ip,
    });
  const first = seed(left, 42071, `${right}:42072`, file.path);
  const second = seed(right, 42072, `${left}:42071`, copy);
  return {
    file,
    seeds: [first, second] as const,
    magnets: [await first.magnet(), await second.magnet()] as const,
  };
}

test("two seeds that name each other print one info hash and both addresses", async () => {
  const { seeds, magnets } = await startPair();
  expect(infoHashOfMagnet(magnets[0])).toMatch(/^[0-9a-f]{40}$/);
  expect(infoHashOfMagnet(magnets[0])).toBe(infoHashOfMagnet(magnets[1]));
  const both = [`${seeds[0].ip}:42071`, `${seeds[1].ip}:42072`].toSorted();
  for (const magnet of magnets) expect(addressesOf(magnet).toSorted()).toEqual(both);
});

test.each([0, 1] as const)("N1: a download survives the death of seed %d", async (victim) => {
  const { file, seeds, magnets } = await startPair();
  const leech = runP2pfile(fixture, ["download", magnets[0]]);
  await leech.waitForProgress((snapshot) => snapshot.completed >= 12 * MiB);
  await seeds[victim].end();
  expect(await leech.waitForExit(40_000)).toBe(0);
  expect(sha256Of(join(leech.cwd, "model.bin"))).toBe(file.sha256);
});

test("a magnet of two seeds works when the first one never starts", async () => {
  const { file, seeds, magnets } = await startPair();
  await seeds[0].end();
  const leech = runP2pfile(fixture, ["download", magnets[0]]);
  expect(await leech.waitForExit(40_000)).toBe(0);
  expect(sha256Of(join(leech.cwd, "model.bin"))).toBe(file.sha256);
});

test("N1: a restarted seed takes its port from the state file, so that its magnet stays the same", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "model.bin"), 8 * MiB);
  let seed: P2pfile = runP2pfile(fixture, ["serve", file.path]);
  const magnet = await seed.magnet();
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
    seed.signal(signal);
    await seed.waitForExit(4000);
    seed = runP2pfile(fixture, ["serve", file.path], { cwd: seed.cwd, ip: seed.ip });
    expect(await seed.magnet()).toBe(magnet);
  }
});

test("serve --magnet takes the port from an old magnet", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "model.bin"), 8 * MiB);
  const first = runP2pfile(fixture, ["serve", "--port", "43999", file.path]);
  const magnet = await first.magnet();
  await first.end();
  const again = runP2pfile(fixture, ["serve", "--magnet", magnet, file.path], { ip: first.ip });
  expect(await again.magnet()).toBe(magnet);
  const leech = runP2pfile(fixture, ["download", magnet]);
  expect(await leech.waitForExit()).toBe(0);
  expect(sha256Of(join(leech.cwd, "model.bin"))).toBe(file.sha256);
});

test("serve --magnet refuses a file with another info hash", async () => {
  const source = fixture.directory("source");
  const file = makeBigFile(join(source, "model.bin"), 8 * MiB);
  const first = runP2pfile(fixture, ["serve", file.path]);
  const magnet = await first.magnet();
  await first.end();
  const other = makeBigFile(join(fixture.directory("other"), "model.bin"), 8 * MiB);
  const again = runP2pfile(fixture, ["serve", "--magnet", magnet, other.path], { ip: first.ip, json: false });
  expect(await again.waitForExit()).toBe(7);
  expect(again.text("stdout")).toBe("");
  expect(again.text("stderr")).toContain("model.bin");
});
