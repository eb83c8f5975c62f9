// The memory in use by this process, to measure what a run of inputs leaks.
import { heapStats } from "bun:jsc";

/** Bytes in use after a collection, with buffers outside of the heap. */
export function liveBytes(): number {
  Bun.gc(true);
  const { heapSize, extraMemorySize } = heapStats();
  return heapSize + extraMemorySize;
}
