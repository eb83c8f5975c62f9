// The file that a download leaves: where `-o` puts it, and whether it may be executed.
import { expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { runP2pfile } from "../helpers/binary.ts";
import { binaryPath } from "../helpers/executable.ts";
import { useTestFixture } from "../helpers/test-directory.ts";

const fixture = useTestFixture();

async function served() {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 2 * MiB);
  return { file, magnet: await runP2pfile(fixture, ["serve", file.path]).magnet() };
}

const visible = (directory: string) =>
  readdirSync(directory)
    .filter((name) => !name.startsWith("."))
    .sort();

test("-o new.img is the file's name, and the path that is printed", async () => {
  const { file, magnet } = await served();
  const leech = runP2pfile(fixture, ["download", "-o", "new.img", magnet], { json: false });
  expect(await leech.waitForExit()).toBe(0);
  expect(leech.text("stdout")).toBe(join(leech.cwd, "new.img"));
  expect(sha256Of(join(leech.cwd, "new.img"))).toBe(file.sha256);
  expect(visible(leech.cwd)).toEqual(["new.img"]);
});

test("-o with the name of a file that exists is 0 with the same content, 4 with another, and never touches it", async () => {
  const { file, magnet } = await served();
  const cwd = fixture.directory("cwd");
  writeFileSync(join(cwd, "same.img"), readFileSync(file.path));
  writeFileSync(join(cwd, "size.img"), "other");
  writeFileSync(join(cwd, "byte.img"), new Uint8Array(2 * MiB));
  for (const [name, code] of [
    ["same.img", 0],
    ["size.img", 4],
    ["byte.img", 4],
  ] as const) {
    const leech = runP2pfile(fixture, ["download", "-o", name, magnet], { cwd });
    expect(await leech.waitForExit()).toBe(code);
  }
  expect(sha256Of(join(cwd, "same.img"))).toBe(file.sha256);
  expect(readFileSync(join(cwd, "size.img"), "utf8")).toBe("other");
  expect(visible(cwd)).toEqual(["byte.img", "same.img", "size.img"]);
});

test("-o with a directory that exists or a slash behind it is the directory, and --dir always is", async () => {
  const { file, magnet } = await served();
  const cwd = fixture.directory("cwd");
  mkdirSync(join(cwd, "old"));
  for (const [flag, name] of [
    ["-o", "old"],
    ["-o", "new/"],
    ["--dir", "third"],
  ] as const) {
    const leech = runP2pfile(fixture, ["download", flag, name, magnet], { cwd });
    expect(await leech.waitForExit()).toBe(0);
    expect(sha256Of(join(cwd, name, "a.bin"))).toBe(file.sha256);
  }
});

test("-o with a file's name for several magnets is code 2, and nothing is made", async () => {
  const magnets = ["1", "2"].map((digit) => `magnet:?xt=urn:btih:${digit.repeat(40)}`);
  const leech = runP2pfile(fixture, ["download", "-o", "new.img", ...magnets], { json: false });
  expect(await leech.waitForExit(5000)).toBe(2);
  expect(leech.text("stderr")).toContain("-o new.img: names one file and there are 2 magnets");
  expect(readdirSync(leech.cwd)).toEqual([]);
});

test("a download under a name of its own goes on where it stopped", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 32 * MiB);
  const magnet = await runP2pfile(fixture, ["serve", "--upload-limit", "16", file.path]).magnet();
  const cwd = fixture.directory("cwd");
  const first = runP2pfile(fixture, ["download", "-o", "new.img", magnet], { cwd });
  await first.waitForProgress((snapshot) => snapshot.completed > 8 * MiB);
  first.signal("SIGTERM");
  expect(await first.waitForExit()).toBe(143);
  const second = runP2pfile(fixture, ["download", "-o", "new.img", magnet], { cwd });
  expect(await second.waitForExit()).toBe(0);
  const done = second.snapshot();
  expect(done?.downloaded ?? 0).toBeLessThan(28 * MiB);
  expect(sha256Of(join(cwd, "new.img"))).toBe(file.sha256);
});

test("an executable file arrives executable as far as the umask allows, by the magnet alone", async () => {
  const file = makeBigFile(join(fixture.directory("source"), "tool"), 1 * MiB);
  chmodSync(file.path, 0o4755);
  const magnet = await runP2pfile(fixture, ["serve", file.path]).magnet();
  expect(magnet).toEndWith("&x.mode=x");
  const cwd = fixture.directory("cwd");
  const script = 'umask "$3"; exec "$0" download --ip "$1" -o "$4" "$2"';
  for (const [umask, mode, text] of [
    ["022", 0o755, magnet],
    ["077", 0o700, magnet],
    ["111", 0o666, magnet],
    ["022", 0o644, magnet.replace("&x.mode=x", "")],
    ["022", 0o644, magnet.replace("&x.mode=x", "&x.mode=4755")],
  ] as const) {
    const name = `tool-${umask}-${text.length}`;
    const command = ["sh", "-c", script, binaryPath, fixture.address(), text, umask, name];
    const leech = fixture.spawn(command, { cwd, env: { HOME: cwd } });
    expect(await leech.waitForExit()).toBe(0);
    expect(statSync(join(cwd, name)).mode & 0o7777).toBe(mode);
    expect(sha256Of(join(cwd, name))).toBe(file.sha256);
  }
});

test("a file that may not be executed has no x.mode in its magnet", async () => {
  const { magnet } = await served();
  expect(magnet).not.toContain("x.mode");
});

test("a sparse image stays sparse, also when its download was killed in between", async () => {
  const path = join(fixture.directory("source"), "disk.img");
  const fd = openSync(path, "w");
  ftruncateSync(fd, 256 * MiB);
  for (const at of [0, 100, 101, 255])
    writeSync(fd, crypto.getRandomValues(new Uint8Array(65_536)), 0, 65_536, at * MiB);
  closeSync(fd);
  const magnet = await runP2pfile(fixture, ["serve", "--upload-limit", "100", path]).magnet();
  const cwd = fixture.directory("cwd");
  const first = runP2pfile(fixture, ["download", magnet], { cwd });
  await first.waitForProgress((snapshot) => snapshot.completed > 64 * MiB);
  first.signal("SIGKILL");
  await first.exited;
  const second = runP2pfile(fixture, ["download", magnet], { cwd });
  expect(await second.waitForExit()).toBe(0);
  const image = join(cwd, "disk.img");
  expect(sha256Of(image)).toBe(sha256Of(path));
  expect(statSync(image).blocks * 512).toBeLessThan(2 * MiB);
});
