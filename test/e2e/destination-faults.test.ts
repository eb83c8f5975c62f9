// A destination that is full, and several downloads with one destination.
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { type BigFile, makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { addressesOf, infoHashOfMagnet, runP2pfile } from "../helpers/binary.ts";
import { binaryPath } from "../helpers/executable.ts";
import { useTestFixture } from "../helpers/test-directory.ts";
import { magnetOf } from "../helpers/torrent-file.ts";

const fixture = useTestFixture();

async function served(name = "a.bin", size = 16 * MiB): Promise<{ file: BigFile; magnet: string }> {
  const file = makeBigFile(join(fixture.directory("source"), name), size);
  return { file, magnet: await runP2pfile(fixture, ["serve", file.path]).magnet() };
}

describe("a full disk", () => {
  test("C9: a disk without space ends with 5 at once, and no file stays on it", async () => {
    const disk = fixture.directory("disk");
    const isMounted = Bun.spawnSync([
      "mount",
      "-t",
      "tmpfs",
      "-o",
      "size=24m,mode=755",
      "p2pfile-test",
      disk,
    ]).success;
    if (!isMounted) return console.warn("SKIPPED: a small file system cannot be mounted here");
    fixture.onEnd(() => void Bun.spawnSync(["umount", "-l", disk]));
    const { magnet } = await served();
    const leech = runP2pfile(fixture, ["download", "--dir", disk, magnet], { json: false });
    expect(await leech.waitForExit(5000)).toBe(5);
    expect(leech.text("stderr")).toMatch(/a\.bin.*(room|space|free)/i);
    expect(readdirSync(disk)).toEqual([]);
  });

  test("C9: a disk without free inodes ends with 5 and names them", async () => {
    const disk = fixture.directory("disk");
    const isMounted = Bun.spawnSync([
      "mount",
      "-t",
      "tmpfs",
      "-o",
      "size=64m,nr_inodes=1",
      "p2pfile-test",
      disk,
    ]).success;
    if (!isMounted) return console.warn("SKIPPED: a small file system cannot be mounted here");
    fixture.onEnd(() => void Bun.spawnSync(["umount", "-l", disk]));
    const { magnet } = await served();
    const leech = runP2pfile(fixture, ["download", "--dir", disk, magnet], { json: false });
    expect(await leech.waitForExit(5000)).toBe(5);
    expect(leech.text("stderr")).toContain("no free inodes");
  });

  test("C10: a limit on the size of files ends with 5 and not by a signal, and the next run completes", async () => {
    const { file, magnet } = await served();
    const cwd = fixture.directory("cwd");
    const limited = fixture.spawn(
      [
        "sh",
        "-c",
        'ulimit -f 8192; exec "$0" download --ip "$1" "$2"',
        binaryPath,
        fixture.address(),
        magnet,
      ],
      { cwd, env: { HOME: cwd } },
    );
    expect(await limited.waitForExit(10_000)).toBe(5);
    expect(limited.wasKilled).toBe(false);
    expect(limited.text("stderr")).toContain("a.bin");
    expect(existsSync(join(cwd, "a.bin"))).toBe(false);
    const second = runP2pfile(fixture, ["download", magnet], { cwd });
    expect(await second.waitForExit()).toBe(0);
    expect(sha256Of(join(cwd, "a.bin"))).toBe(file.sha256);
  });
});

describe("downloads with one destination", () => {
  test("X3: of two working directories with one destination one downloads, the other ends with 8", async () => {
    const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 32 * MiB);
    const magnet = await runP2pfile(fixture, ["serve", "--upload-limit", "8", file.path]).magnet();
    const target = fixture.directory("target");
    const first = runP2pfile(fixture, ["download", "--dir", target, magnet]);
    await first.waitForProgress((snapshot) => snapshot.completed > 0);
    const second = runP2pfile(fixture, ["download", "--dir", target, magnet], { json: false });
    expect(await second.waitForExit(5000)).toBe(8);
    expect(second.text("stderr")).toContain(`pid ${first.pid}`);
    expect(await first.waitForExit()).toBe(0);
    expect(sha256Of(join(target, "a.bin"))).toBe(file.sha256);
  });

  test("C21: the same magnet twice is one download", async () => {
    const { file, magnet } = await served();
    const again = magnetOf(infoHashOfMagnet(magnet).toUpperCase(), "other-name", addressesOf(magnet));
    const leech = runP2pfile(fixture, ["download", magnet, again]);
    expect(await leech.waitForExit()).toBe(0);
    expect(leech.eventsOf("completed").map(({ index }) => index)).toEqual([0]);
    expect(sha256Of(join(leech.cwd, "a.bin"))).toBe(file.sha256);
  });

  test("C21: of two files with one name the first is kept, the other ends with 4 and keeps its part file", async () => {
    const one = await served();
    const two = await served();
    const leech = runP2pfile(fixture, ["download", one.magnet, two.magnet]);
    expect(await leech.waitForExit()).toBe(4);
    expect(leech.eventsOf("failed").map(({ exitCode }) => exitCode)).toEqual([4]);
    expect([one.file.sha256, two.file.sha256]).toContain(sha256Of(join(leech.cwd, "a.bin")));
    expect(readdirSync(leech.cwd).filter((name) => name.endsWith("p2pfile-part"))).toHaveLength(1);
  });
});

describe("serve", () => {
  test("C3: a port that only root may use ends with 2 and names it", async () => {
    const cwd = fixture.directory("cwd");
    writeFileSync(join(cwd, "a.bin"), "content");
    const seed = runP2pfile(fixture, ["serve", "--port", "80", "a.bin"], {
      cwd,
      asNobody: true,
      json: false,
    });
    const served = seed.waitForLine("stdout", /^magnet/).then(() => "served");
    const code = await served.catch(() => seed.waitForExit());
    // Some machines allow every port to every user.
    if (code === "served") return;
    expect(code).toBe(2);
    expect(seed.text("stderr")).toMatch(/\b80\b/);
  });

  test("C16: a name that is too long for its part file ends with 3", async () => {
    const cwd = fixture.directory("cwd");
    const name = "x".repeat(201);
    writeFileSync(join(cwd, name), "content");
    const seed = runP2pfile(fixture, ["serve", name], { cwd, json: false });
    expect(await seed.waitForExit(5000)).toBe(3);
    expect(seed.text("stdout")).toBe("");
  });
});
