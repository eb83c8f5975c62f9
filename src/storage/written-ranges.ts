// Where a sparse or preallocated file was written to, by the account of its file system: after a run that could not record
// its last pieces they are found here. A hint and no more: what a range holds is known by its hash alone.
import { fstatSync } from "node:fs";
import { nextData, nextHole } from "./libc.ts";

/** Bytes from `start` up to `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Sectors in which every Linux file system counts `blocks`. */
const SECTOR_LENGTH = 512;

/**
 * In order, apart from each other; two system calls for each. Space that is only reserved does not count. Empty where the
 * file system does not keep account, which then calls all of the file written.
 */
export function writtenRanges(fd: number): ByteRange[] {
  const { size, blocks } = fstatSync(fd);
  const ranges: ByteRange[] = [];
  let total = 0;
  for (let start = nextData(fd, 0); start !== undefined && start < size;) {
    const end = nextHole(fd, start) ?? size;
    ranges.push({ start, end });
    total += end - start;
    start = nextData(fd, end);
  }
  return total > blocks * SECTOR_LENGTH ? [] : ranges;
}
