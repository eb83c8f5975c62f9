// Calls of the C library on files that the runtime does not offer. Knows neither our paths nor the words of our errors. None of
// these calls moves file content, so each returns within about a millisecond.
import { dlopen, FFIType, ptr, toArrayBuffer } from "bun:ffi";
import { present } from "../lib/assert.ts";
import { cLibrary } from "../lib/c-library.ts";
import { errnoName } from "../lib/errno.ts";

/** `undefined`: success. Otherwise the system's error code. */
export type LibcResult = string | undefined;

const LOCK_EX = 2;
const LOCK_NB = 4;
const AT_FDCWD = -100;
const RENAME_NOREPLACE = 1;
const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** Older C libraries have no function for renameat2: it is called by its number. */
const SYS_RENAMEAT2: Readonly<Record<string, number>> = { x64: 316, arm64: 276 };

function open(name: string) {
  const { symbols } = dlopen(name, {
    flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    fallocate: { args: [FFIType.i32, FFIType.i32, FFIType.i64, FFIType.i64], returns: FFIType.i32 },
    lseek: { args: [FFIType.i32, FFIType.i64, FFIType.i32], returns: FFIType.i64 },
    syscall: {
      args: [FFIType.i64, FFIType.i64, FFIType.ptr, FFIType.i64, FFIType.ptr, FFIType.i64],
      returns: FFIType.i64,
    },
    __errno_location: { args: [], returns: FFIType.ptr },
  });
  // oxlint-disable-next-line no-underscore-dangle -- the C library names it so
  const location = symbols.__errno_location();
  if (location === null) return undefined;
  return { symbols, errno: new Int32Array(toArrayBuffer(location, 0, 4)) };
}

/** Without it every call below answers ENOSYS. */
const libc = cLibrary(open);

function call(
  run: (symbols: NonNullable<ReturnType<typeof open>>["symbols"]) => number | bigint,
): LibcResult {
  const loaded = libc();
  if (loaded === undefined) return "ENOSYS";
  for (;;) {
    if (Number(run(loaded.symbols)) === 0) return undefined;
    // Read at once: the next system call of this thread overwrites it.
    const code = errnoName(present(loaded.errno[0]));
    if (code !== "EINTR") return code;
  }
}

/** @returns false where every call below answers ENOSYS. */
export function canCallLibc(): boolean {
  return libc() !== undefined;
}

/** Takes the exclusive lock on the open file until `fd` is closed. "EWOULDBLOCK": another descriptor holds it. */
export function lockExclusively(fd: number): LibcResult {
  return call((symbols) => symbols.flock(fd, LOCK_EX | LOCK_NB));
}

/** Reserves `length` bytes at `offset` and grows the file to hold them. After an error a part may stay reserved. */
export function allocate(fd: number, offset: number, length: number): LibcResult {
  return call((symbols) => symbols.fallocate(fd, 0, offset, length));
}

/** Gives back the space of `length` bytes at `offset`, which read as zeros from then on. The length of the file stays. */
export function punchHole(fd: number, offset: number, length: number): LibcResult {
  return call((symbols) => symbols.fallocate(fd, KEEP_SIZE | PUNCH_HOLE, offset, length));
}

/** @returns where the next data at or after `offset` is; undefined when there is none or the file system does not say. */
export function nextData(fd: number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_DATA);
}

/** @returns where the next hole at or after `offset` begins, the end of the file included; undefined as above. */
export function nextHole(fd: number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_HOLE);
}

/** Moves the position of the descriptor, which positioned reads and writes do not use. */
function seek(fd: number, offset: number, whence: number): number | undefined {
  const found = Number(libc()?.symbols.lseek(fd, offset, whence) ?? -1);
  return found < 0 ? undefined : found;
}

/** Renames atomically unless `to` exists ("EEXIST"). "EINVAL" or "ENOSYS": not offered by this file system or kernel. */
export function renameWithoutReplacing(from: string, to: string): LibcResult {
  const number = SYS_RENAMEAT2[process.arch];
  if (number === undefined) return "ENOSYS";
  const source = Buffer.from(`${from}\0`);
  const target = Buffer.from(`${to}\0`);
  return call((symbols) =>
    symbols.syscall(number, AT_FDCWD, ptr(source), AT_FDCWD, ptr(target), RENAME_NOREPLACE),
  );
}
