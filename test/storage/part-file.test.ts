import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { infoHashOf } from "../../src/core/torrent/ids.ts";
import { ALLOCATION_STEP_LENGTH } from "../../src/storage/limits.ts";
import { BusyError, DestinationError, DiskError } from "../../src/lib/errors.ts";
import { stampOf } from "../../src/storage/file-stamp.ts";
import { lockExclusively } from "../../src/storage/libc.ts";
import { findHolder } from "../../src/storage/lock-holder.ts";
import { partFileName } from "../../src/storage/own-files.ts";
import { PartFile } from "../../src/storage/part-file.ts";
import { removeStrayPart } from "../../src/storage/part-place.ts";
import { failureOf, StorageFixture } from "./storage-fixture.ts";

const fixture = new StorageFixture();
const MiB = 1 << 20;
const infoHash = infoHashOf(new Uint8Array(20).fill(0xab));
const FIXTURE = join(import.meta.dir, "fixtures/hold-part.ts");

function options(directory: string, size = 7, name = "model.bin") {
  return { directory, name, infoHash, size };
}

/** Descriptors of this process that are open on files of the folder. */
function openCount(folder: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      // A removed file's path has more behind it.
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${folder}/`);
    } catch {
      return false;
    }
  }).length;
}

/** A complete download, still under its part name. */
async function filled(directory: string, content = "content"): Promise<PartFile> {
  const part = await PartFile.open(options(directory, content.length));
  writeSync(part.fd, Buffer.from(content), 0, content.length, 0);
  return part;
}

describe("PartFile", () => {
  test("is hidden, beside the final name, of its full size and allocated", async () => {
    const folder = fixture.folder();
    const part = await PartFile.open(options(folder, 3 * MiB));
    expect(readdirSync(folder)).toEqual([".model.bin.abababab.p2pfile-part"]);
    expect(part.path).toBe(join(folder, ".model.bin.abababab.p2pfile-part"));
    expect(part.finalPath).toBe(join(folder, "model.bin"));
    const stats = statSync(part.path, { bigint: true });
    expect([stats.size, stats.ino, part.existed]).toEqual([BigInt(3 * MiB), part.inode, false]);
    expect(stats.blocks * 512n).toBeGreaterThanOrEqual(BigInt(3 * MiB));
    await part.close();
  });

  test("reserves more than one step", async () => {
    const part = await PartFile.open(options(fixture.folder(), ALLOCATION_STEP_LENGTH + 5));
    expect(statSync(part.path).size).toBe(ALLOCATION_STEP_LENGTH + 5);
    await part.close();
  });

  test("keeps a part file of the right size and starts one of another size anew", async () => {
    const folder = fixture.folder();
    const first = await filled(folder);
    await first.close();
    const second = await PartFile.open(options(folder));
    expect([second.existed, second.inode]).toEqual([true, first.inode]);
    expect(readFileSync(second.path, "utf8")).toBe("content");
    await second.close();
    const third = await PartFile.open(options(folder, 9));
    expect(third.existed).toBe(false);
    expect(readFileSync(third.path)).toEqual(Buffer.alloc(9));
    await third.close();
  });

  test("C13: does not leave its directory, whatever the name says", async () => {
    const folder = fixture.folder();
    for (const name of ["../model.bin", "..", "a/b", ""]) {
      expect(await failureOf(PartFile.open(options(folder, 7, name)))).toBeInstanceOf(DestinationError);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test("closed twice it leaves alone the file that has its descriptor's number by then", async () => {
    const folder = fixture.folder();
    const part = await filled(folder);
    await part.close();
    const others: number[] = [];
    // Each gets the lowest number that is free.
    while (!others.includes(part.fd)) others.push(openSync(part.path, "r"));
    await part.close();
    expect(readFileSync(part.fd, "utf8")).toBe("content");
    for (const fd of others) closeSync(fd);
  });

  test("P7: a sync that the system refuses is an error, and the file gets no name", async () => {
    const part = await filled(fixture.folder());
    closeSync(part.fd);
    const failure = await failureOf(part.sync());
    expect(failure).toBeInstanceOf(DiskError);
    expect(failure.message).toStartWith(`cannot bring ${part.path} to the disk: `);
    expect(await failureOf(part.finish())).toBeInstanceOf(DiskError);
    expect(existsSync(part.finalPath)).toBe(false);
  });

  test("makes the directory when only its last component is missing", async () => {
    const folder = join(fixture.folder(), "models");
    const part = await PartFile.open(options(folder));
    expect(existsSync(part.path)).toBe(true);
    await part.close();
  });

  test("ends under the final name alone, with the mode the umask leaves, and stays readable", async () => {
    const folder = fixture.folder();
    const before = process.umask(0o027);
    const part = await filled(folder);
    process.umask(before);
    expect((await part.finish()).path).toBe(join(folder, "model.bin"));
    expect(readdirSync(folder)).toEqual(["model.bin"]);
    expect(readFileSync(join(folder, "model.bin"), "utf8")).toBe("content");
    expect(statSync(join(folder, "model.bin")).mode & 0o777).toBe(0o640);
    expect(readFileSync(part.fd, "utf8")).toBe("content");
    await part.close();
  });

  test("its stamp is the one of its content: the links of its own end do not count, a write does", async () => {
    const part = await filled(fixture.folder());
    const file = await part.finish();
    expect(file.stamp).toEqual(await stampOf(part.finalPath));
    expect([await file.changed(), await file.isInPlace()]).toEqual([false, true]);
    writeSync(part.fd, "C", 0);
    expect(await file.changed()).toBe(true);
    await part.close();
  });

  test("what another process writes while the file gets its final name shows in the stamp", async () => {
    const part = await filled(fixture.folder());
    const finishing = part.finish();
    while (!existsSync(part.finalPath)) await new Promise((resolve) => setImmediate(resolve));
    // The clock of a file's times is a coarse one.
    utimesSync(part.finalPath, 1, statSync(part.finalPath).mtimeMs / 1000 + 1);
    expect(await (await finishing).changed()).toBe(true);
    await part.close();
  });

  test("C12: never replaces what came to stand under the final name", async () => {
    const folder = fixture.folder();
    const part = await filled(folder);
    for (const occupy of [
      () => writeFileSync(part.finalPath, "precious"),
      () => symlinkSync("nowhere", part.finalPath),
    ]) {
      occupy();
      const failure = await failureOf(part.finish());
      expect(failure).toBeInstanceOf(DestinationError);
      expect(failure.message).toContain(part.finalPath);
      expect(failure.message).toContain(part.path);
      expect(readFileSync(part.path, "utf8")).toBe("content");
      unlinkSync(part.finalPath);
    }
    mkdirSync(part.finalPath);
    expect(await failureOf(part.finish())).toBeInstanceOf(DestinationError);
    await part.close();
  });

  test("does not finish a part file that another program cut, moved or replaced", async () => {
    const cut = await filled(fixture.folder());
    writeFileSync(cut.path, "cut");
    expect(await failureOf(cut.finish())).toBeInstanceOf(DiskError);
    await cut.close();
    const replaced = await filled(fixture.folder());
    unlinkSync(replaced.path);
    expect(await failureOf(replaced.finish())).toBeInstanceOf(DiskError);
    writeFileSync(replaced.path, "content");
    expect(await failureOf(replaced.finish())).toBeInstanceOf(DiskError);
    expect(existsSync(replaced.finalPath)).toBe(false);
    await replaced.close();
  });

  test("never writes into a part file that has a second name", async () => {
    const folder = fixture.folder();
    const first = await filled(folder);
    await first.close();
    // As after a kill between the two last steps, and the user moved the finished file.
    linkSync(first.path, join(folder, "moved.bin"));
    const second = await PartFile.open(options(folder));
    expect([second.existed, second.inode === first.inode]).toEqual([false, false]);
    expect(readFileSync(join(folder, "moved.bin"), "utf8")).toBe("content");
    await second.close();
  });

  test("P1: removes a stray part name only when it is the final file", async () => {
    const folder = fixture.folder();
    const part = await filled(folder);
    await part.close();
    await removeStrayPart(options(folder));
    expect(existsSync(part.path)).toBe(true);
    writeFileSync(part.finalPath, "content");
    await removeStrayPart(options(folder));
    expect(existsSync(part.path)).toBe(true);
    unlinkSync(part.finalPath);
    linkSync(part.path, part.finalPath);
    await removeStrayPart(options(folder));
    expect(readdirSync(folder)).toEqual(["model.bin"]);
    const failure = await failureOf(removeStrayPart(options(part.finalPath)));
    expect(failure).toBeInstanceOf(DestinationError);
    expect(failure.message).toContain(part.finalPath);
  });

  const planted: readonly [string, (path: string) => void][] = [
    ["a symlink to a file", (path) => symlinkSync("/etc/hostname", path)],
    ["a symlink to nothing", (path) => symlinkSync("nothing", path)],
    ["a directory", (path) => mkdirSync(path)],
    ["a pipe", (path) => Bun.spawnSync(["mkfifo", path])],
    ["a socket", (path) => Bun.listen({ unix: path, socket: { data() {} } }).unref()],
  ];
  test.each(planted)("C13: does not follow or open %s planted under its name", async (_, plant) => {
    const folder = fixture.folder();
    const path = join(folder, partFileName("model.bin", infoHash));
    plant(path);
    const failure = await failureOf(PartFile.open(options(folder)));
    expect(failure).toBeInstanceOf(DestinationError);
    expect(failure.message).toBe(`${path}: is not a regular file; move it away or choose another --dir`);
    expect(existsSync(join(folder, "nothing"))).toBe(false);
    expect(openCount(folder)).toBe(0);
  });

  test("C14: names the directory that this user may not write", async () => {
    const failure = await failureOf(PartFile.open(options("/proc")));
    expect(failure).toBeInstanceOf(DestinationError);
    expect(failure.message).toStartWith("/proc: ");
  });

  test("C13: never takes a part file of another user, or one that others can write to", async () => {
    const change: ((path: string) => void)[] = [(path) => chmodSync(path, 0o666)];
    if (process.getuid?.() === 0) change.push((path) => chownSync(path, 65_534, 65_534));
    for (const make of change) {
      const folder = fixture.folder();
      const path = join(folder, partFileName("model.bin", infoHash));
      writeFileSync(path, "content");
      make(path);
      const failure = await failureOf(PartFile.open(options(folder)));
      expect(failure).toBeInstanceOf(DestinationError);
      expect(failure.message).toContain(`${path}: `);
      expect(readFileSync(path, "utf8")).toBe("content");
    }
  });

  test("C13: grows in a directory of our own where other users can write, and ends in theirs", async () => {
    const folder = fixture.folder();
    chmodSync(folder, 0o1777);
    const name = partFileName("model.bin", infoHash);
    writeFileSync(join(folder, name), "planted");
    const first = await filled(folder);
    expect(first.path).toBe(join(folder, `.p2pfile-${process.geteuid?.()}`, name));
    await first.close();
    const second = await PartFile.open(options(folder));
    expect([second.existed, second.missing]).toEqual([true, undefined]);
    await second.finish();
    expect(readFileSync(join(folder, "model.bin"), "utf8")).toBe("content");
    expect([readFileSync(join(folder, name), "utf8"), existsSync(second.path)]).toEqual(["planted", false]);
    linkSync(second.finalPath, second.path);
    await removeStrayPart(options(folder));
    expect(existsSync(second.path)).toBe(false);
    await second.close();
  });

  test("C13: goes on where that directory's name is taken, with a warning, and leaves nothing", async () => {
    const folder = fixture.folder();
    chmodSync(folder, 0o1777);
    const taken = `.p2pfile-${process.geteuid?.()}`;
    writeFileSync(join(folder, taken), "");
    const stopped = await filled(folder);
    expect(stopped.missing).toContain(`${join(folder, taken)} is not a directory: the progress`);
    await stopped.close();
    expect(readdirSync(folder)).toEqual([taken]);
    const done = await filled(folder);
    await done.finish();
    await done.close();
    expect(readdirSync(folder).toSorted()).toEqual([taken, "model.bin"].toSorted());
    expect(await failureOf(PartFile.open({ ...options(folder), size: 2 ** 52 }))).toBeInstanceOf(DiskError);
    expect(readdirSync(folder).toSorted()).toEqual([taken, "model.bin"].toSorted());
  });

  test("X1, X3: belongs to one process: another ends within a second and names the holder", async () => {
    const folder = fixture.folder();
    await using holder = holdPart(folder, 7);
    expect(await firstLine(holder)).toStartWith("held");
    const start = performance.now();
    const failure = await failureOf(PartFile.open(options(folder)));
    expect(performance.now() - start).toBeLessThan(1000);
    expect(failure).toBeInstanceOf(BusyError);
    expect(failure.message).toContain(`another process (pid ${holder.pid}) is downloading this file`);
    expect(openCount(folder)).toBe(0);
    holder.kill("SIGKILL");
    await holder.exited;
    const part = await PartFile.open(options(folder));
    expect(part.existed).toBe(true);
    await part.close();
  }, 20_000);

  test("X1: looks at the name again after it has the lock: what its holder finished meanwhile is no part file", async () => {
    const folder = fixture.folder();
    const holder = await filled(folder);
    let locks = 0;
    const lock = (fd: number) => {
      if (locks++ === 0) {
        // Between the opening and the lock the holder ends.
        linkSync(holder.path, holder.finalPath);
        unlinkSync(holder.path);
        closeSync(holder.fd);
      }
      return lockExclusively(fd);
    };
    const part = await PartFile.open({ ...options(folder), lock });
    expect([locks, part.existed, part.inode === holder.inode]).toEqual([2, false, false]);
    expect(statSync(part.path, { bigint: true }).ino).toBe(part.inode);
    writeSync(part.fd, "garbage", 0);
    expect(readFileSync(holder.finalPath, "utf8")).toBe("content");
    await part.close();
  });

  test("X1: looks at the name again: a file that another process put there meanwhile is not the locked one", async () => {
    const folder = fixture.folder();
    const first = await filled(folder);
    await first.close();
    writeFileSync(join(folder, "next"), "CONTENT");
    let locks = 0;
    const lock = (fd: number) => {
      if (locks++ === 0) renameSync(join(folder, "next"), first.path);
      return lockExclusively(fd);
    };
    const part = await PartFile.open({ ...options(folder), lock });
    expect([locks, part.inode]).toEqual([2, statSync(part.path, { bigint: true }).ino]);
    expect(readFileSync(part.fd, "utf8")).toBe("CONTENT");
    await part.close();
  });

  test("X1: a holder that the system does not name is another process", async () => {
    const lock = () => "EWOULDBLOCK";
    const failure = await failureOf(PartFile.open({ ...options(fixture.folder()), lock }));
    expect(failure).toBeInstanceOf(BusyError);
    expect(failure.message).toContain(": another process is downloading this file; wait for it or stop it");
  });

  test("X1: gives up when other processes keep taking the download", async () => {
    const folder = fixture.folder();
    const part = await filled(folder);
    const lock = () => {
      unlinkSync(part.path);
      return undefined;
    };
    const failure = await failureOf(PartFile.open({ ...options(folder), lock }));
    expect(failure).toBeInstanceOf(BusyError);
    expect(failure.message).toContain("other processes keep taking this download");
    await part.close();
    expect(openCount(folder)).toBe(0);
  });

  test("X1: has one winner of six processes that start at once", async () => {
    const folder = fixture.folder();
    await using children = new AsyncDisposableStack();
    const started = Array.from({ length: 6 }, () => children.use(holdPart(folder, 1_000_000)));
    const lines = await Promise.all(started.map(firstLine));
    expect(lines.filter((line) => line.startsWith("held"))).toHaveLength(1);
    expect(lines.filter((line) => line === "BusyError\n")).toHaveLength(5);
  }, 20_000);

  test("C9: is refused before anything is reserved when the disk has too little room", async () => {
    const disk = fixture.smallDisk(32 * MiB);
    if (disk === undefined) return;
    const failure = await failureOf(PartFile.open(options(disk, 30 * MiB)));
    expect(failure).toBeInstanceOf(DiskError);
    expect(failure.message).toContain("30.0 MiB");
    expect(failure.message).toContain(disk);
    expect([readdirSync(disk), openCount(disk)]).toEqual([[], 0]);
  });

  test.each([
    ["755", ".model.bin.abababab.p2pfile-part"],
    ["1777", `.p2pfile-${process.geteuid?.()}`],
  ])("C9: names a disk on which no file can be made as full (mode %s)", async (mode, name) => {
    const disk = fixture.mount("tmpfs", `size=1m,nr_inodes=1,mode=${mode}`);
    if (disk === undefined) return;
    const failure = await failureOf(PartFile.open(options(disk)));
    expect(failure).toBeInstanceOf(DiskError);
    expect(failure.message).toStartWith(`cannot create ${join(disk, name)}: `);
  });

  test("C9: gives back what it got when the reservation fails half way", async () => {
    const disk = fixture.folder();
    // RLIMIT_FSIZE is met in the second step, where the size of the disk does not tell.
    const script = `
      import { PartFile } from ${JSON.stringify(join(import.meta.dir, "../../src/storage/part-file.ts"))};
      const open = PartFile.open(${JSON.stringify(options(disk, ALLOCATION_STEP_LENGTH + 64 * MiB))});
      await open.then(() => console.log("opened"), (error) => console.log(error.name, error.message));
    `;
    const blocks = (ALLOCATION_STEP_LENGTH + 32 * MiB) / 512;
    const { stdout, stderr } = Bun.spawnSync([
      "sh",
      "-c",
      `ulimit -f ${blocks}; exec "$0" -e "$1"`,
      process.execPath,
      script,
    ]);
    expect(stdout.toString() + stderr.toString()).toContain("DiskError");
    expect(stdout.toString()).toContain("ulimit -f");
    expect(readdirSync(disk)).toEqual([]);
  }, 20_000);
});

/** Another process that opens the part file; leaving the scope kills it. */
function holdPart(folder: string, size: number) {
  const command = [process.execPath, FIXTURE, folder, "model.bin", infoHash, String(size)];
  return Bun.spawn(command, { stdin: "pipe", stdout: "pipe" });
}

async function firstLine(child: { readonly stdout: ReadableStream<Uint8Array> }): Promise<string> {
  return new TextDecoder().decode((await child.stdout.getReader().read()).value);
}

describe("partFileName", () => {
  test("keeps a name whole that just fits", () => {
    const longest = "x".repeat(255 - ".".length - ".abababab.p2pfile-part".length);
    expect(partFileName(longest, infoHash)).toBe(`.${longest}.abababab.p2pfile-part`);
    expect(partFileName(`${longest}x`, infoHash)).toBe(`.${longest}.abababab.p2pfile-part`);
  });

  test("cuts a long name at a character so that it fits a file name", () => {
    for (const name of ["x".repeat(255), "ä".repeat(127), "𝄞".repeat(63), `x${"𝄞".repeat(63)}`]) {
      const partName = partFileName(name, infoHash);
      expect(Buffer.byteLength(partName)).toBeLessThanOrEqual(255);
      expect(Buffer.byteLength(partName)).toBeGreaterThan(250);
      expect(partName).not.toContain("\uFFFD");
      expect(partName).toEndWith(".abababab.p2pfile-part");
    }
  });
});

describe("findHolder", () => {
  test("finds the process by inode and passes over the rest", () => {
    const locks = [
      "1: FLOCK  ADVISORY  WRITE 7046 fe:00:9977936 0 EOF",
      "1: -> FLOCK  ADVISORY  WRITE 7047 fe:00:9977936 0 EOF",
      "2: OFDLCK ADVISORY  WRITE -1 fe:00:9977915 0 EOF",
      "3: FLOCK  ADVISORY  WRITE 0 fe:00:77 0 EOF",
      "4: POSIX  ADVISORY  WRITE 88 fe:00:88 0 EOF",
      "5: FLOCK  ADVISORY  READ 99 fe:00:99 0 EOF",
      "",
    ].join("\n");
    expect(findHolder(locks, 9977936n)).toBe(7046);
    expect(findHolder(locks, 9977915n)).toBeUndefined();
    expect(findHolder(locks, 77n)).toBeUndefined();
    expect(findHolder(locks, 936n)).toBeUndefined();
    // Locks of another kind keep no download from being locked.
    expect([findHolder(locks, 88n), findHolder(locks, 99n)]).toEqual([undefined, undefined]);
  });
});
