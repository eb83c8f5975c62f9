// One hash job from open to close: chooses between mapping and reading, window by window. It is given a descriptor of this
// process, so a file that is put at the old path meanwhile is never hashed in place of the open one. Refuses to know the
// message port.
import { closeSync, constants, fstatSync, openSync, statfsSync } from "node:fs";
import { MappedFile } from "./mapped-file.ts";
import { PieceDigests } from "./piece-digests.ts";
import { readFile } from "./read-file.ts";
import { ReadLease } from "./read-lease.ts";
import { ShortFileError } from "./short-file-error.ts";
import type { HashRequest } from "../src/hashing/messages.ts";
import { O_CLOEXEC } from "../src/lib/open-flags.ts";
import { isNetworkFileSystem, TMPFS } from "../src/lib/file-systems.ts";

type Statfs = (path: string) => { readonly type: number };

/** Names every descriptor of this process, all threads included; opening one opens its file once more. */
const DESCRIPTORS = "/proc/self/fd";

let mapping: MappedFile | undefined;

/**
 * @param descriptors the folder that names the descriptors of this process. Where it cannot be used (a system without
 *   /proc, a file that its own user may not open again) the given descriptor is read.
 * @param statfs node:fs's, or a test's.
 * @returns 20 bytes per piece, in piece order.
 * @throws an error with a `code`: the system's, "ESHORT", "EISDIR", or "EINVAL" for anything but a regular file.
 */
export function hashSlice(
  request: HashRequest,
  descriptors = DESCRIPTORS,
  statfs: Statfs = statfsSync,
): Uint8Array<ArrayBuffer> {
  assertRegularFile(request.fd);
  const path = `${descriptors}/${request.fd}`;
  const own = openAgain(path);
  const fd = own ?? request.fd;
  try {
    const pieces = new PieceDigests(request.length, request.pieceLength);
    const end = request.offset + request.length;
    assertLongEnough(fd, end);
    const mayMap = own !== undefined && request.io === "map" && isMappable(statfs(path).type);
    const mapped = mayMap ? addMapped(own, request, pieces) : 0;
    readFile(fd, request.offset + mapped, end, (bytes) => pieces.add(bytes));
    return pieces.digests;
  } finally {
    if (own !== undefined) closeSync(own);
  }
}

function assertRegularFile(fd: number): void {
  const status = fstatSync(fd);
  if (status.isFile()) return;
  const code = status.isDirectory() ? "EISDIR" : "EINVAL";
  throw Object.assign(new Error("not a regular file"), { code });
}

/** A lease belongs to one opening of a file, and two jobs of one file must not share it. */
function openAgain(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | O_CLOEXEC);
  } catch {
    return undefined;
  }
}

function assertLongEnough(fd: number, end: number): void {
  const { size } = fstatSync(fd);
  if (size < end) throw new ShortFileError(size, end);
}

/**
 * On a network file system pages can vanish without a local writer. The cache of tmpfs is single pages of 4 KiB unless it
 * was mounted otherwise, and each costs a fault: two workers over 2 GiB hash 1.37 times what one core does from the map,
 * and 1.63 times by reading.
 */
function isMappable(fileSystem: number): boolean {
  return fileSystem !== TMPFS && !isNetworkFileSystem(fileSystem);
}

/** @returns how many bytes from the start of the job were hashed from the map; the rest is to be read. */
function addMapped(fd: number, request: HashRequest, pieces: PieceDigests): number {
  if (mapping === undefined || mapping.windowLength < request.windowLength) {
    mapping = MappedFile.reserve(request.windowLength);
  }
  if (mapping === undefined) return 0;
  const lease = request.exclusive ? undefined : ReadLease.take(fd);
  const isSafe = () => (lease === undefined ? request.exclusive : lease.held);
  let done = 0;
  try {
    while (done < request.length && isSafe()) {
      const length = Math.min(request.windowLength, request.length - done);
      // Without a lease there is a gap from this check to the end of the window's hashing: see docs/adr/0002.
      assertLongEnough(fd, request.offset + done + length);
      const bytes = mapping.window(fd, request.offset + done, length);
      if (bytes === undefined) break;
      pieces.add(bytes);
      done += length;
    }
  } finally {
    mapping.unmap();
    lease?.release();
  }
  return done;
}
