// System calls that neither node:fs nor Bun offers: read-only mappings, read leases, cachestat. Does not know what they
// are for. The numbers are those of Linux, the same on x86-64 and arm64.
import { dlopen } from "bun:ffi";
import { cLibrary } from "../src/lib/c-library.ts";

export const PROT_NONE = 0;
export const PROT_READ = 1;
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
/** Of fallocate(2): the file keeps its length, and the range becomes a hole. */
export const FALLOC_PUNCH_HOLE = 0x03;
export const F_SETSIG = 10;
export const F_SETLEASE = 1024;
export const F_GETLEASE = 1025;
export const F_RDLCK = 0;
export const F_UNLCK = 2;
/** How much of a range of a file is in the page cache (Linux 6.5). Called by its number: C libraries have no function for it. */
export const SYS_CACHESTAT = 451;
/** Its default action is to be ignored. */
export const SIGURG = 23;

const SYMBOLS = {
  mmap: { args: ["u64", "u64", "i32", "i32", "i32", "i64"], returns: "u64" },
  getpagesize: { args: [], returns: "i32" },
  syscall: { args: ["i64", "i32", "ptr", "ptr", "u32"], returns: "i64" },
  fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
} as const;

/** Undefined where no C library can be loaded: then nothing is mapped and files are read. */
export const libc = cLibrary((name) => dlopen(name, SYMBOLS).symbols)();
