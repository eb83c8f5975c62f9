// An interrupted download resumes, and an existing file is respected.
import { expect, test } from "bun:test";
import { copyFileSync, existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join, resolve } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { type P2pfile, runP2pfile } from "../helpers/binary.ts";
import { useTestFixture } from "../helpers/test-directory.ts";

const fixture = useTestFixture();

async function interrupt(signal: NodeJS.Signals) {
  const size = 128 * MiB;
  const file = makeBigFile(join(fixture.directory("source"), "disk.img"), size);
  const seed = runP2pfile(fixture, ["serve", "--upload-limit", "16", file.path]);
  const magnet = await seed.magnet();
  const first = runP2pfile(fixture, ["download", magnet]);
  const reached = await first.waitForProgress((snapshot) => snapshot.completed >= 104 * MiB);
  first.signal(signal);
  const code = await first.waitForExit(4000);
  expect(existsSync(join(first.cwd, "disk.img"))).toBe(false);
  expect(readdirSync(first.cwd).some((name) => name.startsWith(".") && name.endsWith("p2pfile-part"))).toBe(
    true,
  );

  const second = runP2pfile(fixture, ["download", magnet], { cwd: first.cwd });
  expect(await second.waitForExit(40_000)).toBe(0);
  expect(sha256Of(join(second.cwd, "disk.img"))).toBe(file.sha256);
  const repeated = bytesDownloaded(second) - (size - reached.completed);
  console.info(`after ${signal} ${(repeated / MiB).toFixed(1)} MiB were fetched again`);
  return { code, repeated, second };
}

function bytesDownloaded(run: P2pfile): number {
  const snapshots = run.eventsOf("progress").flatMap((event) => event.transfers.map((it) => it.downloaded));
  expect(snapshots.length).toBeGreaterThan(0);
  return Math.max(...snapshots);
}

test("P1, P4: after SIGKILL a second run fetches at most 64 MiB again", async () => {
  const { code, repeated, second } = await interrupt("SIGKILL");
  expect(code).toBe(137);
  expect(repeated).toBeLessThanOrEqual(64 * MiB);
  expect(readdirSync(second.cwd).filter((name) => name.endsWith("p2pfile-part"))).toEqual([]);
});

test("P2: after SIGINT a second run fetches only the unfinished pieces again", async () => {
  const { code, repeated } = await interrupt("SIGINT");
  expect(code).toBe(130);
  expect(repeated).toBeLessThanOrEqual(12 * MiB);
});

test("N1: a resumed download continues with another seed in place of the first", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "disk.img"), 64 * MiB);
  const seed = runP2pfile(fixture, ["serve", "--upload-limit", "16", file.path]);
  const leech = runP2pfile(fixture, ["download", await seed.magnet()]);
  await leech.waitForProgress((snapshot) => snapshot.completed >= 16 * MiB);
  await seed.end();
  await Bun.sleep(500);
  expect(leech.hasExited).toBe(false);
  runP2pfile(fixture, ["serve", file.path], { cwd: seed.cwd, ip: seed.ip });
  expect(await leech.waitForExit(40_000)).toBe(0);
  expect(sha256Of(join(leech.cwd, "disk.img"))).toBe(file.sha256);
});

test("C11: an existing file with the same content counts as complete and is not changed", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "disk.img"), 20 * MiB);
  const seed = runP2pfile(fixture, ["serve", file.path]);
  const magnet = await seed.magnet();
  const target = fixture.directory("target");
  const path = join(target, "disk.img");
  copyFileSync(file.path, path);
  const before = statSync(path, { bigint: true });
  const plain = runP2pfile(fixture, ["download", magnet], { cwd: target, json: false });
  expect(await plain.waitForExit()).toBe(0);
  expect(resolve(target, plain.text("stdout"))).toBe(path);
  const json = runP2pfile(fixture, ["download", magnet], { cwd: target });
  expect(await json.waitForExit()).toBe(0);
  expect(json.eventsOf("completed")[0]?.existed).toBe(true);
  const after = statSync(path, { bigint: true });
  expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
});

test.each([
  ["the same size", 20 * MiB],
  ["another size", 100],
])("C12: an existing file of %s with other content ends with 4 and stays as it was", async (_, size) => {
  const file = makeBigFile(join(fixture.directory("source"), "disk.img"), 20 * MiB);
  const seed = runP2pfile(fixture, ["serve", file.path]);
  const magnet = await seed.magnet();
  const target = fixture.directory("target");
  const other = makeBigFile(join(target, "disk.img"), size);
  const before = statSync(other.path, { bigint: true });
  const leech = runP2pfile(fixture, ["download", magnet], { cwd: target, json: false });
  expect(await leech.waitForExit()).toBe(4);
  expect(leech.text("stdout")).toBe("");
  expect(leech.text("stderr")).toContain("disk.img");
  expect(sha256Of(other.path)).toBe(other.sha256);
  const after = statSync(other.path, { bigint: true });
  expect([after.ino, after.mtimeNs, after.size]).toEqual([before.ino, before.mtimeNs, before.size]);
});

test("X1: of two processes on the same download one continues and the other ends with 8", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "disk.img"), 32 * MiB);
  const seed = runP2pfile(fixture, ["serve", "--upload-limit", "8", file.path]);
  const magnet = await seed.magnet();
  const cwd = fixture.directory("target");
  const first = runP2pfile(fixture, ["download", magnet], { cwd });
  await first.waitForProgress((snapshot) => snapshot.completed > 0);
  const second = runP2pfile(fixture, ["download", magnet], { cwd, json: false });
  expect(await second.waitForExit(5000)).toBe(8);
  expect(second.text("stderr")).toContain("disk.img");
  expect(await first.waitForExit()).toBe(0);
  expect(sha256Of(join(cwd, "disk.img"))).toBe(file.sha256);
});

test("a second serve takes the hashes of an unchanged file from the state file, and hashes a changed one again", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "disk.img"), 32 * MiB);
  const cwd = fixture.directory("cwd");
  const serve = async () => {
    const seed = runP2pfile(fixture, ["serve", file.path], { cwd });
    const serving = await seed.waitForEvent("serving");
    await seed.end();
    return serving;
  };
  const first = await serve();
  expect(first.cached).toBe(false);
  const second = await serve();
  expect(second.cached).toBe(true);
  expect(second.infoHash).toBe(first.infoHash);
  utimesSync(file.path, new Date(), new Date(Date.now() - 60_000));
  const third = await serve();
  expect(third.cached).toBe(false);
  expect(third.infoHash).toBe(first.infoHash);
});
