// Whether a stretch of a file is in the page cache: cachestat(2).
import { SYS_CACHESTAT, libc } from "./libc.ts";

const pageLength = libc?.getpagesize() ?? 4096;
/** `struct cachestat_range`: offset and length. */
const range = new BigUint64Array(2);
/** `struct cachestat`: pages in the cache, dirty, under writeback, evicted, recently evicted. */
const counts = new BigUint64Array(5);

/** False also when the kernel cannot tell (before Linux 6.5) or will not (a file that is not ours). */
export function isCached(fd: number, offset: number, length: number): boolean {
  range[0] = BigInt(offset);
  range[1] = BigInt(length);
  if (libc === undefined || Number(libc.syscall(SYS_CACHESTAT, fd, range, counts, 0)) !== 0) return false;
  const pages = Math.floor((offset + length - 1) / pageLength) - Math.floor(offset / pageLength) + 1;
  return Number(counts[0]) === pages;
}
