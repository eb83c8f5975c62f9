// One window of a file in memory, read-only, at an address range that is reserved once: every window is mapped over the
// last one, so a single ArrayBuffer serves for ever and nothing waits for the garbage collector to be unmapped.
// Bun.mmap would open the file for writing and unmap late. Refuses to know pieces and digests, and whether mapping is
// safe: the caller has seen that the file is long enough, and that no process shortens it.
import { toArrayBuffer } from "bun:ffi";
import { isCached } from "./page-cache.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_NONE,
  PROT_READ,
  libc,
} from "./libc.ts";
import { KiB, MiB } from "../src/lib/units.ts";

/** The largest page of the kernels we run on (arm64 with 64 KiB pages): file offsets of a mapping are multiples of it. */
const PAGE_LENGTH = 64 * KiB;
/**
 * A file offset and its address agree modulo this, so that the kernel can map a huge page of its cache by one entry
 * instead of 512: populating a window then costs nothing, and SHA-1 runs as fast as over plain memory.
 */
const HUGE_PAGE_LENGTH = 2 * MiB;
const RESERVED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

export class MappedFile {
  /** Bytes of the largest window. */
  readonly windowLength: number;
  readonly #base: number;
  readonly #length: number;
  readonly #bytes: Uint8Array;

  private constructor(windowLength: number, base: number, length: number) {
    this.windowLength = windowLength;
    this.#base = base;
    this.#length = length;
    this.#bytes = new Uint8Array(toArrayBuffer(base, 0, length));
  }

  /** Reserves addresses, not memory. @returns undefined when the system does not give them. */
  static reserve(windowLength: number): MappedFile | undefined {
    if (libc === undefined) return undefined;
    const length = windowLength + HUGE_PAGE_LENGTH;
    const start = Number(libc.mmap(0, length + HUGE_PAGE_LENGTH, PROT_NONE, RESERVED, -1, 0));
    if (start >= 2 ** 52) return undefined; // MAP_FAILED is the largest address.
    return new MappedFile(windowLength, Math.ceil(start / HUGE_PAGE_LENGTH) * HUGE_PAGE_LENGTH, length);
  }

  /**
   * Maps `length` (at most `windowLength`) bytes at `offset` of the file, when all of them are in the page cache. To read
   * them in through the map would hold the lock of the process's address space for the time of the disk, and the main
   * thread stops at its next allocation (seen: 0.5 s).
   * @returns a view that is valid until the next call of `window` or `unmap`; undefined when it could not be done.
   */
  window(fd: number, offset: number, length: number): Uint8Array | undefined {
    if (libc === undefined || length > this.windowLength || !isCached(fd, offset, length)) return undefined;
    const at = offset % HUGE_PAGE_LENGTH;
    const lead = offset % PAGE_LENGTH;
    const address = this.#base + at - lead;
    const flags = MAP_SHARED | MAP_FIXED;
    if (Number(libc.mmap(address, lead + length, PROT_READ, flags, fd, offset - lead)) !== address)
      return undefined;
    return this.#bytes.subarray(at, at + length);
  }

  /** Gives the pages back and keeps the addresses. Views are dead after this: touching one ends the process. */
  unmap(): void {
    libc?.mmap(this.#base, this.#length, PROT_NONE, RESERVED | MAP_FIXED, -1, 0);
  }
}
