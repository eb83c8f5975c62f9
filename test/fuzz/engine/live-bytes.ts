// What this process keeps: the measure of what a run of inputs left behind.
import { heapStats } from "bun:jsc";

/** Bytes still in use after a collection, buffers outside of the heap included. */
export function liveBytes(): number {
  Bun.gc(true);
  const { heapSize, extraMemorySize } = heapStats();
  return heapSize + extraMemorySize;
}
