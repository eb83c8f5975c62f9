import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { MAX_FILE_LENGTH } from "../../src/core/torrent/limits.ts";
import { SourceError } from "../../src/lib/errors.ts";
import { stampOf } from "../../src/storage/file-stamp.ts";
import { SourceFile } from "../../src/storage/source-file.ts";
import { StampedFile } from "../../src/storage/stamped-file.ts";
import { failureOf, StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();

function madeFile(folder = fixture.folder()): string {
  const path = join(folder, "model.bin");
  writeFileSync(path, "content");
  return path;
}

describe("SourceFile", () => {
  test("opens a regular file under a relative path and knows its real one", async () => {
    const path = madeFile();
    const source = await SourceFile.open("./model.bin", join(path, ".."));
    expect([source.path, source.name, source.size]).toEqual([path, "model.bin", 7]);
    expect(source.stamp).toEqual(await stampOf(path));
    await source.close();
    await source.close();
  });

  test("C6: serves the target of a symlink under the link's name, and keeps it when the link moves on", async () => {
    const path = madeFile();
    const folder = fixture.folder();
    symlinkSync(path, join(folder, "latest.bin"));
    const source = await SourceFile.open("latest.bin", folder);
    expect([source.path, source.name]).toEqual([path, "latest.bin"]);
    rmSync(join(folder, "latest.bin"));
    symlinkSync("/dev/null", join(folder, "latest.bin"));
    expect(await source.changed()).toBe(false);
    await source.close();
  });

  const changes: readonly [string, (path: string) => void][] = [
    ["grown", (path) => appendFileSync(path, "x")],
    ["cut", (path) => truncateSync(path, 3)],
    ["rewritten with its old time put back", (path) => rewriteInPlace(path)],
    ["touched", (path) => utimesSync(path, 1, 1)],
  ];
  test.each(changes)(
    "C7, C8: notices that its file was %s, until the new stamp is adopted",
    async (_, change) => {
      const path = madeFile();
      const source = await SourceFile.open(path, "/");
      expect(await source.changed()).toBe(false);
      change(path);
      expect(await source.changed()).toBe(true);
      source.adoptStamp(await stampOf(source.fd));
      expect(await source.changed()).toBe(false);
      await source.close();
    },
  );

  test("C8: does not take another file at its path for its own", async () => {
    const path = madeFile();
    const source = await SourceFile.open(path, "/");
    const other = madeFile();
    const before = await stampOf(source.fd);
    renameSync(other, path);
    expect((await stampOf(source.fd)).inode).toBe(before.inode);
    expect(await source.isInPlace()).toBe(false);
    await source.close();
  });

  test("C8: knows whether its path still names it: not when that is gone or names a file of another disk", async () => {
    const path = madeFile();
    const source = await SourceFile.open(path, "/");
    expect(await source.isInPlace()).toBe(true);
    rmSync(path);
    expect(await source.isInPlace()).toBe(false);
    await source.close();
    const disks = [fixture.smallDisk(1 << 20), fixture.smallDisk(1 << 20)];
    const [one, other] = disks.map((disk) => disk && madeFile(disk));
    if (one === undefined || other === undefined) return;
    const stamp = await stampOf(one);
    expect((await stampOf(other)).inode).toBe(stamp.inode);
    const fd = openSync(one, "r");
    const atOther = new StampedFile(fd, other, stamp);
    expect([await atOther.isInPlace(), await atOther.changed()]).toEqual([false, false]);
    closeSync(fd);
  });

  test("leaves no descriptor open once it is closed, and closes it once", async () => {
    const path = madeFile();
    const source = await SourceFile.open(path, "/");
    expect(readlinkSync(`/proc/self/fd/${source.fd}`)).toBe(path);
    await source.close();
    const isOpen = (fd: string) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === path;
      } catch {
        return false;
      }
    };
    expect(readdirSync("/proc/self/fd").filter(isOpen)).toEqual([]);
    const others: number[] = [];
    // Each gets the lowest number that is free.
    while (!others.includes(source.fd)) others.push(openSync(path, "r"));
    await source.close();
    expect(isOpen(String(source.fd))).toBe(true);
    for (const fd of others) closeSync(fd);
  });

  test("C4: shares a file of up to 16 TiB and refuses a larger one", async () => {
    const disk = fixture.smallDisk(1 << 20);
    if (disk === undefined) return;
    const path = madeFile(disk);
    truncateSync(path, MAX_FILE_LENGTH);
    await (await SourceFile.open(path, "/")).close();
    truncateSync(path, MAX_FILE_LENGTH + 1);
    const failure = await failureOf(SourceFile.open(path, "/"));
    expect(failure).toBeInstanceOf(SourceError);
    expect(failure.message).toContain("is larger than 16.0 TiB, the most that a torrent can hold");
  });

  const refused: readonly [string, string, (folder: string) => string | undefined][] = [
    ["a missing file", "no such file", (folder) => join(folder, "missing")],
    ["a path through a file", "no such file", (folder) => join(madeFile(folder), "x")],
    ["a directory", "is a directory", (folder) => folder],
    ["an empty file", "an empty file cannot be shared", (folder) => written(join(folder, "empty"), "")],
    ["a file of /proc", "an empty file cannot be shared", () => "/proc/version"],
    ["a device", "a device", () => "/dev/zero"],
    ["a pipe", "a pipe", (folder) => pipe(join(folder, "pipe"))],
    ["a socket", "a socket", (folder) => socket(join(folder, "socket"))],
    ["a symlink to nothing", "no such file", (folder) => linked(join(folder, "link"), "nothing")],
    ["a symlink to itself", "circle", (folder) => linked(join(folder, "loop"), "loop")],
    ["a path that is not UTF-8", "not valid UTF-8", (folder) => join(folder, "caf\uFFFD")],
    ["an empty path", "path of the file is empty", () => ""],
    ["a name that is too long", "too long", (folder) => join(folder, "x".repeat(300))],
  ];
  test.each(refused)("C4, C5, C19: refuses %s with one line", async (_, reason, make) => {
    const path = make(fixture.folder());
    if (path === undefined) return;
    const failure = await failureOf(SourceFile.open(path, "/"));
    expect(failure).toBeInstanceOf(SourceError);
    expect(failure.message).toContain(reason);
    expect(failure.message).not.toContain("\n");
    for (const server of servers.splice(0)) server.stop(true);
  });

  test("C4: refuses a file that its user may not read", () => {
    const path = madeFile();
    chmodSync(join(path, ".."), 0o755);
    chmodSync(fixture.path, 0o755);
    chmodSync(path, 0);
    // Root reads everything, so another user has to try.
    const script = `
      import { SourceFile } from ${JSON.stringify(join(import.meta.dir, "../../src/storage/source-file.ts"))};
      if (process.getuid() === 0) process.setuid(65534);
      await SourceFile.open(${JSON.stringify(path)}, "/").then(() => console.log("opened"), (error) => console.log(error.name, error.message));
    `;
    const { stdout } = Bun.spawnSync([process.execPath, "-e", script]);
    expect(stdout.toString()).toContain("SourceError");
    expect(stdout.toString()).toContain("may not be read");
  });
});

const servers: { stop(force: boolean): void }[] = [];

function written(path: string, content: string): string {
  writeFileSync(path, content);
  return path;
}

function linked(path: string, target: string): string {
  symlinkSync(target, path);
  return path;
}

function pipe(path: string): string | undefined {
  return Bun.spawnSync(["mkfifo", path]).success ? path : undefined;
}

function socket(path: string): string {
  mkdirSync(join(path, ".."), { recursive: true });
  servers.push(Bun.listen({ unix: path, socket: { data() {} } }));
  return path;
}

/** Size and modification time end as they were, to the nanosecond; only the change time tells. */
function rewriteInPlace(path: string): void {
  const reference = join(fixture.folder(), "reference");
  writeFileSync(reference, "");
  Bun.spawnSync(["touch", "-r", path, reference]);
  writeFileSync(path, "CONTENT", { flag: "r+" });
  Bun.spawnSync(["touch", "-r", reference, path]);
}
