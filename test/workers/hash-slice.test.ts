import { afterAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HashRequest } from "../../src/hashing/messages.ts";
import { systemErrorCode } from "../../src/lib/errors.ts";
import { KiB, MiB } from "../../src/lib/units.ts";
import { hashSlice } from "../../workers/hash-slice.ts";
import { isCached } from "../../workers/page-cache.ts";

const folder = mkdtempSync(join(tmpdir(), "p2pfile-job-"));
const opened: number[] = [];
afterAll(() => {
  for (const fd of opened) closeSync(fd);
  rmSync(folder, { recursive: true, force: true });
});

const bytes = randomBytes(5 * MiB + 123);
const path = join(folder, "data");
writeFileSync(path, bytes);

function open(file: string): number {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  opened.push(fd);
  return fd;
}

const fd = open(path);

function requestOf(changes: Partial<HashRequest>): HashRequest {
  return {
    type: "hash",
    job: 0,
    path,
    fd,
    offset: 0,
    length: bytes.length,
    pieceLength: MiB,
    io: "map",
    exclusive: false,
    windowLength: MiB,
    ...changes,
  };
}

function digestsOf(content: Uint8Array, pieceLength: number): string {
  let digests = "";
  for (let at = 0; at < content.length; at += pieceLength) {
    digests += createHash("sha1")
      .update(content.subarray(at, at + pieceLength))
      .digest("hex");
  }
  return digests;
}

/** Whether a descriptor of this process is open on something in our folder. */
function isOurs(descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder);
  } catch {
    return false;
  }
}

function codeOf(changes: Partial<HashRequest>): string | undefined {
  try {
    hashSlice(requestOf(changes));
    return undefined;
  } catch (error) {
    return systemErrorCode(error);
  }
}

describe.each(["map", "pread"] as const)("hashSlice with io %s", (io) => {
  test("does not care how windows and pieces overlap", () => {
    const cases = [
      [64 * KiB, 16 * KiB],
      [64 * KiB, 48 * KiB],
      [64 * KiB, 256 * KiB],
      [96 * KiB, 80 * KiB],
      [MiB, MiB],
      [3 * MiB, MiB],
      [MiB, 6 * MiB],
      [8 * MiB, 2 * MiB],
    ] as const;
    for (const [windowLength, pieceLength] of cases) {
      for (const exclusive of [false, true]) {
        for (const offset of [0, 16 * KiB, 2 * MiB + 16 * KiB, 12_345]) {
          const length = bytes.length - offset;
          const digests = hashSlice(requestOf({ io, windowLength, pieceLength, exclusive, offset, length }));
          expect(digests.toHex()).toBe(digestsOf(bytes.subarray(offset), pieceLength));
        }
      }
    }
  });

  test("answers a code for what is not a readable regular file, and never waits", () => {
    const fifo = join(folder, `fifo-${io}`);
    Bun.spawnSync(["mkfifo", fifo]);
    expect(codeOf({ io, fd: open(fifo) })).toBe("EINVAL");
    expect(codeOf({ io, fd: open("/dev/zero") })).toBe("EINVAL");
    expect(codeOf({ io, fd: open(folder) })).toBe("EISDIR");
    expect(codeOf({ io, fd: 1_000_000 })).toBe("EBADF");
  });

  test("P6: answers ESHORT when a file ends early, one byte or all of it", () => {
    expect(codeOf({ io, length: bytes.length + 1 })).toBe("ESHORT");
    expect(codeOf({ io, offset: bytes.length, length: 1 })).toBe("ESHORT");
    expect(codeOf({ io, exclusive: true, length: bytes.length + 1 })).toBe("ESHORT");
    writeFileSync(join(folder, "empty"), "");
    expect(codeOf({ io, fd: open(join(folder, "empty")), length: 1 })).toBe("ESHORT");
  });

  test("leaves neither a descriptor nor a mapping behind", () => {
    const descriptors = () => readdirSync("/proc/self/fd").filter(isOurs).length;
    hashSlice(requestOf({ io }));
    const directory = open(folder);
    const before = descriptors();
    for (let i = 0; i < 20; i++) {
      hashSlice(requestOf({ io }));
      hashSlice(requestOf({ io, exclusive: true }));
      codeOf({ io, fd: directory });
      codeOf({ io, length: bytes.length + 1 });
    }
    expect(descriptors()).toBe(before);
    expect(readFileSync("/proc/self/maps", "utf8")).not.toContain(path);
  });

  test("hashes a file that is open for writing, and keeps no writer waiting afterwards", () => {
    const writer = openSync(path, "r+");
    expect(hashSlice(requestOf({ io })).toHex()).toBe(digestsOf(bytes, MiB));
    closeSync(writer);
    hashSlice(requestOf({ io }));
    const later = openSync(path, "r+");
    expect(fstatSync(later).size).toBe(bytes.length);
    closeSync(later);
  });

  test.if(process.getuid?.() === 0)("needs no more than the right to read", async () => {
    const readOnly = join(folder, `read-only-${io}`);
    writeFileSync(readOnly, bytes);
    chmodSync(readOnly, 0o444);
    chmodSync(folder, 0o755);
    const module = JSON.stringify(new URL("../../workers/hash-slice.ts", import.meta.url).pathname);
    const script = join(folder, "as-nobody.ts");
    writeFileSync(
      script,
      `import { hashSlice } from ${module};
       process.setgid(65534); process.setuid(65534);
       const fd = require("node:fs").openSync(${JSON.stringify(readOnly)}, "r");
       console.log(hashSlice({ ...${JSON.stringify(requestOf({ io }))}, fd }).toHex());`,
    );
    const child = Bun.spawn([process.execPath, script], { stdout: "pipe", timeout: 10_000 });
    expect(await new Response(child.stdout).text()).toBe(`${digestsOf(bytes, MiB)}\n`);
  });

  test("reads the descriptor itself where the system has no folder of descriptors", () => {
    for (const exclusive of [false, true])
      expect(hashSlice(requestOf({ io, exclusive }), "/nowhere").toHex()).toBe(digestsOf(bytes, MiB));
    expect(fstatSync(fd).size).toBe(bytes.length);
  });
});

/** Bytes that this process has read by system calls. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

test("hashSlice reads a cold file, whose pages it would wait for in the map, and maps a warm one", () => {
  const cold = join(folder, "cold");
  writeFileSync(cold, bytes);
  // Writes the file back and drops its pages.
  Bun.spawnSync(["dd", `of=${cold}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"]);
  const fd = open(cold);
  const isCold = !isCached(fd, 0, MiB);
  if (!isCold) return console.warn("SKIPPED: the temporary folder keeps all pages in memory");
  const request = requestOf({ fd, exclusive: true });
  for (const isRead of [true, false]) {
    const before = bytesRead();
    expect(hashSlice(request).toHex()).toBe(digestsOf(bytes, MiB));
    expect(bytesRead() - before >= bytes.length).toBe(isRead);
  }
});

test.each([
  ["a disk (ext4)", 0xef53, false],
  ["NFS", 0x6969, true],
  ["SMB, as a negative number", 0xfe534d42 | 0, true],
  ["GPFS", 0x47504653, true],
  ["FUSE", 0x65735546, true],
  ["tmpfs", 0x01021994, true],
])("hashSlice over %s (type %d) reads instead of mapping: %p", (_, type, isRead) => {
  const fd = openSync(path, "r");
  const isWarm = isCached(fd, 0, bytes.length);
  closeSync(fd);
  if (!isWarm) return console.warn("SKIPPED: this system does not tell what is cached");
  const asked: string[] = [];
  const statfs = (of: string) => {
    asked.push(of);
    return { type };
  };
  const request = requestOf({ exclusive: true });
  const before = bytesRead();
  expect(hashSlice(request, undefined, statfs).toHex()).toBe(digestsOf(bytes, MiB));
  expect(bytesRead() - before >= bytes.length).toBe(isRead);
  expect(asked).toEqual([`/proc/self/fd/${request.fd}`]);
});

test("hashSlice reads a file on tmpfs, where every page of the map would cost a fault", () => {
  const shared = "/dev/shm";
  if (!existsSync(shared) || statfsSync(shared).type !== 0x01021994)
    return console.warn(`SKIPPED: ${shared} is no tmpfs`);
  const inMemory = mkdtempSync(join(shared, "p2pfile-job-"));
  try {
    const file = join(inMemory, "data");
    writeFileSync(file, bytes);
    const before = bytesRead();
    expect(hashSlice(requestOf({ fd: open(file), exclusive: true })).toHex()).toBe(digestsOf(bytes, MiB));
    expect(bytesRead() - before).toBeGreaterThanOrEqual(bytes.length);
  } finally {
    rmSync(inMemory, { recursive: true, force: true });
  }
});
