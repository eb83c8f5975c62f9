// A file that changes while it is hashed or served. No wrong byte is accepted downstream, and no signal of the memory map ends
// the process.
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { type BigFile, makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { type P2pfile, runP2pfile } from "../helpers/binary.ts";
import { useTestFixture } from "../helpers/test-directory.ts";

const fixture = useTestFixture();

async function serve(
  flags: readonly string[] = [],
): Promise<{ file: BigFile; seed: P2pfile; magnet: string }> {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 16 * MiB);
  const seed = runP2pfile(fixture, ["serve", ...flags, file.path]);
  return { file, seed, magnet: await seed.magnet() };
}

/** Opens without O_TRUNC, as a program that edits the file in place. */
function inPlace(path: string, change: (fd: number) => void): void {
  const fd = openSync(path, "r+");
  change(fd);
  closeSync(fd);
}

describe("while it is hashed", () => {
  const changes: readonly [string, (path: string) => void][] = [
    ["truncated", (path) => inPlace(path, (fd) => ftruncateSync(fd, 1000))],
    ["written to", (path) => inPlace(path, (fd) => writeSync(fd, "x", 5))],
  ];
  for (const io of ["map", "pread"])
    test.each(changes)(`C7: a file that is %s ends with 7 and has no magnet (${io})`, async (_, change) => {
      const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 700 * MiB);
      const seed = runP2pfile(fixture, ["serve", file.path], { env: { P2PFILE_IO: io } });
      await seed.waitForEvent("hashing");
      change(file.path);
      expect(await seed.waitForExit(30_000)).toBe(7);
      expect(seed.wasKilled).toBe(false);
      expect(seed.eventsOf("serving")).toEqual([]);
      expect(seed.eventsOf("failed")[0]?.message).toMatch(/a\.bin: changed/);
    });

  test("C7, P6: a file of another user that is truncated again and again ends with 3 or 7, never by a signal", async () => {
    const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 256 * MiB);
    chmodSync(file.path, 0o444);
    const seed = runP2pfile(fixture, ["serve", file.path], { asNobody: true });
    await seed.waitForLine("stdout", /./);
    for (let i = 0; i < 200 && !seed.hasExited; i++) {
      inPlace(file.path, (fd) => {
        ftruncateSync(fd, 4096);
        ftruncateSync(fd, file.size);
      });
      await Bun.sleep(2);
    }
    expect([3, 7]).toContain(await seed.waitForExit(20_000));
    expect(seed.wasKilled).toBe(false);
  });
});

describe("while it is served", () => {
  const fatal: readonly [string, (file: BigFile) => void][] = [
    ["truncated", ({ path }) => inPlace(path, (fd) => ftruncateSync(fd, 5 * MiB))],
    ["one byte of it changed", ({ path }) => inPlace(path, (fd) => writeSync(fd, "x", 12 * MiB))],
    ["emptied", ({ path }) => writeFileSync(path, "")],
  ];
  test.each(fatal)("C8: %s ends serve with 7, and no wrong byte is accepted", async (_, change) => {
    const { file, seed, magnet } = await serve(["--upload-limit", "4"]);
    const leech = runP2pfile(fixture, ["download", "--timeout", "2", magnet]);
    await leech.waitForProgress((snapshot) => snapshot.completed > 2 * MiB);
    change(file);
    expect(await seed.waitForExit(5000)).toBe(7);
    expect(seed.eventsOf("failed")[0]?.message).toContain("a.bin");
    // No peer is left (6), unless a changed piece was sent before the seed noticed and failed its hash here (7).
    expect([6, 7]).toContain(await leech.waitForExit(20_000));
    expect(leech.text("stderr")).not.toContain("is not what");
  });

  const harmless: readonly [string, (file: BigFile) => void, RegExp][] = [
    ["touched", ({ path }) => utimesSync(path, 1, 1), /was touched/],
    ["made read-only", ({ path }) => chmodSync(path, 0o444), /was touched/],
    ["removed", ({ path }) => rmSync(path), /removed or replaced/],
    ["replaced by another", (file) => renameSync(other(file), file.path), /removed or replaced/],
  ];
  test.each(harmless)(
    "C8: %s is noticed, and the original content is still served",
    async (_, change, message) => {
      const { file, seed, magnet } = await serve(["--upload-limit", "8"]);
      const leech = runP2pfile(fixture, ["download", magnet]);
      await leech.waitForProgress((snapshot) => snapshot.completed > 2 * MiB);
      change(file);
      await seed.waitForLine("stderr", message, 5000);
      expect(await leech.waitForExit(20_000)).toBe(0);
      expect(sha256Of(join(leech.cwd, "a.bin"))).toBe(file.sha256);
      expect(seed.hasExited).toBe(false);
      const second = runP2pfile(fixture, ["download", magnet]);
      expect(await second.waitForExit(20_000)).toBe(0);
    },
  );

  test("C4: a file with read permission only is served", async () => {
    const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 8 * MiB);
    chmodSync(file.path, 0o444);
    const seed = runP2pfile(fixture, ["serve", file.path], { asNobody: true });
    const leech = runP2pfile(fixture, ["download", await seed.magnet()]);
    expect(await leech.waitForExit()).toBe(0);
    expect(sha256Of(join(leech.cwd, "a.bin"))).toBe(file.sha256);
  });
});

/** A file of the same size and other content beside it. */
function other(file: BigFile): string {
  const path = `${file.path}.new`;
  copyFileSync(file.path, path);
  inPlace(path, (fd) => writeSync(fd, "other"));
  return path;
}
