// Finds the process that holds a lock, for the words of an error only: the answer may be old by the time it is read.
import type { BigIntStats } from "node:fs";
import { readFile } from "node:fs/promises";

/** @returns the process that holds the flock on this file, or undefined when the kernel does not show it. */
export async function lockHolder(stats: BigIntStats): Promise<number | undefined> {
  try {
    return findHolder(await readFile("/proc/locks", "utf8"), stats.ino);
  } catch {
    return undefined;
  }
}

/** A line is "1: FLOCK  ADVISORY  WRITE 7046 fe:00:9977936 0 EOF"; a pid of 0 or -1 lives in another namespace. */
export function findHolder(locks: string, inode: bigint): number | undefined {
  for (const line of locks.split("\n")) {
    const fields = line.trim().split(/\s+/);
    if (fields[1] !== "FLOCK" || fields[3] !== "WRITE") continue;
    if (fields[5]?.endsWith(`:${inode}`) !== true) continue;
    const pid = Number(fields[4]);
    if (Number.isSafeInteger(pid) && pid > 0) return pid;
  }
  return undefined;
}
